import { assert } from '../base/assert.ts';
import type { FileRange } from '../io/disk.ts';
import type { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import type { AbortedTransaction } from './transaction-index.ts';

/**
 * The aborted transactions that reach into a range that was just read at `fetchOffset` (formats §11): with them a READ_COMMITTED reader knows which of the batches to leave out. There may be
 * some that only begin after the range: its end is known as well as the offset index tells.
 * @throws DiskError
 */
export function abortedTransactionsIn(
  segments: SegmentList,
  fetchOffset: number,
  range: FileRange,
  upperBoundOffset: number,
): AbortedTransaction[] {
  const found: AbortedTransaction[] = [];
  let first = Math.max(segments.floor(fetchOffset), 0);
  if (!hasAborted(segments, first)) return found;
  while (first < segments.count && segments.at(first)?.file.path !== range.path) first++;
  assert(first < segments.count, 'what was just read lies in a segment');
  const endOffset = Math.min(upperBoundOffset, endOffsetOf(segments, first, range));
  for (let i = first; i < segments.count; i++) {
    if ((segments.at(i) as Segment).txnIndex.collect(fetchOffset, endOffset, found)) break;
  }
  return found;
}

function hasAborted(segments: SegmentList, first: number): boolean {
  for (let i = first; i < segments.count; i++) {
    if ((segments.at(i) as Segment).txnIndex.count > 0) return true;
  }
  return false;
}

/** An offset that no record of the range reaches, the least that is known without reading them. @throws DiskError */
function endOffsetOf(segments: SegmentList, i: number, range: FileRange): number {
  const segment = segments.at(i) as Segment;
  const beyond = segment.offsetIndex.offsetBeyondPosition(range.position + range.lengthBytes);
  return beyond >= 0 ? beyond : (segments.at(i + 1)?.baseOffset ?? Number.POSITIVE_INFINITY);
}
