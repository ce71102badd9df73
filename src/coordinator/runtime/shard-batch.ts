import { ErrorCode } from '../../base/errors.ts';
import type { EncodedRecord } from './coordinator-record.ts';

/** Bytes of a batch besides its records (formats §5), and of a record besides key and value, at most. */
const BATCH_HEADER_BYTES = 61;
const RECORD_OVERHEAD_BYTES = 36;

/** One operation that waits until all it has seen is committed. */
export interface PendingOperation {
  /** When it is given up, `monotonicMs`; rises within a batch and from batch to batch. */
  readonly deadlineMs: number;
  /** Called once. */
  settle(errorCode: ErrorCode): void;
}

/** Records of many operations that are appended as one batch, and those who wait for that. */
export class ShardBatch {
  /** Offset that the first record will have. */
  readonly baseOffset: number;
  /** Wall clock when it was begun, ms: the timestamp of its records. */
  readonly timestampMs: number;
  /** When it is to be appended, `monotonicMs`. */
  readonly dueMs: number;
  readonly records: EncodedRecord[] = [];
  sizeBytes = BATCH_HEADER_BYTES;
  #pending: PendingOperation[] = [];
  #settledUpTo = 0;

  constructor(init: { baseOffset: number; timestampMs: number; dueMs: number }) {
    this.baseOffset = init.baseOffset;
    this.timestampMs = init.timestampMs;
    this.dueMs = init.dueMs;
  }

  /** Offset after the last record (exclusive). */
  get endOffset(): number {
    return this.baseOffset + this.records.length;
  }

  /** Adds a record. */
  add(record: EncodedRecord): void {
    this.records.push(record);
    this.sizeBytes += recordBytes(record);
  }

  /** Adds somebody who waits. */
  wait(operation: PendingOperation): void {
    this.#pending.push(operation);
  }

  /** When the first who waits gives up; null when nobody does. */
  get firstDeadlineMs(): number | null {
    return this.#pending[this.#settledUpTo]?.deadlineMs ?? null;
  }

  /** Settles those whose time is over. */
  expire(nowMs: number): void {
    while ((this.firstDeadlineMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
      this.#pending[this.#settledUpTo++]?.settle(ErrorCode.REQUEST_TIMED_OUT);
    }
  }

  /** Settles all who still wait. */
  settle(errorCode: ErrorCode): void {
    const pending = this.#pending;
    const from = this.#settledUpTo;
    this.#pending = [];
    this.#settledUpTo = 0;
    for (let i = from; i < pending.length; i++) pending[i]?.settle(errorCode);
  }
}

/** Bytes that a record takes in a batch, at most. */
export function recordBytes({ key, value }: EncodedRecord): number {
  return RECORD_OVERHEAD_BYTES + key.length + (value?.length ?? 0);
}
