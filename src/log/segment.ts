import { assert } from '../base/assert.ts';
import type { Disk, DiskCallback, DiskFile } from '../io/disk.ts';
import { BATCH_HEADER_BYTES } from '../records/batch.ts';
import { compareHalves, numberOfHalves } from '../records/int64.ts';
import type { BatchScanner } from './batch-scanner.ts';
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from './file-names.ts';
import type { IndexOwner } from './entry-table.ts';
import type { IndexMemory } from './index-memory.ts';
import { OffsetIndex } from './offset-index.ts';
import { TimeIndex } from './time-index.ts';
import { type AbortedTransaction, TransactionIndex } from './transaction-index.ts';

/** Bytes that a lookup reads at once: an index entry stands about every 4 KB. */
const LOOKUP_READ_BYTES = 8192;
/** Wrong index entries that a lookup passes over before it does without the index. */
const MAX_BAD_ENTRIES = 16;

/** What a segment keeps of a batch it has taken in. */
export interface BatchFacts {
  readonly lastOffset: number;
  readonly position: number;
  readonly sizeBytes: number;
  readonly maxTimestampHigh: number;
  readonly maxTimestampLow: number;
}

/** How a segment is made: see `createSegment` and the loader. */
export interface SegmentParts {
  readonly baseOffset: number;
  readonly file: DiskFile;
  readonly offsetIndex: OffsetIndex;
  readonly timeIndex: TimeIndex;
  readonly txnIndex: TransactionIndex;
  readonly createdMs: number;
}

/** What a segment does with the file of an index; `EntryTable` has the contract. */
interface IndexFile {
  readonly busy: boolean;
  persist(done: DiskCallback): void;
  flush(done: DiskCallback): void;
  replace(done: DiskCallback): void;
  release(): void;
  remove(): void;
  close(): void;
}

/**
 * One segment: the file with the batches, the two sparse indexes, and the aborted transactions that end in it. `sizeBytes` and the indexes speak of published batches only; the file may be longer while
 * an append is in flight.
 */
export class Segment {
  readonly baseOffset: number;
  readonly file: DiskFile;
  readonly offsetIndex: OffsetIndex;
  readonly timeIndex: TimeIndex;
  readonly txnIndex: TransactionIndex;
  /** Wall clock at its creation, ms. */
  readonly createdMs: number;
  /** Bytes of published batches. */
  sizeBytes = 0;
  /** Taken off `segment.ms`, ms. */
  rollJitterMs = 0;
  /** Largest timestamp, and the last offset of the batch that brought it. */
  maxTimestampHigh = -1;
  maxTimestampLow = 0xffffffff;
  offsetOfMaxTimestamp: number;
  /** Max timestamp of the first batch, for rolling by time; NaN until known. */
  firstTimestamp = Number.NaN;
  #isPreallocated = false;
  /** True once an index was found to name a batch that is not there. */
  isSuspect = false;
  #timesUnchecked = false;
  /** Bytes since the batch that was indexed last. */
  #bytesSinceEntry = 0;
  /** Counts the changes of file and indexes, and how many of them a flush has covered. */
  #fileChanges = 1;
  #fileFlushed = 0;
  #indexChanges = 1;
  #indexFlushed = 0;

  constructor(parts: SegmentParts) {
    this.baseOffset = parts.baseOffset;
    this.file = parts.file;
    this.offsetIndex = parts.offsetIndex;
    this.timeIndex = parts.timeIndex;
    this.txnIndex = parts.txnIndex;
    this.createdMs = parts.createdMs;
    this.offsetOfMaxTimestamp = parts.baseOffset;
  }

  /** Nearest double; -1 when no record has a timestamp. */
  get maxTimestampMs(): number {
    return numberOfHalves(this.maxTimestampHigh, this.maxTimestampLow);
  }

  /** Takes in the batch that follows the last one: counts it and indexes it if it is due. Used alike when it is published and when a log is recovered. */
  add(batch: BatchFacts, indexIntervalBytes: number): void {
    assert(batch.position === this.sizeBytes, 'batches stand back to back');
    this.#fileChanges++;
    this.#indexChanges++;
    if (this.sizeBytes === 0) {
      this.firstTimestamp = numberOfHalves(batch.maxTimestampHigh, batch.maxTimestampLow);
    }
    this.#takeTimestamp(batch);
    if (this.#bytesSinceEntry > indexIntervalBytes) {
      this.offsetIndex.append(batch.lastOffset, batch.position);
      this.timeIndex.maybeAppend(this.maxTimestampHigh, this.maxTimestampLow, this.offsetOfMaxTimestamp);
      this.#bytesSinceEntry = 0;
    }
    this.sizeBytes += batch.sizeBytes;
    this.#bytesSinceEntry += batch.sizeBytes;
  }

  /** Notes a transaction whose abort marker lies in this segment. */
  addAborted(aborted: AbortedTransaction): void {
    this.#indexChanges++;
    this.txnIndex.append(aborted);
  }

  #takeTimestamp(batch: BatchFacts): void {
    const { maxTimestampHigh: high, maxTimestampLow: low } = batch;
    if (compareHalves(high, low, this.maxTimestampHigh, this.maxTimestampLow) <= 0) return;
    this.maxTimestampHigh = high;
    this.maxTimestampLow = low;
    this.offsetOfMaxTimestamp = batch.lastOffset;
  }

  /** Brings a segment with right indexes up to date: size, timestamps and the state of the index interval. @throws DiskError */
  restore(sizeBytes: number): void {
    this.sizeBytes = sizeBytes;
    this.#timesUnchecked = true;
    const lastTime = this.timeIndex.count - 1;
    if (lastTime >= 0) {
      this.maxTimestampHigh = this.timeIndex.highAt(lastTime);
      this.maxTimestampLow = this.timeIndex.lowAt(lastTime);
      this.offsetOfMaxTimestamp = this.timeIndex.offsetAt(lastTime);
    } else {
      this.maxTimestampHigh = -1;
      this.maxTimestampLow = 0xffffffff;
      this.offsetOfMaxTimestamp = this.baseOffset;
    }
    const last = this.offsetIndex.count - 1;
    this.#bytesSinceEntry = sizeBytes - (last < 0 ? 0 : this.offsetIndex.positionAt(last));
  }

  /** Takes the timestamps of the batches after the last index entries, which `restore` cannot know. @throws DiskError */
  rescanTail(scanner: BatchScanner): void {
    const last = this.offsetIndex.count - 1;
    scanner.over(this.file, last < 0 ? 0 : this.offsetIndex.positionAt(last), this.sizeBytes);
    while (scanner.next()) this.#takeTimestamp(scanner);
  }

  /** Adds the final entry of the time index, as Kafka does at roll and close. */
  seal(): void {
    const { count } = this.timeIndex;
    this.timeIndex.maybeAppend(this.maxTimestampHigh, this.maxTimestampLow, this.offsetOfMaxTimestamp);
    if (this.timeIndex.count !== count) this.#indexChanges++;
  }

  /** Makes the file `lengthBytes` long before it is needed. Harmless if it fails. @throws DiskError */
  preallocate(lengthBytes: number): void {
    this.file.preallocate(lengthBytes);
    this.#isPreallocated = true;
  }

  /** Takes back what was preallocated and not used; nothing may be in flight. The next flush makes it durable. @throws DiskError */
  trim(): void {
    if (!this.#isPreallocated) return;
    this.file.truncate(this.file.sizeBytes);
    this.#isPreallocated = false;
    this.#fileChanges++;
  }

  /** True if a batch must go to a new segment for the indexes' sake. */
  isIndexFull(maxBytes: number): boolean {
    return this.offsetIndex.isFull(maxBytes) || this.timeIndex.isFull(maxBytes);
  }

  /** Max timestamp of the first batch, read when it is not known; -1 for an empty segment. @throws DiskError */
  firstBatchTimestamp(scanner: BatchScanner): number {
    if (this.sizeBytes === 0) return -1;
    if (Number.isNaN(this.firstTimestamp)) {
      scanner.over(this.file, 0, this.sizeBytes, LOOKUP_READ_BYTES);
      this.firstTimestamp = scanner.next()
        ? numberOfHalves(scanner.maxTimestampHigh, scanner.maxTimestampLow)
        : -1;
    }
    return this.firstTimestamp;
  }

  /**
   * Moves `scanner` to the first batch that ends at or above `offset`; false if the segment has none. Costs an index lookup and usually one read.
   * @throws DiskError
   */
  find(scanner: BatchScanner, offset: number): boolean {
    if (this.#isAtNextEntry(scanner, offset)) return true;
    let found = this.#startBefore(scanner, offset);
    while (found && scanner.lastOffset < offset) found = scanner.next();
    return found;
  }

  /**
   * Where batches are large, the one that holds `offset` is often that of the next entry (what a reader has been given ends at an entry), and reading the one before it would be for
   * nothing. True if it is; the batch itself tells, whatever the index is worth.
   */
  #isAtNextEntry(scanner: BatchScanner, offset: number): boolean {
    const { offsetIndex } = this;
    const next = offsetIndex.floorOfOffset(offset) + 1;
    if (next >= offsetIndex.count || (next > 0 && offsetIndex.offsetAt(next - 1) === offset)) return false;
    const before = next === 0 ? 0 : offsetIndex.positionAt(next - 1);
    const position = offsetIndex.positionAt(next);
    if (position - before <= LOOKUP_READ_BYTES - BATCH_HEADER_BYTES || position >= this.sizeBytes)
      return false;
    scanner.over(this.file, position, this.sizeBytes, LOOKUP_READ_BYTES);
    return (
      scanner.next() &&
      scanner.baseOffset <= offset &&
      scanner.lastOffset >= offset &&
      scanner.lastOffset <= offsetIndex.offsetAt(next)
    );
  }

  /**
   * Moves `scanner` to a batch at or before the one that holds `offset`: by the index, whose entry must name a batch that ends at its offset, or below it (older versions of Kafka name the
   * last of several that were written together). One that does not is passed over, so that what the index says wrongly costs time but nothing else.
   */
  #startBefore(scanner: BatchScanner, offset: number): boolean {
    let i = this.offsetIndex.floorOfOffset(offset);
    for (let tries = 0; i >= 0 && tries < MAX_BAD_ENTRIES; i--, tries++) {
      const position = this.offsetIndex.positionAt(i);
      const lastOffset = this.offsetIndex.offsetAt(i);
      if (lastOffset <= offset && position > 0 && position < this.sizeBytes) {
        scanner.over(this.file, position, this.sizeBytes, LOOKUP_READ_BYTES);
        if (scanner.next() && scanner.baseOffset >= this.baseOffset && scanner.lastOffset <= lastOffset)
          return true;
      }
      this.isSuspect = true;
    }
    scanner.over(this.file, 0, this.sizeBytes, LOOKUP_READ_BYTES);
    return scanner.next();
  }

  /**
   * True if entry `i` of the time index names a batch that is there; else the segment is suspect. The scanner is moved. @throws DiskError
   */
  isTimeEntryRight(scanner: BatchScanner, i: number): boolean {
    const offset = this.timeIndex.offsetAt(i);
    const isRight =
      this.find(scanner, offset) &&
      scanner.baseOffset <= offset &&
      this.timeIndex.compareAt(i, scanner.maxTimestampHigh, scanner.maxTimestampLow) === 0;
    if (!isRight) this.isSuspect = true;
    return isRight;
  }

  /** Finds out whether the largest timestamp, which was taken from the time index, is that of a batch, and looks for it if not. Once. @throws DiskError */
  checkTimes(scanner: BatchScanner): void {
    if (!this.#timesUnchecked) return;
    this.#findMaxTimestamp(scanner);
    // Only now: a read of cold data is begun anew once it has been brought into memory.
    this.#timesUnchecked = false;
  }

  #findMaxTimestamp(scanner: BatchScanner): void {
    const last = this.timeIndex.count - 1;
    if (last < 0) return;
    if (this.isTimeEntryRight(scanner, last)) {
      // What follows must not reach higher, or the last entries are missing. It is little: the entry names the batch with the largest timestamp.
      const { offsetOfMaxTimestamp } = this;
      while (scanner.next()) this.#takeTimestamp(scanner);
      if (this.offsetOfMaxTimestamp !== offsetOfMaxTimestamp) this.isSuspect = true;
      return;
    }
    this.maxTimestampHigh = -1;
    this.maxTimestampLow = 0xffffffff;
    this.offsetOfMaxTimestamp = this.baseOffset;
    scanner.over(this.file, 0, this.sizeBytes);
    while (scanner.next()) this.#takeTimestamp(scanner);
  }

  /** The indexes are those of the batches now. */
  indexesRebuilt(bytesSinceEntry: number): void {
    this.isSuspect = false;
    this.#timesUnchecked = false;
    this.#bytesSinceEntry = bytesSinceEntry;
    this.#indexChanges++;
  }

  /** Brings the last entries of the indexes into memory: the segment is to grow. @throws DiskError */
  prepareToGrow(): void {
    this.offsetIndex.table.holdLast();
    this.timeIndex.table.holdLast();
    this.txnIndex.holdLast();
  }

  /** The segment is a log's: from now on the memory of its indexes is counted and bounded. */
  attachIndexes(memory: IndexMemory, owner: IndexOwner): void {
    this.offsetIndex.table.attach(memory, owner);
    this.timeIndex.table.attach(memory, owner);
    this.txnIndex.attach(memory, owner);
  }

  /** The segment is no longer part of its log: nothing of its indexes is written unasked. */
  detachIndexes(): void {
    this.offsetIndex.table.detach();
    this.timeIndex.table.detach();
    this.txnIndex.detach();
  }

  /** The directory with its files has another name. */
  moved(directory: string): void {
    this.offsetIndex.table.moveTo(directory);
    this.timeIndex.table.moveTo(directory);
    this.txnIndex.moveTo(directory);
  }

  /** Cuts the segment before the batch at `position`, whose offsets begin at `offset` or above; revokes leases into it. @throws DiskError */
  truncate(position: number, offset: number, scanner: BatchScanner): void {
    this.offsetIndex.truncateTo(offset);
    this.timeIndex.truncateTo(offset);
    this.txnIndex.truncateTo(offset);
    this.file.truncate(position);
    this.restore(position);
    this.rescanTail(scanner);
    this.#fileChanges++;
    this.#indexChanges++;
    if (position === 0) this.firstTimestamp = Number.NaN;
  }

  /** Has the indexes written to their files, and their memory given back once the segment is sealed. */
  persistIndexes(sealed: boolean, done: DiskCallback): void {
    this.#each((index, one) => index.persist(one), sealed, done);
  }

  /** Puts rebuilt indexes of a sealed segment into their files, durably, and gives their memory back. */
  replaceIndexes(done: DiskCallback): void {
    const changes = this.#indexChanges;
    this.#each(
      (index, one) => index.replace(one),
      true,
      (error) => {
        if (error === null) this.#indexFlushed = changes;
        done(error);
      },
    );
  }

  /** True if a flush has something to do; of the active segment only the file counts. */
  needsFlush(sealed: boolean): boolean {
    return this.#fileFlushed < this.#fileChanges || (sealed && this.#indexFlushed < this.#indexChanges);
  }

  /** The file was cut by others, which is not durable yet. */
  markChanged(): void {
    this.#fileChanges++;
  }

  /** The files were found durable when the log was loaded, or are empty and may be lost as well as kept. */
  markFlushed(): void {
    this.#fileFlushed = this.#fileChanges;
    this.#indexFlushed = this.#indexChanges;
  }

  /** Makes file and (of a sealed segment) indexes durable. Indexes of the active segment are written only, and may fail: recovery does without them. */
  flush(sealed: boolean, done: DiskCallback): void {
    const changes = this.#fileChanges;
    const flushIndexes = (): void => {
      if (sealed) this.#flushIndexes(done);
      else this.persistIndexes(false, () => done(null));
    };
    if (this.#fileFlushed === changes) return flushIndexes();
    return this.file.flush((error) => {
      if (error !== null) return done(error);
      this.#fileFlushed = Math.max(this.#fileFlushed, changes);
      return flushIndexes();
    });
  }

  #flushIndexes(done: DiskCallback): void {
    const changes = this.#indexChanges;
    if (this.#indexFlushed === changes) return done(null);
    return this.#each(
      (index, one) => index.flush(one),
      true,
      (error) => {
        if (error === null) this.#indexFlushed = Math.max(this.#indexFlushed, changes);
        done(error);
      },
    );
  }

  #each(act: (index: IndexFile, done: DiskCallback) => void, release: boolean, done: DiskCallback): void {
    const indexes = this.#indexes();
    let waiting = indexes.length;
    let failed: Parameters<DiskCallback>[0] = null;
    const one: DiskCallback = (error) => {
      failed ??= error;
      if (--waiting > 0) return;
      if (release && failed === null) for (const index of indexes) index.release();
      done(failed);
    };
    for (const index of indexes) act(index, one);
  }

  /** Those that have to do with a file. */
  #indexes(): IndexFile[] {
    const { offsetIndex, timeIndex, txnIndex } = this;
    return txnIndex.hasFile
      ? [offsetIndex.table, timeIndex.table, txnIndex]
      : [offsetIndex.table, timeIndex.table];
  }

  /** True while an index is being written. */
  get busy(): boolean {
    return this.#indexes().some((index) => index.busy);
  }

  /** Ends the segment: revokes all leases into it and unlinks its files; nothing may be in flight. @throws DiskError */
  discard(): void {
    this.file.truncate(0);
    this.file.unlink();
    for (const index of this.#indexes()) index.remove();
  }

  /** Closes the files; nothing may be in flight. */
  close(): void {
    this.file.close();
    this.closeIndexes();
  }

  /** Closes the files of the indexes; nothing may be in flight. */
  closeIndexes(): void {
    for (const index of this.#indexes()) index.close();
  }
}

/**
 * Makes an empty segment with its three files (the fourth comes with the first aborted transaction), in place of what was there. The log file comes last: without it the others count for nothing, so that a failure leaves no
 * segment behind. @throws DiskError
 */
export function createSegment(disk: Disk, directory: string, baseOffset: number, nowMs: number): Segment {
  const pathOf = (suffix: string): string => `${directory}/${offsetFileName(baseOffset, suffix)}`;
  const offsetIndex = OffsetIndex.create(disk, pathOf(OFFSET_INDEX_SUFFIX), baseOffset);
  let timeIndex: TimeIndex | null = null;
  try {
    timeIndex = TimeIndex.create(disk, pathOf(TIME_INDEX_SUFFIX), baseOffset);
    const txnIndex = TransactionIndex.none(disk, pathOf(TXN_INDEX_SUFFIX));
    if (disk.exists(txnIndex.path)) disk.remove(txnIndex.path);
    const file = disk.open(pathOf(LOG_SUFFIX), 'open-or-create');
    const segment = new Segment({ baseOffset, file, offsetIndex, timeIndex, txnIndex, createdMs: nowMs });
    if (file.sizeBytes > 0) file.truncate(0);
    else segment.markFlushed();
    return segment;
  } catch (error) {
    offsetIndex.table.close();
    timeIndex?.table.close();
    throw error;
  }
}
