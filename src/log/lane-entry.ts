import { ErrorCode } from '../base/errors.ts';
import type { BlockBudget } from '../records/block-budget.ts';
import type { RecordError } from '../records/record-error.ts';
import type { AppendCallback, AppendOutcome, AppendRequest } from './append-request.ts';

const NO_RECORD_ERRORS: readonly RecordError[] = [];

/** One append on its way through the lane. */
export class LaneEntry {
  readonly request: AppendRequest;
  readonly #done: AppendCallback;
  /** Retries of this very batch that came while it was on its way; they get its outcome. */
  #followers: AppendCallback[] | null = null;
  /** Where the batches lie: the request's bytes, or a rebuilt batch. */
  buffer: Buffer;
  start: number;
  end: number;
  /** Set when the place is reserved. */
  baseOffset = -1;
  endOffset = -1;
  /** Largest timestamp of the batches, ms. */
  maxTimestampMs = -1;
  logAppendTimeMs = -1;
  /** Bytes of the budget that a rebuilt batch holds until the entry has its outcome. */
  heldBytes = 0;
  #budget: BlockBudget | null = null;

  constructor(request: AppendRequest, done: AppendCallback) {
    this.request = request;
    this.#done = done;
    this.buffer = request.buffer;
    this.start = request.start;
    this.end = request.end;
  }

  get sizeBytes(): number {
    return this.end - this.start;
  }

  /** The bytes to be written. */
  get part(): Buffer {
    if (this.start === 0 && this.end === this.buffer.length) return this.buffer;
    return this.buffer.subarray(this.start, this.end);
  }

  holds(budget: BlockBudget, bytes: number): void {
    this.#budget = budget;
    this.heldBytes = bytes;
  }

  #letGo(): void {
    const { heldBytes } = this;
    this.heldBytes = 0;
    if (heldBytes > 0) this.#budget?.release(heldBytes);
  }

  follow(done: AppendCallback): void {
    this.#followers ??= [];
    this.#followers.push(done);
  }

  /** Hands the fate of this entry over to `leader`, whose batch it repeats. */
  follows(leader: LaneEntry): void {
    this.#letGo();
    leader.follow(this.#done);
  }

  /** The batches are in the log. */
  succeed(logStartOffset: number): void {
    this.#letGo();
    const outcome = {
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      recordErrors: NO_RECORD_ERRORS,
      baseOffset: this.baseOffset,
      endOffset: this.endOffset,
      logAppendTimeMs: this.logAppendTimeMs,
      logStartOffset,
      duplicate: false,
    };
    this.#done(outcome);
    if (this.#followers !== null) for (const done of this.#followers) done({ ...outcome, duplicate: true });
  }

  /** The batch was in the log before. */
  repeat(
    first: { baseOffset: number; endOffset: number; timestampMs: number },
    logStartOffset: number,
  ): void {
    this.#letGo();
    this.#done({
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      recordErrors: NO_RECORD_ERRORS,
      baseOffset: first.baseOffset,
      endOffset: first.endOffset,
      logAppendTimeMs: first.timestampMs,
      logStartOffset,
      duplicate: true,
    });
  }

  /** Nothing of it is in the log. */
  fail(
    errorCode: ErrorCode,
    errorMessage: string | null,
    logStartOffset: number,
    recordErrors: readonly RecordError[] = NO_RECORD_ERRORS,
  ): void {
    this.#letGo();
    const outcome: AppendOutcome = {
      errorCode,
      errorMessage,
      recordErrors,
      baseOffset: -1,
      endOffset: -1,
      logAppendTimeMs: -1,
      logStartOffset,
      duplicate: false,
    };
    this.#done(outcome);
    if (this.#followers !== null) for (const done of this.#followers) done(outcome);
  }
}
