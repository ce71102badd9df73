import { readVarint, varintEnd } from '../base/varint.ts';
import type { Compute, RecordWalk } from '../io/compute.ts';
import type { RecordSteps } from './turns.ts';

/** Most bytes that are walked in one turn: about 2 ms of the smallest records. */
export const MAX_WALK_BYTES = 1024 * 1024;

/** As `Compute.walkRecords` of `[start, end)`, in steps; `offsetDeltaOfMaxTimestamp` is not told. The result is the caller's. */
export function* walkLargeBlock(
  compute: Compute,
  block: Buffer,
  range: { readonly start: number; readonly end: number },
  expectedCount: number,
): RecordSteps<RecordWalk> {
  const whole = emptyWalk();
  for (let at = range.start; at < range.end; ) {
    const part = partFrom(block, at, range.end);
    if (part === null || whole.count + part.count > expectedCount) return { ...whole, status: 'corrupt' };
    const walk = compute.walkRecords(block, at, part.end, part.count, whole.count);
    if (walk.status === 'corrupt') return { ...whole, status: 'corrupt' };
    add(whole, walk);
    at = part.end;
    yield;
  }
  if (whole.count !== expectedCount) whole.status = 'corrupt';
  return whole;
}

/** Whole records from `start` on, by their lengths alone; null where one cannot be whole. */
function partFrom(block: Buffer, start: number, end: number): { end: number; count: number } | null {
  let at = start;
  let count = 0;
  while (at < end && at - start < MAX_WALK_BYTES) {
    const length = readVarint(block, at, end);
    if (!(length > 0) || length > end - varintEnd()) return null;
    at = varintEnd() + length;
    count++;
  }
  return { end: at, count };
}

function emptyWalk(): RecordWalk {
  return {
    status: 'ok',
    count: 0,
    maxTimestampDelta: 0,
    offsetDeltaOfMaxTimestamp: -1,
    minTimestampDelta: 0,
    sequentialOffsets: true,
    hasNullKey: false,
    firstNullKeyIndex: -1,
  };
}

function add(whole: RecordWalk, part: RecordWalk): void {
  const isFirst = whole.count === 0;
  if (part.status === 'overflow') whole.status = 'overflow';
  if (isFirst || part.maxTimestampDelta > whole.maxTimestampDelta)
    whole.maxTimestampDelta = part.maxTimestampDelta;
  if (isFirst || part.minTimestampDelta < whole.minTimestampDelta)
    whole.minTimestampDelta = part.minTimestampDelta;
  if (!part.sequentialOffsets) whole.sequentialOffsets = false;
  if (part.hasNullKey && !whole.hasNullKey) {
    whole.hasNullKey = true;
    whole.firstNullKeyIndex = whole.count + part.firstNullKeyIndex;
  }
  whole.count += part.count;
}
