import { ErrorCode } from '../base/errors.ts';
import type { Compute } from '../io/compute.ts';
import { DiskError } from '../io/disk.ts';
import { BatchView, CURRENT_MAGIC } from '../records/batch.ts';
import { compareHalves } from '../records/int64.ts';
import { openBlock, type RecordBlock } from '../records/reader.ts';
import { RecordCursor } from '../records/record-cursor.ts';
import type { ReadableLog } from './log-reader.ts';
import type { TimestampAndOffset } from './log-read.ts';
import type { Segment } from './segment.ts';

/** Called once with what was found, or null and why. */
export type LookupCallback = (errorCode: ErrorCode, found: TimestampAndOffset | null) => void;

/** One lookup. It goes on by offsets, so that the log may change while a batch is being decompressed. */
interface Lookup {
  readonly log: () => ReadableLog | null;
  readonly compute: Compute;
  readonly timestampMs: number;
  readonly done: LookupCallback;
}

/** Finds the first record at or above `timestampMs`. `log` gives null once the log cannot be read. */
export function lookUpTimestamp(
  log: () => ReadableLog | null,
  compute: Compute,
  timestampMs: number,
  done: LookupCallback,
): void {
  return guarded(done, () => searchFrom({ log, compute, timestampMs, done }, 0));
}

/** Finds the first record with the largest timestamp. */
export function lookUpMaxTimestamp(
  log: () => ReadableLog | null,
  compute: Compute,
  done: LookupCallback,
): void {
  return guarded(done, () => {
    const readable = log();
    if (readable === null) return done(ErrorCode.KAFKA_STORAGE_ERROR, null);
    let best: Segment | null = null;
    for (const segment of readable.segments.all()) {
      if (segment.sizeBytes > 0 && (best === null || isLater(segment, best))) best = segment;
    }
    if (best === null || best.maxTimestampHigh < 0) return done(ErrorCode.NONE, null);
    return searchFrom({ log, compute, timestampMs: best.maxTimestampMs, done }, best.baseOffset);
  });
}

function isLater(segment: Segment, other: Segment): boolean {
  const { maxTimestampHigh, maxTimestampLow } = segment;
  return compareHalves(maxTimestampHigh, maxTimestampLow, other.maxTimestampHigh, other.maxTimestampLow) > 0;
}

function guarded(done: LookupCallback, look: () => void): void {
  try {
    look();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    done(ErrorCode.KAFKA_STORAGE_ERROR, null);
  }
}

/** Goes on at the first batch that ends at or above `offset`. @throws DiskError */
function searchFrom(lookup: Lookup, offset: number): void {
  const log = lookup.log();
  if (log === null) return lookup.done(ErrorCode.KAFKA_STORAGE_ERROR, null);
  const from = Math.max(offset, log.logStartOffset);
  const { segments, scanner } = log;
  for (let i = Math.max(segments.floor(from), 0); i < segments.count; i++) {
    const segment = segments.at(i) as Segment;
    if (segment.maxTimestampMs < lookup.timestampMs || !findBatch(log, segment, from, lookup.timestampMs))
      continue;
    const whole = scanner.readWhole();
    if (whole === null) return lookup.done(ErrorCode.KAFKA_STORAGE_ERROR, null);
    if (scanner.magic !== CURRENT_MAGIC) {
      return lookup.done(ErrorCode.NONE, {
        offset: scanner.baseOffset,
        timestampMs: lookup.timestampMs,
        leaderEpoch: -1,
      });
    }
    // The shared chunk may be overwritten before a large block is decompressed.
    const batch = Buffer.from(whole.buffer.subarray(whole.start, whole.start + scanner.sizeBytes));
    return openBatch(lookup, batch, from);
  }
  return lookup.done(ErrorCode.NONE, null);
}

/** Moves the scanner to the first batch of the segment that ends at or above `from` and reaches the timestamp. @throws DiskError */
function findBatch(log: ReadableLog, segment: Segment, from: number, timestampMs: number): boolean {
  const { scanner } = log;
  const below = segment.timeIndex.lastBelow(timestampMs);
  const first = below < 0 ? segment.baseOffset : segment.timeIndex.offsetAt(below) + 1;
  if (!segment.find(scanner, Math.max(first, from))) return false;
  do {
    if (scanner.maxTimestampHigh * 0x1_0000_0000 + scanner.maxTimestampLow >= timestampMs) return true;
  } while (scanner.next());
  return false;
}

function openBatch(lookup: Lookup, batch: Buffer, from: number): void {
  openBlock(batch, 0, lookup.compute, (_error, block) => {
    if (block === null) return lookup.done(ErrorCode.CORRUPT_MESSAGE, null);
    const view = new BatchView().at(batch, 0);
    const found = findRecord(view, block, from, lookup.timestampMs);
    if (found !== null) return lookup.done(ErrorCode.NONE, found);
    return guarded(lookup.done, () => searchFrom(lookup, view.endOffset));
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
