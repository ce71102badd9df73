import { ErrorCode } from '../base/errors.ts';
import type { Compute } from '../io/compute.ts';
import {
  assignMaxTimestamp,
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  BatchField,
  type BatchView,
  CURRENT_MAGIC,
  isCrcValid,
} from '../records/batch.ts';
import { highHalf, lowHalf } from '../records/int64.ts';
import type { LaneEntry } from './lane-entry.ts';

/** Why replicated bytes cannot be appended. */
export interface ReplicationProblem {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * Checks batches copied from a leader and sets the entry's offsets, end and largest timestamp; null if they may be appended at `logEndOffset`. A batch cut short at the end
 * (fetch answers have such) is left out. Gaps are right: compaction leaves them.
 */
export function checkReplicated(
  entry: LaneEntry,
  view: BatchView,
  logEndOffset: number,
  compute: Compute,
): ReplicationProblem | null {
  const { buffer } = entry;
  let at = entry.start;
  let expected = logEndOffset;
  for (
    let sizeBytes = wholeBatchAt(buffer, at, entry.end);
    sizeBytes > 0;
    sizeBytes = wholeBatchAt(buffer, at, entry.end)
  ) {
    view.at(buffer, at);
    if (view.magic !== CURRENT_MAGIC || sizeBytes < BATCH_HEADER_BYTES) {
      return {
        code: ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT,
        message: `A replicated batch has magic ${view.magic}`,
      };
    }
    if (!isCrcValid(compute, buffer, at, sizeBytes)) {
      return {
        code: ErrorCode.CORRUPT_MESSAGE,
        message: `The replicated batch at offset ${view.baseOffset} has a wrong CRC`,
      };
    }
    const { baseOffset, lastOffset } = view;
    if (baseOffset < expected || lastOffset < baseOffset) {
      return {
        code: ErrorCode.OFFSET_OUT_OF_RANGE,
        message: `A replicated batch has offsets ${baseOffset}..${lastOffset}, the log goes on at ${expected}`,
      };
    }
    if (at === entry.start) entry.baseOffset = baseOffset;
    entry.maxTimestampMs = Math.max(entry.maxTimestampMs, view.maxTimestamp);
    expected = lastOffset + 1;
    at += sizeBytes;
  }
  entry.end = at;
  entry.endOffset = expected;
  return null;
}

/** Size of the batch at `start` if it is there whole, else 0. */
function wholeBatchAt(buffer: Buffer, start: number, end: number): number {
  if (end - start < BATCH_HEADER_BYTES) return 0;
  const sizeBytes = buffer.readInt32BE(start + BatchField.batchLength) + BATCH_OVERHEAD_BYTES;
  return sizeBytes > 0 && sizeBytes <= end - start ? sizeBytes : 0;
}

/** Makes the batch one of LogAppendTime. */
export function stampAppendTime(compute: Compute, view: BatchView, nowMs: number): void {
  assignMaxTimestamp(compute, view, { logAppendTime: true, high: highHalf(nowMs), low: lowHalf(nowMs) });
}
