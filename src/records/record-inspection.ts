import { assert } from '../base/assert.ts';
import { varintSize, writeVarint } from '../base/varint.ts';
import { NONE, type BatchView } from './batch.ts';
import { RecordCursor } from './record-cursor.ts';
import type { RecordError } from './record-error.ts';
import type { RecordSteps } from './turns.ts';

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

/** Records, and bytes of copied records, after which others have a turn. */
const RECORDS_PER_STEP = 4096;
const BYTES_PER_STEP = 1024 * 1024;
/** By how much a record may grow with another offset delta: four bytes of the delta, one of its length. */
const MAX_GROWTH_BYTES = 5;

/** Looks at every record of `block`, which `walkRecords` has found well formed; at no more once the list of errors is full. */
export function* inspectRecords(
  batch: BatchView,
  block: Buffer,
  rules: InspectionRules,
  nowMs: number,
): RecordSteps<Inspection> {
  const base = batch.buffer.readBigInt64BE(batch.start + 27);
  const batchMax = batch.buffer.readBigInt64BE(batch.start + 35);
  const cursor = new RecordCursor().over(block, 0, block.length);
  const recordErrors: RecordError[] = [];
  let max = -1n;
  let invalidTimestamp = false;
  let sequentialOffsets = true;
  for (let index = 0; recordErrors.length < MAX_RECORD_ERRORS && cursor.next(); index++) {
    if (index % RECORDS_PER_STEP === RECORDS_PER_STEP - 1) yield;
    const delta = cursor.wideTimestampDelta ?? BigInt(cursor.timestampDelta);
    const timestamp = batch.isLogAppendTime ? batchMax : BigInt.asIntN(64, base + delta);
    if (timestamp > max) max = timestamp;
    if (cursor.offsetDelta !== index) sequentialOffsets = false;
    let message = keyProblem(cursor, rules);
    if (message === null) {
      message = timestampProblem(timestamp, batch.isLogAppendTime, rules, nowMs);
      if (message !== null) invalidTimestamp = true;
    }
    if (message !== null) recordErrors.push({ batchIndex: index, message });
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

/** A copy of `count` well-formed records whose offset deltas are 0, 1, 2, …; all else is kept byte for byte. */
export function* resequence(block: Buffer, count: number): RecordSteps<Buffer> {
  const cursor = new RecordCursor().over(block, 0, block.length);
  const out = Buffer.allocUnsafe(block.length + MAX_GROWTH_BYTES * count);
  let position = 0;
  let stepStart = 0;
  for (let index = 0; cursor.next(); index++) {
    const start = bodyStart(cursor);
    const headBytes = cursor.offsetDeltaStart - start;
    const tailBytes = cursor.recordEnd - cursor.offsetDeltaEnd;
    position = writeVarint(out, position, headBytes + varintSize(index) + tailBytes);
    position += block.copy(out, position, start, cursor.offsetDeltaStart);
    position = writeVarint(out, position, index);
    position += block.copy(out, position, cursor.offsetDeltaEnd, cursor.recordEnd);
    if (index % RECORDS_PER_STEP === RECORDS_PER_STEP - 1 || position - stepStart > BYTES_PER_STEP) {
      stepStart = position;
      yield;
    }
  }
  assert(!cursor.corrupt, 'only records that were found well formed are renumbered');
  return out.subarray(0, position);
}

/** First byte after the record's length. */
function bodyStart(cursor: RecordCursor): number {
  let position = cursor.recordStart;
  while ((cursor.buffer[position] as number) > 0x7f) position++;
  return position + 1;
}
