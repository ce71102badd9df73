import { varintSize, writeVarint } from '../base/varint.ts';
import { NONE, type BatchView } from './batch.ts';
import { RecordCursor } from './record-cursor.ts';
import type { RecordError } from './record-error.ts';

/**
 * The second look at records: for batches that are about to be refused, so that the client learns which records were the reason; for timestamps past 2^53, which
 * need 64-bit arithmetic; and for offset deltas that must be renumbered. Not on the hot path.
 */

/** What `inspectRecords` needs of a topic's rules. */
export interface InspectionRules {
  readonly name: string;
  readonly compacted: boolean;
  readonly logAppendTime: boolean;
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
}

/** What was found in a block of well-formed records. */
export interface Inspection {
  readonly recordErrors: readonly RecordError[];
  /** True if some record error is about a timestamp. */
  readonly invalidTimestamp: boolean;
  /** Largest timestamp of the records, -1 at least, as halves. */
  readonly maxTimestampHigh: number;
  readonly maxTimestampLow: number;
  readonly sequentialOffsets: boolean;
}

/** Most record errors that are reported; a refused batch needs no longer list. */
export const MAX_RECORD_ERRORS = 1000;

/** Looks at every record of `block`, which `walkRecords` has found well formed. */
export function inspectRecords(
  batch: BatchView,
  block: Buffer,
  rules: InspectionRules,
  nowMs: number,
): Inspection {
  const base = batch.buffer.readBigInt64BE(batch.start + 27);
  const batchMax = batch.buffer.readBigInt64BE(batch.start + 35);
  const cursor = new RecordCursor().over(block, 0, block.length);
  const recordErrors: RecordError[] = [];
  let max = -1n;
  let invalidTimestamp = false;
  let sequentialOffsets = true;
  for (let index = 0; cursor.next(); index++) {
    const delta = cursor.wideTimestampDelta ?? BigInt(cursor.timestampDelta);
    const timestamp = batch.isLogAppendTime ? batchMax : BigInt.asIntN(64, base + delta);
    if (timestamp > max) max = timestamp;
    if (cursor.offsetDelta !== index) sequentialOffsets = false;
    let message = keyProblem(cursor, rules);
    if (message === null) {
      message = timestampProblem(timestamp, batch.isLogAppendTime, rules, nowMs);
      if (message !== null) invalidTimestamp = true;
    }
    if (message !== null && recordErrors.length < MAX_RECORD_ERRORS) {
      recordErrors.push({ batchIndex: index, message });
    }
  }
  return {
    recordErrors,
    invalidTimestamp,
    maxTimestampHigh: Number(max >> 32n),
    maxTimestampLow: Number(max & 0xffffffffn),
    sequentialOffsets,
  };
}

function keyProblem(cursor: RecordCursor, rules: InspectionRules): string | null {
  if (!rules.compacted || cursor.keyStart >= 0) return null;
  return `A record without a key cannot be written to the compacted topic of ${rules.name}`;
}

function timestampProblem(
  timestamp: bigint,
  isLogAppendTime: boolean,
  rules: InspectionRules,
  nowMs: number,
): string | null {
  if (!rules.logAppendTime && timestamp !== BigInt(NONE)) {
    const behindMs = Number(BigInt(nowMs) - timestamp);
    if (behindMs <= rules.timestampBeforeMaxMs && -behindMs <= rules.timestampAfterMaxMs) return null;
    return (
      `Timestamp ${timestamp} is out of range: it may be ${rules.timestampBeforeMaxMs} ms before and ` +
      `${rules.timestampAfterMaxMs} ms after the broker's clock, which says ${nowMs}`
    );
  }
  return isLogAppendTime ? 'A producer must not set the timestamp type to LogAppendTime' : null;
}

/** A copy of well-formed records whose offset deltas are 0, 1, 2, …; all else is kept byte for byte. */
export function resequence(block: Buffer): Buffer {
  const cursor = new RecordCursor().over(block, 0, block.length);
  const parts: Buffer[] = [];
  for (let index = 0; cursor.next(); index++) {
    const head = block.subarray(bodyStart(cursor), cursor.offsetDeltaStart);
    const tail = block.subarray(cursor.offsetDeltaEnd, cursor.recordEnd);
    const length = head.length + varintSize(index) + tail.length;
    const prefix = Buffer.alloc(varintSize(length));
    writeVarint(prefix, 0, length);
    const delta = Buffer.alloc(varintSize(index));
    writeVarint(delta, 0, index);
    parts.push(prefix, head, delta, tail);
  }
  return Buffer.concat(parts);
}

/** First byte after the record's length. */
function bodyStart(cursor: RecordCursor): number {
  let position = cursor.recordStart;
  while ((cursor.buffer[position] as number) > 0x7f) position++;
  return position + 1;
}
