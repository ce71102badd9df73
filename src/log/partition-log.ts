import { assert } from '../base/assert.ts';
import { type Uuid, ZERO_UUID } from '../base/uuid.ts';
import { type DirectoryEntry, type DiskCallback, DiskError, type FileRange } from '../io/disk.ts';
import { abortedTransactionsIn } from './aborted-transactions.ts';
import { AppendLane } from './append-lane.ts';
import type { AppendCallback, AppendRequest } from './append-request.ts';
import type { LogConfig } from './log-config.ts';
import { LogCore, type LogParts } from './log-core.ts';
import { cutLog, type CutTarget, emptyLog } from './log-cut.ts';
import type { LogDirectory } from './log-directory.ts';
import { LOG_SUFFIX, offsetFileName } from './file-names.ts';
import { LogFlushing } from './log-flushing.ts';
import type { LogOffsets } from './log-offsets.ts';
import type { EpochEnd, LogRead, ReadOptions } from './log-read.ts';
import { guardRead, readLog, STORAGE_ERROR } from './log-reader.ts';
import type { LogResources } from './log-resources.ts';
import { LogWriter } from './log-writer.ts';
import { produceRules } from './produce-rules.ts';
import { countDeletable, type RetainedLog } from './retention.ts';
import type { ProducerEntry } from './producer-entry.ts';
import type { Segment } from './segment.ts';
import { SegmentGraveyard } from './segment-graveyard.ts';
import type { AbortedTransaction } from './transaction-index.ts';
import { awaitDisk, finishSteps, runSteps, type Steps } from './steps.ts';
import { type LookupCallback, lookUpMaxTimestamp, lookUpTimestamp } from './timestamp-lookup.ts';

/** Has the checkpoint of log starts written as it is now; `done` once it is durable, or could not be made so. */
export type SaveLogStart = (log: PartitionLog, done: DiskCallback) => void;

/** Brings the checkpoints of a log's directory down to what is true of the log; `done` once they are, or could not be. */
export type SettleCheckpoints = (log: PartitionLog, done: DiskCallback) => void;

/**
 * The log of one partition. All of it belongs to the one thread; between two calls it is always consistent. Records become visible to readers when they are published,
 * which is after they are in the file.
 */
export class PartitionLog {
  readonly #core: LogCore;
  readonly #flushing: LogFlushing;
  readonly #writer: LogWriter;
  readonly #lane: AppendLane;
  readonly #graveyard: SegmentGraveyard;
  readonly #leaveDirectory: () => void;
  /** The directory does not name the topic yet: the first append has that done, so that ten thousand new partitions do not mean as many flushes. */
  #isUnnamed: boolean;
  /** The checkpoint that segments below the log start wait for could not be written. */
  #burialDue = false;
  /** Checkpoints may say more of it than is true. */
  #unsettled = false;
  /** Grows with each deletion of segments whose renaming is not durable yet; 0 without any. */
  #burials = 0;
  /** Set by the manager; without checkpoints there is nothing to settle. */
  settleCheckpoints: SettleCheckpoints = (_log, done) => done(null);
  /** Set by the manager, like `settleCheckpoints`. */
  saveLogStart: SaveLogStart = (_log, done) => done(null);

  /** Made by the loader and the manager only. */
  constructor(resources: LogResources, parts: LogParts) {
    const core = new LogCore(resources, parts);
    this.#core = core;
    this.#flushing = new LogFlushing(core, { epochs: parts.epochsDirty, metadata: parts.writeMetadata });
    this.#writer = new LogWriter(core, this.#flushing, (cause) => this.#breakDown(cause));
    this.#lane = new AppendLane(this.#writer, resources.validation, core.producers, resources.gate);
    this.#graveyard = new SegmentGraveyard(resources.environment, () => core.config.fileDeleteDelayMs);
    this.#isUnnamed = parts.writeMetadata;
    this.#writer.setRollJitter(core.segments.active);
    this.#leaveDirectory = core.directory.onOffline(() => this.#shut());
  }

  get topic(): string {
    return this.#core.topic;
  }

  get partition(): number {
    return this.#core.partition;
  }

  /** `ZERO_UUID` when the directory names none (an old log). */
  get topicId(): Uuid {
    return this.#core.topicId;
  }

  /**
   * Gives an identity to a log whose directory names none: the process ended before `partition.metadata` was written, which no flush outruns, or an old
   * version made it.
   */
  adoptTopicId(topicId: Uuid): void {
    assert(this.#core.topicId === ZERO_UUID, 'a log changes its topic never');
    this.#core.topicId = topicId;
    this.#flushing.metadataChanged();
    this.#isUnnamed = true;
  }

  /**
   * Whoever made the log takes it up, at most once and before any append. Its identity and its records come after `settle`: what the checkpoints say of a deleted log must not be said of a new one of its
   * name.
   */
  takeUp(settle: (done: () => void) => void): void {
    this.#unsettled = true;
    this.#flushing.holdName();
    this.#lane.hold();
    settle(() => {
      this.#unsettled = false;
      this.#flushing.letNameGo();
      if (this.#isUnnamed) this.#holdUntilNamed();
      this.#lane.letGo();
    });
  }

  /** Records come after the identity: a log without one is empty or made by an old version, so that a new topic never inherits what a deleted one left. */
  #holdUntilNamed(): void {
    this.#isUnnamed = false;
    this.#lane.hold();
    this.#flushing.whenMetadataSaved(() => this.#lane.letGo());
  }

  /** The log directory it lies in. */
  get directory(): LogDirectory {
    return this.#core.directory;
  }

  get directoryId(): Uuid {
    return this.#core.directory.directoryId;
  }

  /** Absolute path of the partition's directory; follows a rename. */
  get path(): string {
    return this.#core.place.path;
  }

  get config(): LogConfig {
    return this.#core.config;
  }

  /** First offset that may be read. */
  get logStartOffset(): number {
    return this.#core.offsets.start;
  }

  /** Offset after the last published record (exclusive). */
  get logEndOffset(): number {
    return this.#core.offsets.end;
  }

  /** Everything below is on the device. */
  get flushedEndOffset(): number {
    return this.#core.offsets.flushedEnd;
  }

  /** The end that counts for the high watermark: the flushed one where `flush.messages` is 1, else `logEndOffset`. */
  get acknowledgedEndOffset(): number {
    return this.config.flushMessages <= 1 ? this.flushedEndOffset : this.logEndOffset;
  }

  /** Epoch of the last entry of the leader epoch checkpoint, -1 when empty. */
  get latestEpoch(): number {
    return this.#core.epochs.latestEpoch;
  }

  /** High watermark of the last checkpoint before the start; later what the owner sets. Kept here so that the manager can checkpoint it. */
  get highWatermark(): number {
    return this.#core.offsets.highWatermark;
  }

  set highWatermark(offset: number) {
    assert(offset >= 0 && offset <= this.logEndOffset, 'the high watermark is not above the log end');
    this.#core.offsets.highWatermark = offset;
    this.#core.producers.transactions.setHighWatermark(offset);
  }

  /** Where READ_COMMITTED readers stop: the high watermark, or the first offset of a transaction that is open or whose marker lies above it. */
  get lastStableOffset(): number {
    return this.#core.lastStableOffset;
  }

  /** True after a disk error that cannot be survived, or once the log was deleted or closed: appends and reads answer KAFKA_STORAGE_ERROR. */
  get offline(): boolean {
    return this.#core.offline;
  }

  /** Bytes of all segments. */
  get sizeBytes(): number {
    return this.#core.segments.sizeBytes;
  }

  /** How many segments there are. */
  get segmentCount(): number {
    return this.#core.segments.count;
  }

  /** The segments, the active one last; for this room and its tests. */
  get segments(): readonly Segment[] {
    return this.#core.segments.all();
  }

  /** Producers the log remembers. */
  get producerCount(): number {
    return this.#core.producers.size;
  }

  /** Those producers; only to be looked at. */
  producers(): IterableIterator<ProducerEntry> {
    return this.#core.producers.entries();
  }

  /** The bounds, for the checkpoints. */
  get offsets(): LogOffsets {
    return this.#core.offsets;
  }

  /**
   * Appends batches through the lane: admit, write, publish. Outcomes of one log come in the order of the appends, except that a refused one may
   * come early.
   */
  append(request: AppendRequest, done: AppendCallback): void {
    if (this.#isUnnamed && !this.#unsettled) this.#holdUntilNamed();
    this.#lane.append(request, done);
  }

  /** One range of bytes at `fetchOffset`; see `LogRead`. Leases are the caller's to release. */
  read(fetchOffset: number, options: ReadOptions): LogRead {
    const core = this.#core;
    if (core.offline) return STORAGE_ERROR;
    const { disk } = core.resources.environment;
    const read = (): LogRead => readLog(core, fetchOffset, options);
    return guardRead(
      () => (options.withoutWaiting === true ? disk.withoutWaiting(read) : read()),
      (error) => core.logger.error('Reading the log failed', { offset: fetchOffset, error }),
    );
  }

  /**
   * The aborted transactions that reach into what `read` gave at `fetchOffset`, for a reader that stops at `upperBoundOffset`; null if the disk fails. The log must not have changed since.
   */
  abortedTransactions(
    fetchOffset: number,
    range: FileRange,
    upperBoundOffset: number,
  ): AbortedTransaction[] | null {
    const { segments, logger } = this.#core;
    try {
      return abortedTransactionsIn(segments, fetchOffset, range, upperBoundOffset);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      logger.error('Reading the aborted transactions failed', { offset: fetchOffset, error });
      return null;
    }
  }

  /** The first record with a timestamp >= `timestampMs`, null when there is none. May finish later if a large compressed batch must be opened. */
  offsetForTimestamp(timestampMs: number, done: LookupCallback): void {
    lookUpTimestamp(this.#readable, this.#core.resources.environment, timestampMs, done);
  }

  /** The first record that has the largest timestamp of the log (ListOffsets -3), null when no record has one. */
  offsetForMaxTimestamp(done: LookupCallback): void {
    lookUpMaxTimestamp(this.#readable, this.#core.resources.environment, done);
  }

  readonly #readable = (): LogCore | null => (this.#core.offline ? null : this.#core);

  /** Largest known epoch <= `epoch` with its end; null when undefined (no epochs, or `epoch` above all known). formats §25. */
  endOffsetForEpoch(epoch: number): EpochEnd | null {
    return this.#core.epochs.endOffsetFor(epoch, this.logEndOffset);
  }

  /** Notes that `epoch` begins at `startOffset` (usually the log end, when leadership begins); durable before the next flush is done. */
  assignEpoch(epoch: number, startOffset: number): void {
    this.#core.epochs.assign(epoch, startOffset);
  }

  /** Epoch of the record at `offset`, -1 when unknown. */
  epochOfOffset(offset: number): number {
    return this.#core.epochs.epochOf(offset);
  }

  /** Makes everything published before the call durable. Calls made while a flush runs share the next one. */
  flush(done: DiskCallback): void {
    this.#flushing.flush(done);
  }

  /** `listener` is called after each publish (once per group of appends), before the outcomes are told. One listener; null removes it. */
  onAppended(listener: (() => void) | null): void {
    this.#writer.onAppended = listener;
  }

  /** `listener` is called when `flushedEndOffset` has grown. One listener; null removes it. */
  onFlushed(listener: (() => void) | null): void {
    this.#flushing.onFlushed = listener;
  }

  /** Calls `done` once no append is queued or in flight and no file of the log is being written: at once, or later. */
  whenIdle(done: () => void): void {
    this.#lane.whenIdle(() => {
      if (this.#core.background.isQuiet) return done();
      return this.#core.background.whenQuiet(() => this.whenIdle(done));
    });
  }

  /** Takes a new configuration; it counts from the next append. */
  updateConfig(config: LogConfig): void {
    this.#core.config = config;
    this.#core.rules = produceRules(this.topic, this.partition, config);
    this.#flushing.configChanged();
  }

  /**
   * Cuts everything at and above `offset`, revoking leases that reach past it. Waits until the log is idle (see `whenIdle`; the owner makes no more appends), and until the checkpoints
   * are taken back to `offset` if they say more; appends made meanwhile come after the cut. On failure before the cut nothing has changed; a cut that fails half way takes the log offline.
   */
  truncateTo(offset: number, done: DiskCallback): void {
    assert(offset >= 0, 'a log is cut at an offset');
    this.whenIdle(() => {
      if (offset >= this.logEndOffset) return done(null);
      if (offset < this.#core.segments.first.baseOffset) return this.truncateFullyAndStartAt(offset, done);
      return this.#cut(offset, done, () => {
        cutLog(this.#cutTarget(), offset);
        this.#core.offsets.cut(offset);
        this.#core.producers.transactions.setHighWatermark(this.highWatermark);
        this.#core.epochs.truncateFromEnd(offset);
      });
    });
  }

  /** Drops all records; the log is empty and starts at `offset` (follower far behind, or a snapshot was loaded). Otherwise like `truncateTo`. */
  truncateFullyAndStartAt(offset: number, done: DiskCallback): void {
    this.whenIdle(() => {
      this.#cut(Math.min(offset, this.logStartOffset), done, () => {
        emptyLog(this.#cutTarget(), offset);
        this.#core.adopt(this.#core.segments.active);
        this.#core.offsets.restartAt(offset);
        this.#core.producers.transactions.setHighWatermark(offset);
        this.#core.epochs.clear();
      });
    });
  }

  /** @param promised the most that checkpoints may say from now on */
  #cut(promised: number, done: DiskCallback, act: () => void): void {
    const core = this.#core;
    core.offsets.cutAt = promised;
    this.#lane.hold();
    const finish = (failure: DiskError | null): void => {
      core.offsets.cutAt = Number.POSITIVE_INFINITY;
      this.#lane.letGo();
      done(failure);
    };
    this.settleCheckpoints(this, (error) => {
      if (error !== null) return finish(error);
      return core.background.whenQuiet(() => {
        if (core.offline) finish(new DiskError('EIO', core.place.path, 'cut'));
        else finish(this.#actOnFiles(act));
      });
    });
  }

  #actOnFiles(act: () => void): DiskError | null {
    const core = this.#core;
    core.tail.clear();
    core.directoryDirty = true;
    // Segments on their way out must not share a name with what is made now.
    if (!this.#graveyard.isEmpty) finishSteps(this.#graveyard.work());
    try {
      act();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      // Half cut: what the files hold and what is known of them may differ from here on.
      this.#breakDown(error);
      return error;
    }
    this.#lane.reset();
    return null;
  }

  #cutTarget(): CutTarget {
    const { resources, place, segments, producers, snapshots, scanner, offsets } = this.#core;
    const { disk, clock } = resources.environment;
    const { highWatermark } = offsets;
    return {
      disk,
      path: place.path,
      segments,
      producers,
      snapshots,
      scanner,
      nowMs: clock.wallMs(),
      highWatermark,
    };
  }

  /** Reserves room for the active segment, which is empty, if the topic wants that (`preallocate`). */
  preallocate(): void {
    this.#writer.preallocate(this.#core.segments.active);
  }

  /**
   * Raises the log start; segments wholly below it are deleted, once the checkpoint of log starts says so: else a crash could keep a later one of them and lose an earlier, which would
   * look like a hole. Never above the log end.
   */
  advanceLogStart(offset: number): void {
    const { offsets, epochs, segments } = this.#core;
    assert(offset <= offsets.end, 'the log start is not above the log end');
    if (offset <= offsets.start || this.offline) return;
    offsets.start = offset;
    epochs.truncateFromStart(offset);
    this.#graveyard.bury(segments.removeFirst(Math.max(segments.floor(offset), 0)));
    if (this.#graveyard.isEmpty) return;
    this.#burials++;
    this.#saveThenBury();
  }

  /** Where the checkpoint cannot be written, the segments wait for the next call of `applyRetention`. */
  #saveThenBury(): void {
    this.saveLogStart(this, (error) => {
      if (error === null) this.#core.background.whenQuiet(() => this.#bury());
      else this.#burialDue = true;
    });
  }

  /** Moves deleted segments out of the way; the checkpoint of the log start must stand until that is durable. Producer snapshots go last: a segment that stays needs the one at its start. */
  #bury(): void {
    const { background, resources } = this.#core;
    background.begin();
    runSteps(resources.environment.clock, this.#burial(), (error) => {
      if (error !== null) throw error;
      background.end();
    });
  }

  *#burial(): Steps<void> {
    const { place, resources, segments, snapshots, logger } = this.#core;
    const burials = this.#burials;
    yield* this.#graveyard.work();
    if (this.offline) return;
    try {
      yield* snapshots.removeBelow(segments.first.baseOffset);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      logger.warn('An old producer snapshot could not be removed', { error });
    }
    const { disk } = resources.environment;
    const error = yield* awaitDisk((done) => disk.flushDirectory(place.path, done));
    if (error === null && this.#burials === burials) this.#burials = 0;
  }

  /** True while files of segments below the log start may be found where they stood. */
  get isBurying(): boolean {
    return this.#burials > 0;
  }

  /**
   * Deletes what retention no longer keeps (see `countDeletable`); called now and then. If that is everything, the active segment is rolled first, when nothing is in flight: it may have to wait
   * for the next call. @throws DiskError when a new segment cannot be made
   */
  applyRetention(nowMs: number): void {
    if (this.offline) return;
    if (this.#burialDue) {
      this.#burialDue = false;
      this.#saveThenBury();
    }
    const { segments } = this.#core;
    let count = countDeletable(this.#retained(), this.config, nowMs);
    // Nothing is deleted on the word of a time index alone.
    for (const segment of segments.all().slice(0, count)) segment.checkTimes(this.#core.scanner);
    if (count > 0) count = countDeletable(this.#retained(), this.config, nowMs);
    if (count < segments.count) {
      if (count > 0) this.advanceLogStart((segments.at(count) as Segment).baseOffset);
      return;
    }
    // What is in flight goes to the active segment: that one has to wait.
    if (!this.#lane.isIdle) return this.advanceLogStart(segments.active.baseOffset);
    this.#writer.roll(this.logEndOffset, nowMs);
    this.advanceLogStart(this.logEndOffset);
  }

  #retained(): RetainedLog {
    const { segments, offsets, resources, place } = this.#core;
    let entries: readonly DirectoryEntry[] | null = null;
    return {
      segments: segments.all(),
      logStartOffset: offsets.start,
      logEndOffset: offsets.end,
      highWatermark: offsets.highWatermark,
      sizeBytes: segments.sizeBytes,
      lastModifiedMs: (i) => {
        const name = offsetFileName((segments.at(i) as Segment).baseOffset, LOG_SUFFIX);
        entries ??= resources.environment.disk.list(place.path);
        const entry = entries.find((one) => one.name === name);
        return entry?.modifiedMs ?? Number.POSITIVE_INFINITY;
      },
    };
  }

  /** Forgets producers that wrote nothing for long; called now and then. */
  expireProducers(nowMs: number): Steps<void> {
    return this.#core.producers.expire(nowMs);
  }

  /** Finishes what is under way, makes everything durable and closes the files. `done` gets the first error; the log is closed in any case. */
  close(done: DiskCallback): void {
    if (this.offline) return this.#closeFiles(null, done);
    this.#lane.refuseHeld();
    return this.whenIdle(() => {
      const { segments, snapshots, producers, offsets } = this.#core;
      try {
        segments.active.trim();
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        return this.#closeFiles(error, done);
      }
      segments.active.seal();
      const finish = (): void => {
        this.#flushing.flush((error) => {
          if (error !== null) return this.#closeFiles(error, done);
          return segments.active.flush(true, (indexError) => this.#closeFiles(indexError, done));
        });
      };
      if ((snapshots.offsets.at(-1) ?? 0) >= offsets.end) return finish();
      return snapshots.write(offsets.end, producers, this.#core.resources.environment.clock, finish);
    });
  }

  #closeFiles(error: DiskError | null, done: DiskCallback): void {
    this.#core.closed = true;
    this.#leaveDirectory();
    this.#flushing.close();
    this.#lane.shut();
    this.whenIdle(() => {
      for (const segment of this.segments) segment.close();
      this.#graveyard.close();
      done(error);
    });
  }

  /** The directory has been renamed. */
  moved(path: string): void {
    this.#core.place.path = path;
    for (const segment of this.segments) segment.moved(path);
    this.#graveyard.moved(path);
  }

  /** The log is being deleted: nothing is written any more, its files are closed once nothing is in flight. */
  abandon(done: () => void): void {
    this.#closeFiles(null, done);
  }

  #shut(): void {
    this.#flushing.cancelTimer();
    this.#lane.shut();
  }

  /** The log alone goes offline; the rest of its directory may be well. */
  #breakDown(cause: Error): void {
    if (this.#core.broken) return;
    this.#core.broken = true;
    this.#core.logger.error('The log goes offline: its file is not what it should be', { error: cause });
    this.#shut();
  }

  /** Asserts everything that must hold between two events. */
  checkInvariants(): void {
    const { segments, epochs, producers, offsets } = this.#core;
    segments.checkInvariants();
    epochs.checkInvariants();
    offsets.checkInvariants();
    this.#lane.checkInvariants();
    producers.checkInvariants(offsets.end);
    assert(segments.active.baseOffset <= offsets.end, 'the active segment holds the log end');
    if (this.offline) return;
    for (const segment of segments.all()) {
      const isWhole = segment.file.sizeBytes === segment.sizeBytes;
      assert(segment.file.sizeBytes >= segment.sizeBytes, 'what is published is in the file');
      assert(segment === segments.active || isWhole, 'a sealed file grows no more');
    }
  }
}
