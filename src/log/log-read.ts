import type { ErrorCode } from '../base/errors.ts';
import type { ColdRead, FileRange } from '../io/disk.ts';

/** Bounds of one read. */
export interface ReadOptions {
  /** Most bytes wanted, > 0. */
  readonly maxBytes: number;
  /** Records at or above this offset are not given (high watermark, last stable offset, or log end for replicas). */
  readonly upperBoundOffset: number;
  /** True to get one whole batch even if it is larger than `maxBytes`. */
  readonly minOneBatch: boolean;
  /** True to be told rather than to wait when the device would have to be asked; see `LogRead.cold`. */
  readonly withoutWaiting?: boolean;
}

/**
 * What a read found: one range within one segment. It begins with the batch that holds the fetch offset, so its first records may lie below it, and ends at or
 * before the first batch at or above the upper bound. It ends within a batch only if cutting at `maxBytes` could not be avoided cheaply and a
 * whole batch precedes the cut.
 */
export interface LogRead {
  /** `NONE`, `OFFSET_OUT_OF_RANGE` (outside `[logStartOffset, logEndOffset]`) or `KAFKA_STORAGE_ERROR`. */
  readonly errorCode: ErrorCode;
  /** A lease with one reference, owned by the caller; null when there is nothing to give. */
  readonly range: FileRange | null;
  /** Bytes of the range, 0 without one. */
  readonly lengthBytes: number;
  /** What must be brought into memory before this read can be done without waiting; then there is no range. Only where that was asked for. */
  readonly cold: ColdRead | null;
}

/** A record found by its timestamp. */
export interface TimestampAndOffset {
  readonly offset: number;
  /** ms since the epoch; the nearest double when it lies beyond 2^53. -1 if records have none. */
  readonly timestampMs: number;
  /** Leader epoch of its batch, -1 when unknown. */
  readonly leaderEpoch: number;
}

/** End of a leader epoch: all offsets of epochs up to `epoch` are below `endOffset`. */
export interface EpochEnd {
  readonly epoch: number;
  readonly endOffset: number;
}
