import { ErrorCode } from '../base/errors.ts';
import { ColdRead, DiskError } from '../io/disk.ts';
import type { BatchScanner } from './batch-scanner.ts';
import type { LogRead, ReadOptions } from './log-read.ts';
import type { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import type { TailPositions } from './tail-positions.ts';

/** What reading needs of a log. */
export interface ReadableLog {
  readonly segments: SegmentList;
  readonly tail: TailPositions;
  readonly scanner: BatchScanner;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  /** An index of the segment is wrong: it is rebuilt beside the reads, which do without what it says. */
  indexSuspect(segment: Segment): void;
  /** The segment, which is not the last one, ends at or below `offset`. */
  recordsMissing(segment: Segment, offset: number): void;
}

const EMPTY: LogRead = { errorCode: ErrorCode.NONE, range: null, lengthBytes: 0, cold: null };
const OUT_OF_RANGE: LogRead = { ...EMPTY, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE };
/** The answer of a log that cannot be read. */
export const STORAGE_ERROR: LogRead = { ...EMPTY, errorCode: ErrorCode.KAFKA_STORAGE_ERROR };

/** Where a batch lies. One object, overwritten by the next search. */
const place = { position: 0, sizeBytes: 0, baseOffset: 0 };

/** See `PartitionLog.read`. Touches the disk only when the batches asked for are not among the last few. @throws DiskError */
export function readLog(log: ReadableLog, fetchOffset: number, options: ReadOptions): LogRead {
  const { segments, logEndOffset } = log;
  if (fetchOffset < log.logStartOffset || fetchOffset > logEndOffset) return OUT_OF_RANGE;
  const upperBound = Math.min(options.upperBoundOffset, logEndOffset);
  if (fetchOffset >= upperBound) return EMPTY;
  // A batch may have been compacted away at the end of a segment: the next one then has what follows.
  for (let i = Math.max(segments.floor(fetchOffset), 0); i < segments.count; i++) {
    const segment = segments.at(i) as Segment;
    if (segment.baseOffset >= upperBound) return EMPTY;
    if (!findBatch(log, segment, fetchOffset)) {
      if (i < segments.count - 1) log.recordsMissing(segment, fetchOffset);
      continue;
    }
    if (place.baseOffset >= upperBound) return EMPTY;
    const { position, sizeBytes } = place;
    const endPosition = endPositionBelow(log, i, upperBound);
    const lengthBytes = chooseLength(segment, position, sizeBytes, endPosition, options);
    if (lengthBytes <= 0) return EMPTY;
    const range = segment.file.lease(position, lengthBytes);
    return { errorCode: ErrorCode.NONE, range, lengthBytes, cold: null };
  }
  return EMPTY;
}

/** Sets `place` to the first batch of the segment that ends above `offset`; false if it has none. */
function findBatch(log: ReadableLog, segment: Segment, offset: number): boolean {
  const { tail, scanner } = log;
  if (segment === log.segments.active) {
    const age = tail.ageOf(offset);
    if (age > 0) {
      place.position = tail.positionAt(age);
      place.sizeBytes = (age === 1 ? segment.sizeBytes : tail.positionAt(age - 1)) - place.position;
      place.baseOffset = tail.baseOffsetAt(age);
      return true;
    }
  }
  const isFound = segment.find(scanner, offset);
  if (segment.isSuspect) log.indexSuspect(segment);
  if (!isFound) return false;
  place.position = scanner.position;
  place.sizeBytes = scanner.sizeBytes;
  place.baseOffset = scanner.baseOffset;
  return true;
}

/** Position after the last batch of segment `i` that lies wholly below `upperBound`. */
function endPositionBelow(log: ReadableLog, i: number, upperBound: number): number {
  const segment = log.segments.at(i) as Segment;
  const next = log.segments.at(i + 1);
  const isWhole = next === undefined ? upperBound >= log.logEndOffset : next.baseOffset <= upperBound;
  if (isWhole || !findBatch(log, segment, upperBound)) return segment.sizeBytes;
  return place.position;
}

/** How many bytes from `position` to give: whole batches where that is cheap to tell. 0 if not even the first one may be given. */
function chooseLength(
  segment: Segment,
  position: number,
  firstBytes: number,
  endPosition: number,
  options: ReadOptions,
): number {
  const available = endPosition - position;
  const { maxBytes } = options;
  if (available < firstBytes) return 0;
  if (available <= maxBytes) return available;
  if (firstBytes >= maxBytes) return firstBytes === maxBytes || options.minOneBatch ? firstBytes : 0;
  const boundary = segment.offsetIndex.floorOfPosition(position + maxBytes);
  return boundary >= position + firstBytes ? boundary - position : maxBytes;
}

/** Runs a lookup; a disk that fails under it is the answer's matter, not the caller's. */
export function guardRead(read: () => LogRead, failed: (error: DiskError) => void): LogRead {
  try {
    return read();
  } catch (error) {
    if (error instanceof ColdRead) return { ...EMPTY, cold: error };
    if (!(error instanceof DiskError)) throw error;
    failed(error);
    return STORAGE_ERROR;
  }
}
