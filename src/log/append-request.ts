import type { ErrorCode } from '../base/errors.ts';
import type { RecordError } from '../records/record-error.ts';

/**
 * Who made the batches.
 * - `client`: a Produce request. One batch, everything is checked (formats §9, §29).
 * - `coordinator`: a coordinator of this broker. Batches are ours; control batches are allowed, epochs of producers are checked.
 * - `raft`: the leader of the metadata log. Batches are ours and trusted; offsets and epoch are assigned by the lane.
 * - `replica`: a follower copying its leader. Offsets and epochs are the leader's; only CRC and order are checked.
 */
export type AppendOrigin = 'client' | 'coordinator' | 'raft' | 'replica';

/** One append. */
export interface AppendRequest {
  /** Batches lie in `[start, end)`. The bytes belong to the log until `done`: offsets, epoch and timestamps are patched in place. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** Leader epoch written into the batches; ignored for `replica`. */
  readonly leaderEpoch: number;
  readonly origin: AppendOrigin;
  /** Version of the Produce request (zstd needs 7); ignored for other origins. */
  readonly produceVersion: number;
  /** Wall clock, ms since the epoch. */
  readonly nowMs: number;
  /** `transaction.version` that the markers in it are written under, 0 when left out; from 2 on their epoch must be a new one (KIP-890). For `coordinator` only. */
  readonly transactionVersion?: number;
}

/** What became of an append. */
export interface AppendOutcome {
  /** `NONE` when the records are in the log (in the page cache, not necessarily on the device). */
  readonly errorCode: ErrorCode;
  /** For the response and the log; null when there is nothing to add to the code. */
  readonly errorMessage: string | null;
  /** Records that were the reason, by their index in the batch; empty in general. */
  readonly recordErrors: readonly RecordError[];
  /** Offset of the first record, -1 on error. */
  readonly baseOffset: number;
  /** Offset after the last record (exclusive), -1 on error: acknowledged by all once the high watermark has reached it. */
  readonly endOffset: number;
  /** Time written into the batch on a LogAppendTime topic, else -1. For a duplicate the first append's timestamp. */
  readonly logAppendTimeMs: number;
  /** The log's start when the outcome was made. */
  readonly logStartOffset: number;
  /** True if the batch was in the log already (a retry); offsets are the first append's. */
  readonly duplicate: boolean;
}

/** Called exactly once per append, before `append` returns or in a later turn. */
export type AppendCallback = (outcome: AppendOutcome) => void;
