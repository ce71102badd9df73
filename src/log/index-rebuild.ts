import { compareHalves } from '../records/int64.ts';
import { newScanner } from './log-resources.ts';
import type { Segment } from './segment.ts';
import { awaitDisk, type Steps } from './steps.ts';

/** A batch that gets an entry in the offset index, with what the time index says there. */
interface IndexPoint {
  readonly lastOffset: number;
  readonly position: number;
  readonly maxTimestampHigh: number;
  readonly maxTimestampLow: number;
  readonly offsetOfMaxTimestamp: number;
}

/**
 * Puts entries made from the batches themselves in the place of indexes that were found wrong, while the segment is read and written. False if the batches do not follow on to the
 * segment's end: then nothing is changed. @throws DiskError
 */
export function* rebuildIndexes(
  segment: Segment,
  indexIntervalBytes: number,
  isSealed: () => boolean,
): Steps<boolean> {
  const scanner = newScanner();
  const points: IndexPoint[] = [];
  const max = { high: -1, low: 0xffffffff, offset: segment.baseOffset };
  let bytesSinceEntry = 0;
  let position = 0;
  // What is appended meanwhile is gone through as well; between the last look and the end nothing can come.
  while (position < segment.sizeBytes) {
    scanner.over(segment.file, position, segment.sizeBytes);
    while (scanner.next()) {
      const { maxTimestampHigh, maxTimestampLow, lastOffset, sizeBytes } = scanner;
      if (compareHalves(maxTimestampHigh, maxTimestampLow, max.high, max.low) > 0)
        Object.assign(max, { high: maxTimestampHigh, low: maxTimestampLow, offset: lastOffset });
      if (bytesSinceEntry > indexIntervalBytes) {
        points.push({
          lastOffset,
          position: scanner.position,
          maxTimestampHigh: max.high,
          maxTimestampLow: max.low,
          offsetOfMaxTimestamp: max.offset,
        });
        bytesSinceEntry = 0;
      }
      bytesSinceEntry += sizeBytes;
      position = scanner.endPosition;
      yield;
    }
    if (scanner.stopped !== 'end') return false;
  }
  segment.offsetIndex.table.cut(0);
  segment.timeIndex.table.cut(0);
  for (const point of points) {
    segment.offsetIndex.append(point.lastOffset, point.position);
    segment.timeIndex.maybeAppend(point.maxTimestampHigh, point.maxTimestampLow, point.offsetOfMaxTimestamp);
  }
  segment.maxTimestampHigh = max.high;
  segment.maxTimestampLow = max.low;
  segment.offsetOfMaxTimestamp = max.offset;
  segment.indexesRebuilt(bytesSinceEntry);
  if (isSealed()) segment.seal();
  const error = yield* awaitDisk((done) => segment.persistIndexes(isSealed(), done));
  if (error !== null) throw error;
  return true;
}
