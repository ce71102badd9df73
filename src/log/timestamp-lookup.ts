import { ErrorCode } from '../base/errors.ts';
import { ColdRead, DiskError } from '../io/disk.ts';
import { BatchView, CURRENT_MAGIC } from '../records/batch.ts';
import type { LogEnvironment } from './log-environment.ts';
import { compareHalves } from '../records/int64.ts';
import { openBlock, type RecordBlock } from '../records/reader.ts';
import { RecordCursor } from '../records/record-cursor.ts';
import type { ReadableLog } from './log-reader.ts';
import type { TimestampAndOffset } from './log-read.ts';
import type { Segment } from './segment.ts';

/** So many pieces of one search are brought into memory by a thread. */
const MAX_COLD_READS = 64;

/** Called once with what was found, or null and why. */
export type LookupCallback = (errorCode: ErrorCode, found: TimestampAndOffset | null) => void;

/** One lookup. It goes on by offsets, so that the log may change while a batch is being decompressed. */
interface Lookup {
  readonly log: () => ReadableLog | null;
  readonly environment: LogEnvironment;
  readonly timestampMs: number;
  readonly done: LookupCallback;
}

/** Finds the first record at or above `timestampMs`. `log` gives null once the log cannot be read. */
export function lookUpTimestamp(
  log: () => ReadableLog | null,
  environment: LogEnvironment,
  timestampMs: number,
  done: LookupCallback,
): void {
  return searchFrom({ log, environment, timestampMs, done }, 0);
}

/** Finds the first record with the largest timestamp. */
export function lookUpMaxTimestamp(
  log: () => ReadableLog | null,
  environment: LogEnvironment,
  done: LookupCallback,
  coldReads = 0,
): void {
  const { disk } = environment;
  const readable = log();
  if (readable === null) return done(ErrorCode.KAFKA_STORAGE_ERROR, null);
  let best: Segment | null;
  try {
    best =
      coldReads < MAX_COLD_READS
        ? disk.withoutWaiting(() => latestSegment(readable))
        : latestSegment(readable);
  } catch (error) {
    if (error instanceof ColdRead)
      return error.warm(() => lookUpMaxTimestamp(log, environment, done, coldReads + 1));
    if (!(error instanceof DiskError)) throw error;
    return done(ErrorCode.KAFKA_STORAGE_ERROR, null);
  }
  if (best === null || best.maxTimestampHigh < 0) return done(ErrorCode.NONE, null);
  return searchFrom({ log, environment, timestampMs: best.maxTimestampMs, done }, best.baseOffset);
}

/** The first segment with the largest timestamp, null without records. @throws DiskError, ColdRead */
function latestSegment(log: ReadableLog): Segment | null {
  let best: Segment | null = null;
  for (const segment of log.segments.all()) {
    segment.checkTimes(log.scanner);
    if (segment.sizeBytes > 0 && (best === null || isLater(segment, best))) best = segment;
  }
  return best;
}

function isLater(segment: Segment, other: Segment): boolean {
  const { maxTimestampHigh, maxTimestampLow } = segment;
  return compareHalves(maxTimestampHigh, maxTimestampLow, other.maxTimestampHigh, other.maxTimestampLow) > 0;
}

/** What a search of the files has come to: the answer, or a batch to be opened. */
type Step =
  | { readonly errorCode: ErrorCode; readonly found: TimestampAndOffset | null }
  | { readonly batch: Buffer; readonly from: number };

/** Goes on at the first batch that ends at or above `offset`. What is not in memory is brought there by a thread, piece by piece; after some pieces the search waits for the rest. */
function searchFrom(lookup: Lookup, offset: number, coldReads = 0): void {
  const { disk } = lookup.environment;
  let step: Step;
  try {
    step =
      coldReads < MAX_COLD_READS ? disk.withoutWaiting(() => search(lookup, offset)) : search(lookup, offset);
  } catch (error) {
    if (error instanceof ColdRead) return error.warm(() => searchFrom(lookup, offset, coldReads + 1));
    if (!(error instanceof DiskError)) throw error;
    return lookup.done(ErrorCode.KAFKA_STORAGE_ERROR, null);
  }
  if ('batch' in step) return openBatch(lookup, step.batch, step.from);
  return lookup.done(step.errorCode, step.found);
}

/** @throws DiskError, ColdRead */
function search(lookup: Lookup, offset: number): Step {
  const log = lookup.log();
  if (log === null) return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, found: null };
  const from = Math.max(offset, log.logStartOffset);
  const { segments, scanner } = log;
  for (let i = Math.max(segments.floor(from), 0); i < segments.count; i++) {
    const segment = segments.at(i) as Segment;
    segment.checkTimes(scanner);
    if (segment.isSuspect) log.indexSuspect(segment);
    if (segment.maxTimestampMs < lookup.timestampMs || !findBatch(log, segment, from, lookup.timestampMs))
      continue;
    const whole = scanner.readWhole();
    if (whole === null) return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, found: null };
    if (scanner.magic !== CURRENT_MAGIC) {
      const { baseOffset } = scanner;
      const found = { offset: baseOffset, timestampMs: lookup.timestampMs, leaderEpoch: -1 };
      return { errorCode: ErrorCode.NONE, found };
    }
    // The shared chunk may be overwritten before a large block is decompressed.
    const batch = Buffer.from(whole.buffer.subarray(whole.start, whole.start + scanner.sizeBytes));
    return { batch, from };
  }
  return { errorCode: ErrorCode.NONE, found: null };
}

/** Moves the scanner to the first batch of the segment that ends at or above `from` and reaches the timestamp. @throws DiskError */
function findBatch(log: ReadableLog, segment: Segment, from: number, timestampMs: number): boolean {
  const { scanner } = log;
  let below = segment.timeIndex.lastBelow(timestampMs);
  if (below >= 0 && !segment.isTimeEntryRight(scanner, below)) below = -1;
  const first = below < 0 ? segment.baseOffset : segment.timeIndex.offsetAt(below) + 1;
  if (!segment.find(scanner, Math.max(first, from))) return false;
  do {
    if (scanner.maxTimestampHigh * 0x1_0000_0000 + scanner.maxTimestampLow >= timestampMs) return true;
  } while (scanner.next());
  return false;
}

function openBatch(lookup: Lookup, batch: Buffer, from: number): void {
  openBlock(batch, 0, lookup.environment.compute, (_error, block) => {
    if (block === null) return lookup.done(ErrorCode.CORRUPT_MESSAGE, null);
    const view = new BatchView().at(batch, 0);
    const found = findRecord(view, block, from, lookup.timestampMs);
    if (found !== null) return lookup.done(ErrorCode.NONE, found);
    return searchFrom(lookup, view.endOffset);
  });
}

function findRecord(
  view: BatchView,
  block: RecordBlock,
  from: number,
  timestampMs: number,
): TimestampAndOffset | null {
  const { baseOffset, baseTimestamp, maxTimestamp, isLogAppendTime, partitionLeaderEpoch } = view;
  const cursor = new RecordCursor().over(block.buffer, block.start, block.end);
  while (cursor.next()) {
    const timestamp = isLogAppendTime ? maxTimestamp : baseTimestamp + cursor.timestampDelta;
    const offset = baseOffset + cursor.offsetDelta;
    if (timestamp >= timestampMs && offset >= from) {
      return { offset, timestampMs: timestamp, leaderEpoch: partitionLeaderEpoch };
    }
  }
  return null;
}
