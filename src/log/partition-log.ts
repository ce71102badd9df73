import { assert } from '../base/assert.ts';
import type { Logger } from '../base/logger.ts';
import type { Uuid } from '../base/uuid.ts';
import { type DiskCallback, DiskError } from '../io/disk.ts';
import type { BatchView } from '../records/batch.ts';
import type { ProduceRules } from '../records/validate.ts';
import { AppendLane } from './append-lane.ts';
import type { AppendCallback, AppendRequest } from './append-request.ts';
import { formatEpochCheckpoint } from './checkpoint-file.ts';
import { LEADER_EPOCH_FILE, PARTITION_METADATA_FILE } from './file-names.ts';
import { Flusher } from './flusher.ts';
import type { LaneEntry } from './lane-entry.ts';
import type { LeaderEpochCache } from './leader-epoch-cache.ts';
import type { LogConfig } from './log-config.ts';
import { cutLog, emptyLog } from './log-cut.ts';
import type { LogDirectory } from './log-directory.ts';
import type { LogPlace } from './log-place.ts';
import type { EpochEnd, LogRead, ReadOptions } from './log-read.ts';
import { guardRead, readLog, STORAGE_ERROR } from './log-reader.ts';
import type { LogResources } from './log-resources.ts';
import { markerOf } from './marker.ts';
import type { ProducerState } from './producer-state.ts';
import { formatPartitionMetadata } from './partition-metadata.ts';
import { produceRules } from './produce-rules.ts';
import { MAX_RELATIVE, mustRoll } from './roll.ts';
import { createSegment, type Segment } from './segment.ts';
import { SegmentGraveyard } from './segment-graveyard.ts';
import type { SegmentList } from './segment-list.ts';
import { SmallFileWriter } from './small-file-writer.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import { TailPositions } from './tail-positions.ts';
import { type LookupCallback, lookUpMaxTimestamp, lookUpTimestamp } from './timestamp-lookup.ts';

/** What the loader found in a partition's directory, or made there. */
export interface LogParts {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: Uuid;
  readonly directory: LogDirectory;
  readonly place: LogPlace;
  readonly config: LogConfig;
  readonly segments: SegmentList;
  readonly epochs: LeaderEpochCache;
  readonly producers: ProducerState<LaneEntry>;
  readonly snapshots: SnapshotStore;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly flushedEndOffset: number;
  readonly highWatermark: number;
  /** True if `partition.metadata` is to be written. */
  readonly writeMetadata: boolean;
  /** True if directory entries of the log, and of its directory, may not be durable yet. */
  readonly entriesDirty: boolean;
}

/**
 * The log of one partition. All of it belongs to the one thread; between two calls it is always consistent. Records become visible to readers when they are published,
 * which is after they are in the file.
 */
export class PartitionLog {
  readonly topic: string;
  readonly partition: number;
  /** `ZERO_UUID` when the directory names none (an old log). */
  readonly topicId: Uuid;
  /** The log directory it lies in. */
  readonly directory: LogDirectory;
  readonly segments: SegmentList;
  readonly tail = new TailPositions();
  readonly #place: LogPlace;
  readonly #resources: LogResources;
  readonly #logger: Logger;
  readonly #lane: AppendLane;
  readonly #flusher: Flusher;
  readonly #epochs: LeaderEpochCache;
  readonly #epochFile: SmallFileWriter;
  readonly #metadataFile: SmallFileWriter;
  readonly #producers: ProducerState<LaneEntry>;
  readonly #snapshots: SnapshotStore;
  readonly #graveyard: SegmentGraveyard;
  #config: LogConfig;
  #rules: ProduceRules;
  #logStartOffset: number;
  #logEndOffset: number;
  #flushedEndOffset: number;
  #highWatermark: number;
  #broken = false;
  #closed = false;
  #directoryDirty: boolean;
  #parentDirty: boolean;
  /** Index and snapshot writes in flight. */
  #background = 0;
  #whenQuiet: (() => void)[] = [];
  readonly #leaveDirectory: () => void;
  #appended: (() => void) | null = null;
  #flushed: (() => void) | null = null;

  /** Made by the loader and the manager only. */
  constructor(resources: LogResources, parts: LogParts) {
    this.topic = parts.topic;
    this.partition = parts.partition;
    this.topicId = parts.topicId;
    this.directory = parts.directory;
    this.segments = parts.segments;
    this.#place = parts.place;
    this.#resources = resources;
    const { disk, logger, compute } = resources.environment;
    this.#logger = logger.child({ topic: parts.topic, partition: parts.partition });
    this.#config = parts.config;
    this.#rules = produceRules(parts.topic, parts.partition, parts.config);
    this.#logStartOffset = parts.logStartOffset;
    this.#logEndOffset = parts.logEndOffset;
    this.#flushedEndOffset = parts.flushedEndOffset;
    this.#highWatermark = parts.highWatermark;
    this.#directoryDirty = parts.entriesDirty;
    this.#parentDirty = parts.entriesDirty;
    this.#epochs = parts.epochs;
    this.#producers = parts.producers;
    this.#snapshots = parts.snapshots;
    this.#graveyard = new SegmentGraveyard(resources.environment, () => this.#config.fileDeleteDelayMs);
    this.#epochFile = new SmallFileWriter(
      disk,
      () => `${this.path}/${LEADER_EPOCH_FILE}`,
      () => formatEpochCheckpoint(this.#epochs.entries),
    );
    this.#epochs.onChange(() => this.#epochFile.save());
    this.#metadataFile = new SmallFileWriter(
      disk,
      () => `${this.path}/${PARTITION_METADATA_FILE}`,
      () => formatPartitionMetadata(this.topicId),
    );
    if (parts.writeMetadata) this.#metadataFile.save();
    this.#lane = new AppendLane(this.#laneHost(), compute, this.#producers, resources.gate);
    this.#flusher = new Flusher(this.#flushHost());
    this.#leaveDirectory = this.directory.onOffline(() => this.#shut());
  }

  /** Absolute path of the partition's directory; follows a rename. */
  get path(): string {
    return this.#place.path;
  }

  get directoryId(): Uuid {
    return this.directory.directoryId;
  }

  get config(): LogConfig {
    return this.#config;
  }

  /** First offset that may be read. */
  get logStartOffset(): number {
    return this.#logStartOffset;
  }

  /** Offset after the last published record (exclusive). */
  get logEndOffset(): number {
    return this.#logEndOffset;
  }

  /** Everything below is on the device. */
  get flushedEndOffset(): number {
    return this.#flushedEndOffset;
  }

  /** The end that counts for the high watermark: the flushed one where `flush.messages` is 1, else `logEndOffset`. */
  get acknowledgedEndOffset(): number {
    return this.#config.flushMessages <= 1 ? this.#flushedEndOffset : this.#logEndOffset;
  }

  /** Epoch of the last entry of the leader epoch checkpoint, -1 when empty. */
  get latestEpoch(): number {
    return this.#epochs.latestEpoch;
  }

  /** High watermark of the last checkpoint before the start; later what the owner sets. Kept here so that the manager can checkpoint it. */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  set highWatermark(offset: number) {
    assert(offset >= 0 && offset <= this.#logEndOffset, 'the high watermark is not above the log end');
    this.#highWatermark = offset;
  }

  /** True after a disk error that cannot be survived, or once the log was deleted or closed: appends and reads answer KAFKA_STORAGE_ERROR. */
  get offline(): boolean {
    return this.#broken || this.#closed || this.directory.offline;
  }

  /** Bytes of all segments. */
  get sizeBytes(): number {
    return this.segments.sizeBytes;
  }

  /** Producers the log remembers; a metric. */
  get producerCount(): number {
    return this.#producers.size;
  }

  /**
   * Appends batches through the lane: admit, write, publish. Outcomes of one log come in the order of the appends, except that a refused one may
   * come early.
   */
  append(request: AppendRequest, done: AppendCallback): void {
    this.#lane.append(request, done);
  }

  /** One range of bytes at `fetchOffset`; see `LogRead`. Leases are the caller's to release. */
  read(fetchOffset: number, options: ReadOptions): LogRead {
    if (this.offline) return STORAGE_ERROR;
    return guardRead(
      () => readLog(this, fetchOffset, options),
      (error) => this.#logger.error('Reading the log failed.', { offset: fetchOffset, error }),
    );
  }

  /** What searches on the log read with; for this room. */
  get scanner(): LogResources['scanner'] {
    return this.#resources.scanner;
  }

  /** The first record with a timestamp >= `timestampMs`, null when there is none. May finish later if a large compressed batch must be opened. */
  offsetForTimestamp(timestampMs: number, done: LookupCallback): void {
    lookUpTimestamp(this.#readable, this.#resources.environment.compute, timestampMs, done);
  }

  /** The first record that has the largest timestamp of the log (ListOffsets -3), null when no record has one. */
  offsetForMaxTimestamp(done: LookupCallback): void {
    lookUpMaxTimestamp(this.#readable, this.#resources.environment.compute, done);
  }

  readonly #readable = (): PartitionLog | null => (this.offline ? null : this);

  /** Largest known epoch <= `epoch` with its end; null when undefined (no epochs, or `epoch` above all known). formats §25. */
  endOffsetForEpoch(epoch: number): EpochEnd | null {
    return this.#epochs.endOffsetFor(epoch, this.#logEndOffset);
  }

  /** Notes that `epoch` begins at `startOffset` (usually the log end, when leadership begins); durable before the next flush is done. */
  assignEpoch(epoch: number, startOffset: number): void {
    this.#epochs.assign(epoch, startOffset);
  }

  /** Epoch of the record at `offset`, -1 when unknown. */
  epochOfOffset(offset: number): number {
    return this.#epochs.epochOf(offset);
  }

  /** Makes everything published before the call durable. Calls made while a flush runs share the next one. */
  flush(done: DiskCallback): void {
    this.#flusher.flush(done);
  }

  /** For `FlushTimer`. */
  flushNow(): void {
    if (!this.offline) this.#flusher.flush(() => {});
  }

  /** `listener` is called after each publish (once per group of appends), before the outcomes are told. One listener; null removes it. */
  onAppended(listener: (() => void) | null): void {
    this.#appended = listener;
  }

  /** `listener` is called when `flushedEndOffset` has grown. One listener; null removes it. */
  onFlushed(listener: (() => void) | null): void {
    this.#flushed = listener;
  }

  /** Calls `done` once no append is queued or in flight and no file of the log is being written: at once, or later. */
  whenIdle(done: () => void): void {
    this.#lane.whenIdle(() => {
      if (this.#isQuiet) return done();
      this.#whenQuiet.push(() => this.whenIdle(done));
      return undefined;
    });
  }

  get #isQuiet(): boolean {
    return this.#background === 0 && !this.#flusher.isRunning;
  }

  /** Takes a new configuration; it counts from the next append. */
  updateConfig(config: LogConfig): void {
    this.#config = config;
    this.#rules = produceRules(this.topic, this.partition, config);
  }

  /** Cuts everything at and above `offset`, revoking leases that reach past it. The log must be idle (see `whenIdle`). @throws DiskError */
  truncateTo(offset: number): void {
    assert(offset >= 0, 'a log is cut at an offset');
    if (offset >= this.#logEndOffset) return;
    if (offset < this.segments.first.baseOffset) {
      this.truncateFullyAndStartAt(offset);
      return;
    }
    this.#cut(offset, () => {
      cutLog(this.#cutting(), offset);
      this.#logStartOffset = Math.min(this.#logStartOffset, offset);
    });
    this.#epochs.truncateFromEnd(offset);
  }

  /** Drops all records; the log is empty and starts at `offset` (follower far behind, or a snapshot was loaded). The log must be idle. @throws DiskError */
  truncateFullyAndStartAt(offset: number): void {
    this.#cut(offset, () => {
      emptyLog(this.#cutting(), offset);
      this.#logStartOffset = offset;
    });
    this.#epochs.clear();
    this.#flushedEndOffset = offset;
  }

  #cut(offset: number, act: () => void): void {
    assert(this.#lane.isIdle && this.#isQuiet, 'a log is cut when nothing is on its way into it');
    this.tail.clear();
    try {
      act();
    } catch (error) {
      // Half cut: what the files hold and what is known of them may differ from here on.
      this.#breakDown(error as Error);
      throw error;
    }
    this.#logEndOffset = offset;
    this.#flushedEndOffset = Math.min(this.#flushedEndOffset, offset);
    this.#highWatermark = Math.min(this.#highWatermark, offset);
    this.#directoryDirty = true;
    this.#lane.reset();
  }

  #cutting() {
    const { disk, clock } = this.#resources.environment;
    return {
      disk,
      path: this.path,
      segments: this.segments,
      producers: this.#producers,
      snapshots: this.#snapshots,
      scanner: this.#resources.scanner,
      nowMs: clock.wallMs(),
    };
  }

  /** Raises the log start; segments wholly below it are deleted. Never above the log end. */
  advanceLogStart(offset: number): void {
    assert(offset <= this.#logEndOffset, 'the log start is not above the log end');
    if (offset <= this.#logStartOffset || this.offline) return;
    this.#logStartOffset = offset;
    this.#epochs.truncateFromStart(offset);
    const held = Math.max(this.segments.floor(offset), 0);
    this.#graveyard.bury(this.segments.removeFirst(held));
    try {
      this.#snapshots.removeBelow(this.segments.first.baseOffset);
    } catch (error) {
      this.#logger.warn('An old producer snapshot could not be removed.', { error });
    }
    this.#buryWhenQuiet();
  }

  #buryWhenQuiet(): void {
    if (!this.#graveyard.isEmpty && this.#isQuiet) this.#graveyard.work();
  }

  /** Forgets producers that wrote nothing for long; called now and then. */
  expireProducers(nowMs: number): void {
    this.#producers.expire(nowMs);
  }

  /** Finishes what is under way, makes everything durable and closes the files. `done` gets the first error; the log is closed in any case. */
  close(done: DiskCallback): void {
    if (this.offline) return this.#closeFiles(null, done);
    return this.whenIdle(() => {
      this.segments.active.seal();
      const finish = (): void => {
        this.#flusher.flush((error) => {
          if (error !== null) return this.#closeFiles(error, done);
          return this.segments.active.flush(true, (indexError) => this.#closeFiles(indexError, done));
        });
      };
      if ((this.#snapshots.offsets.at(-1) ?? 0) >= this.#logEndOffset) return finish();
      return this.#snapshots.write(this.#logEndOffset, this.#producers.entries(), finish);
    });
  }

  #closeFiles(error: DiskError | null, done: DiskCallback): void {
    this.#closed = true;
    this.#leaveDirectory();
    this.#resources.flushTimer.cancel(this);
    this.#epochFile.close();
    this.#metadataFile.close();
    this.#lane.shut();
    this.whenIdle(() => {
      for (const segment of this.segments.all()) segment.close();
      this.#graveyard.close();
      done(error);
    });
  }

  /** The directory has been renamed. */
  moved(path: string): void {
    this.#place.path = path;
  }

  /** The log is being deleted: nothing is written any more, its files are closed once nothing is in flight. */
  abandon(done: () => void): void {
    this.#closeFiles(null, done);
  }

  #shut(): void {
    this.#resources.flushTimer.cancel(this);
    this.#lane.shut();
  }

  /** The log alone goes offline; the rest of its directory may be well. */
  #breakDown(cause: Error): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#logger.error('The log goes offline: its file is not what it should be.', { error: cause });
    this.#shut();
  }

  #laneHost(): ConstructorParameters<typeof AppendLane>[0] {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- getters of the object below need the log
    const log = this;
    return {
      get offline() {
        return log.offline;
      },
      get logStartOffset() {
        return log.#logStartOffset;
      },
      get logEndOffset() {
        return log.#logEndOffset;
      },
      get rules() {
        return log.#rules;
      },
      segmentFor: (entry) => this.#segmentFor(entry),
      hasRoom: (segment, pendingBytes, entry) => this.#hasRoom(segment, pendingBytes, entry),
      publishBatch: (segment, batch) => this.#publishBatch(segment, batch),
      published: () => this.#published(),
      writeFailed: (error) => this.#writeFailed(error),
    };
  }

  /** The segment that `entry` goes to; rolls if it must. @throws DiskError */
  #segmentFor(entry: LaneEntry): Segment {
    const { active } = this.segments;
    const incoming = {
      sizeBytes: entry.sizeBytes,
      lastOffset: entry.endOffset - 1,
      maxTimestampMs: entry.maxTimestampMs,
      nowMs: entry.request.nowMs,
    };
    if (!mustRoll(active, incoming, this.#config, this.#resources.scanner)) return active;
    return this.#roll(entry.baseOffset, entry.request.nowMs);
  }

  #hasRoom(segment: Segment, pendingBytes: number, entry: LaneEntry): boolean {
    const limitBytes = Math.min(this.#config.segmentBytes, MAX_RELATIVE);
    if (segment.sizeBytes + pendingBytes + entry.sizeBytes > limitBytes) return false;
    const incoming = {
      sizeBytes: entry.sizeBytes,
      lastOffset: entry.endOffset - 1,
      maxTimestampMs: entry.maxTimestampMs,
      nowMs: entry.request.nowMs,
    };
    return !mustRoll(segment, incoming, this.#config, this.#resources.scanner);
  }

  /** Begins a new segment at `baseOffset`. Only making its files can fail, and then nothing has changed. @throws DiskError */
  #roll(baseOffset: number, nowMs: number): Segment {
    const { disk, random } = this.#resources.environment;
    const sealed = this.segments.active;
    let segment: Segment;
    try {
      segment = createSegment(disk, this.path, baseOffset, nowMs);
    } catch (error) {
      if (error instanceof DiskError && !isShortage(error)) this.directory.fail(error);
      throw error;
    }
    const jitterMs = Math.min(this.#config.segmentJitterMs, this.#config.segmentMs);
    if (jitterMs > 0) segment.rollJitterMs = random.below(Math.min(jitterMs, 2 ** 32));
    sealed.seal();
    this.segments.push(segment);
    this.tail.clear();
    this.#directoryDirty = true;
    this.#inBackground((done) => sealed.persistIndexes(true, done));
    this.#inBackground((done) => this.#snapshots.write(baseOffset, this.#producers.entries(), done));
    return segment;
  }

  #inBackground(start: (done: DiskCallback) => void): void {
    this.#background++;
    start((error) => {
      this.#background--;
      // Not lost: indexes stay in memory and are written at the next flush, recovery does without a snapshot.
      if (error !== null) this.#logger.warn('A file beside the log could not be written.', { error });
      this.#settle();
    });
  }

  /** Something that was under way in the background has ended. */
  #settle(): void {
    if (!this.#isQuiet) return;
    this.#buryWhenQuiet();
    for (const callback of this.#whenQuiet.splice(0)) callback();
  }

  #publishBatch(segment: Segment, batch: BatchView): void {
    const { baseOffset, endOffset, sizeBytes } = batch;
    assert(baseOffset >= this.#logEndOffset, 'a batch is published at or above the log end');
    const position = segment.sizeBytes;
    segment.add(
      {
        lastOffset: endOffset - 1,
        position,
        sizeBytes,
        maxTimestampHigh: batch.maxTimestampHigh,
        maxTimestampLow: batch.maxTimestampLow,
      },
      this.#config.indexIntervalBytes,
    );
    this.tail.push(baseOffset, endOffset, position);
    if (batch.partitionLeaderEpoch > this.#epochs.latestEpoch) {
      this.#epochs.assign(batch.partitionLeaderEpoch, baseOffset);
    }
    if (batch.hasProducerId) this.#producers.publish(batch, markerOf(batch));
    this.#logEndOffset = endOffset;
  }

  #published(): void {
    this.#appended?.();
    const { flushMessages, flushMs } = this.#config;
    if (this.#logEndOffset - this.#flushedEndOffset >= flushMessages) this.flushNow();
    else if (flushMs < Number.MAX_SAFE_INTEGER) this.#resources.flushTimer.schedule(this, flushMs);
  }

  #writeFailed(error: DiskError): void {
    if (error.code === 'ECUT') this.#breakDown(error);
    else this.#logger.error('Writing to the log failed; nothing of it was kept.', { error });
  }

  #flushHost(): ConstructorParameters<typeof Flusher>[0] {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- getters of the object below need the log
    const log = this;
    return {
      get logEndOffset() {
        return log.#logEndOffset;
      },
      unflushed: () => this.segments.all().filter((segment) => segment.needsFlush(this.#isSealed(segment))),
      isSealed: (segment) => this.#isSealed(segment),
      flushBeside: (done) => this.#flushBeside(done),
      flushed: (endOffset) => this.#flushDone(endOffset),
      settled: () => this.#settle(),
      flushFailed: (error) => this.directory.fail(error),
    };
  }

  /** Directory entries of new segments (and of a new log), and the small files. */
  #flushBeside(done: DiskCallback): void {
    const { disk } = this.#resources.environment;
    const paths: string[] = [];
    if (this.#directoryDirty) paths.push(this.path);
    if (this.#parentDirty) paths.push(this.directory.path);
    this.#directoryDirty = false;
    this.#parentDirty = false;
    let left = paths.length + 2;
    let failed: DiskError | null = null;
    const one: DiskCallback = (error) => {
      failed ??= error;
      if (--left === 0) done(failed);
    };
    for (const path of paths) disk.flushDirectory(path, one);
    this.#epochFile.whenSaved(one);
    this.#metadataFile.whenSaved(one);
  }

  #isSealed(segment: Segment): boolean {
    return segment !== this.segments.active;
  }

  #flushDone(endOffset: number): void {
    if (endOffset > this.#flushedEndOffset) {
      this.#flushedEndOffset = endOffset;
      this.#flushed?.();
    }
  }

  /** Asserts everything that must hold between two events. */
  checkInvariants(): void {
    this.segments.checkInvariants();
    this.#epochs.checkInvariants();
    this.#lane.checkInvariants();
    this.#producers.checkInvariants(this.#logEndOffset);
    assert(this.#logStartOffset <= this.#logEndOffset, 'the log start is not above the log end');
    assert(this.#flushedEndOffset <= this.#logEndOffset, 'only what is published counts as flushed');
    assert(this.#highWatermark <= this.#logEndOffset, 'the high watermark is not above the log end');
    assert(this.segments.active.baseOffset <= this.#logEndOffset, 'the active segment holds the log end');
    if (this.offline) return;
    for (const segment of this.segments.all()) {
      assert(segment.file.sizeBytes >= segment.sizeBytes, 'what is published is in the file');
      assert(
        segment === this.segments.active || segment.file.sizeBytes === segment.sizeBytes,
        'a sealed file grows no more',
      );
    }
  }
}

/** True for errors that go away when there is room again. */
function isShortage(error: DiskError): boolean {
  return error.code === 'ENOSPC' || error.code === 'EDQUOT';
}
