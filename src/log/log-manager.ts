import { assert } from '../base/assert.ts';
import { BrokerError } from '../base/broker-error.ts';
import type { Uuid } from '../base/uuid.ts';
import { type DiskCallback, DiskError } from '../io/disk.ts';
import { DirectoryCheckpoints } from './directory-checkpoints.ts';
import { loadDirectory } from './directory-loader.ts';
import {
  deletedDirectoryName,
  futureDirectoryName,
  LOG_SUFFIX,
  partitionDirectoryName,
  strayDirectoryName,
} from './file-names.ts';
import { settleFutures, type UnfinishedMove } from './future-directories.ts';
import type { IndexMemory } from './index-memory.ts';
import { LoadProgress } from './load-progress.ts';
import { LogCloser } from './log-closer.ts';
import { LeaderEpochCache } from './leader-epoch-cache.ts';
import type { LogConfig } from './log-config.ts';
import type { LogDirectory } from './log-directory.ts';
import type { LogEnvironment } from './log-environment.ts';
import type { LogPlace } from './log-place.ts';
import { LogOffsets } from './log-offsets.ts';
import { type LogResources, newResources } from './log-resources.ts';
import { ManagerTimers } from './manager-timers.ts';
import { PartitionLog } from './partition-log.ts';
import { ProducerState } from './producer-state.ts';
import { createSegment } from './segment.ts';
import { SegmentList } from './segment-list.ts';
import { isShortage } from './shortage.ts';
import { SnapshotStore } from './snapshot-store.ts';
import { StepRunner } from './step-runner.ts';
import { runSteps, type Steps } from './steps.ts';
import { TreeRemover } from './tree-remover.ts';

/** How the manager is opened. */
export interface LogManagerOptions {
  /** Directories for data logs, opened and locked. */
  readonly directories: readonly LogDirectory[];
  /** Config of a topic's logs; asked for each log found or created, and again never: changes go to `PartitionLog.updateConfig`. */
  readonly configOf: (topic: string) => LogConfig;
  /** `num.recovery.threads.per.data.dir`: logs of a directory that are loaded at the same time, all on the one thread. */
  readonly recoveryThreads?: number;
  /** `producer.id.expiration.ms`. */
  readonly producerIdExpirationMs?: number;
  /** Bytes that the indexes of all logs may hold in memory, `MAX_INDEX_BYTES` when left out. */
  readonly maxIndexBytes?: number;
  /** `log.flush.offset.checkpoint.interval.ms`: recovery points and log starts. */
  readonly checkpointIntervalMs?: number;
  /** `replica.high.watermark.checkpoint.interval.ms`. */
  readonly highWatermarkCheckpointIntervalMs?: number;
  /** `log.retention.check.interval.ms`. */
  readonly retentionCheckIntervalMs?: number;
  /** `producer.id.expiration.check.interval.ms`. */
  readonly producerIdExpirationCheckIntervalMs?: number;
  /** `log.segment.delete.delay.ms`, for directories whose deletion had begun before the start. */
  readonly fileDeleteDelayMs?: number;
  /** Told when a directory went offline (a failed flush, a vanished directory): all its logs are offline too. */
  readonly onDirectoryOffline?: (directory: LogDirectory, cause: Error) => void;
}

/** The logs of a node: finding, making, deleting and closing them, and the checkpoints of their directories. */
export class LogManager {
  readonly directories: readonly LogDirectory[];
  readonly #environment: LogEnvironment;
  readonly #resources: LogResources;
  readonly #options: LogManagerOptions;
  readonly #logs = new Map<string, PartitionLog>();
  /** Logs by directory. */
  readonly #counts = new Map<LogDirectory, number>();
  readonly #checkpoints: ReadonlyMap<LogDirectory, DirectoryCheckpoints>;
  readonly #timers: ManagerTimers;
  readonly #remover: TreeRemover;
  /** Copies on their way to take the place of a log, by its name. */
  readonly #futures = new Map<string, PartitionLog>();
  /** Where logs that are not there yet are to be made, by name. */
  readonly #preferred = new Map<string, LogDirectory>();
  /** Copies that the last stop interrupted; for the owner to begin anew. */
  unfinishedMoves: readonly UnfinishedMove[] = [];
  #closing = false;

  private constructor(environment: LogEnvironment, options: LogManagerOptions) {
    this.directories = options.directories;
    this.#environment = environment;
    this.#options = options;
    this.#resources = newResources(environment, options.producerIdExpirationMs, options.maxIndexBytes);
    this.#remover = new TreeRemover(environment);
    this.#checkpoints = new Map(
      options.directories.map((directory) => [
        directory,
        new DirectoryCheckpoints(environment, directory, () => this.#logsOf(directory)),
      ]),
    );
    this.#timers = new ManagerTimers(environment.clock, {
      checkpointMs: options.checkpointIntervalMs ?? 60_000,
      highWatermarkMs: options.highWatermarkCheckpointIntervalMs ?? 5_000,
      retentionMs: options.retentionCheckIntervalMs ?? 300_000,
      expireProducersMs: options.producerIdExpirationCheckIntervalMs ?? 600_000,
    });
    for (const directory of options.directories)
      directory.onOffline((cause) => this.#directoryFailed(directory, cause));
  }

  /**
   * Loads every log of the directories, those of several side by side, and calls `done` once. A directory whose disk fails goes offline; only if none is left that is an error:
   * `LOG_DIRECTORY_OFFLINE`. Two copies of one log are `LOG_DUPLICATED`.
   */
  static open(
    environment: LogEnvironment,
    options: LogManagerOptions,
    done: (error: BrokerError | null, manager: LogManager | null) => void,
  ): void {
    const manager = new LogManager(environment, options);
    let left = options.directories.length;
    let failure: BrokerError | null = null;
    assert(left > 0, 'a log manager has a directory');
    const runner = new StepRunner(environment.clock);
    const progress = new LoadProgress(environment);
    manager.unfinishedMoves = settleFutures(environment, options.directories);
    const { configOf, recoveryThreads: parallel = 2 } = options;
    for (const directory of options.directories) {
      if (directory.offline) {
        // Its disk failed when it was opened.
        environment.clock.defer(one);
        continue;
      }
      const steps = loadDirectory(manager.#resources, directory, { configOf, parallel, runner, progress });
      runner.run(steps, (error, found) => {
        if (found === undefined) {
          if (!(error instanceof DiskError)) throw error;
          directory.fail(error);
        } else {
          for (const path of found.deleted) manager.#remover.later(path, options.fileDeleteDelayMs ?? 60_000);
          for (const name of found.orphans) manager.#checkpoints.get(directory)?.addOrphan(name);
          for (const log of found.logs) failure ??= manager.#add(log);
        }
        one();
      });
    }
    function one(): void {
      if (--left > 0) return;
      progress.finished();
      manager.#opened(failure, done);
    }
  }

  #opened(
    failure: BrokerError | null,
    done: (error: BrokerError | null, manager: LogManager | null) => void,
  ): void {
    if (failure === null && this.directories.every((directory) => directory.offline)) {
      failure = new BrokerError(
        'LOG_DIRECTORY_OFFLINE',
        'No log directory can be read: see the errors before this one',
        {
          cause: this.directories[0]?.offlineCause,
        },
      );
    }
    if (failure !== null) return this.close({ clean: false, brokerEpoch: -1 }, () => done(failure, null));
    this.#timers.start({
      checkpoint: () => this.#checkpointAll('offsets'),
      highWatermarks: () => this.#checkpointAll('highWatermarks'),
      lookAfter: () => this.#lookAfter(),
      expireProducers: () => this.#forEachLog((log, nowMs) => log.expireProducers(nowMs)),
      applyRetention: () => this.#forEachLog((log, nowMs) => this.#applyRetention(log, nowMs)),
    });
    return done(null, this);
  }

  #add(log: PartitionLog): BrokerError | null {
    const key = partitionDirectoryName(log.topic, log.partition);
    const other = this.#logs.get(key);
    const checkpoints = this.#checkpoints.get(log.directory) as DirectoryCheckpoints;
    this.#logs.set(key, log);
    this.#counts.set(log.directory, this.#countIn(log.directory) + 1);
    log.settleCheckpoints = (cut, done) => checkpoints.settle(cut, done);
    log.saveLogStart = (_log, done) => checkpoints.saveLogStarts(done);
    // What the checkpoints promise may be more than there is, or of another log that had this name.
    if (!checkpoints.isSettled(log)) log.takeUp((done) => checkpoints.settleSurely(log, done));
    if (other === undefined) return null;
    return new BrokerError(
      'LOG_DUPLICATED',
      `${other.path} and ${log.path} are copies of one log: remove the older one`,
    );
  }

  /** For BrokerRegistration.previousBrokerEpoch: the epoch that all clean markers agree on, else -1. */
  get previousBrokerEpoch(): number {
    const [first, ...others] = this.directories.map((directory) => directory.markerBrokerEpoch);
    return first !== undefined && others.every((epoch) => epoch === first) ? first : -1;
  }

  /** Null if this node has no such log. */
  get(topic: string, partition: number): PartitionLog | null {
    return this.#logs.get(partitionDirectoryName(topic, partition)) ?? null;
  }

  /** Room on the file system of a directory, in bytes. @throws DiskError */
  roomIn(directory: LogDirectory): { readonly totalBytes: number; readonly usableBytes: number } {
    const { disk } = this.#environment;
    return { totalBytes: disk.totalBytes(directory.path), usableBytes: disk.freeBytes(directory.path) };
  }

  /** What the indexes of all logs hold in memory. */
  get indexMemory(): IndexMemory {
    return this.#resources.indexMemory;
  }

  /** Every log, in no particular order. */
  all(): IterableIterator<PartitionLog> {
    return this.#logs.values();
  }

  get count(): number {
    return this.#logs.size;
  }

  /**
   * Makes an empty log in the online directory with the fewest logs (or in the named one).
   * @throws BrokerError `LOG_DIRECTORY_OFFLINE` when no directory can take it, `DISK_FAILED` when the disk refuses.
   */
  create(
    topic: string,
    partition: number,
    topicId: Uuid,
    options: { readonly directoryId?: Uuid; readonly config?: LogConfig } = {},
  ): PartitionLog {
    assert(this.get(topic, partition) === null, 'a log is made once');
    const preferred = this.#preferred.get(partitionDirectoryName(topic, partition));
    this.#preferred.delete(partitionDirectoryName(topic, partition));
    const directory = preferred?.offline === false ? preferred : this.#place(options.directoryId);
    const config = options.config ?? this.#options.configOf(topic);
    try {
      const log = this.#make({ topic, partition, topicId }, directory, config);
      log.preallocate();
      this.#add(log);
      return log;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      if (!isShortage(error)) directory.fail(error);
      throw new BrokerError(
        'DISK_FAILED',
        `The log of ${topic}-${partition} cannot be made: ${error.message}`,
        {
          cause: error,
        },
      );
    }
  }

  #place(directoryId: Uuid | undefined): LogDirectory {
    let best: LogDirectory | null = null;
    for (const directory of this.directories) {
      if (directory.offline || (directoryId !== undefined && directory.directoryId !== directoryId)) continue;
      if (best === null || this.#countIn(directory) < this.#countIn(best)) best = directory;
    }
    if (best === null) throw new BrokerError('LOG_DIRECTORY_OFFLINE', 'No log directory can take a new log');
    return best;
  }

  #countIn(directory: LogDirectory): number {
    return this.#counts.get(directory) ?? 0;
  }

  #make(
    id: { readonly topic: string; readonly partition: number; readonly topicId: Uuid },
    directory: LogDirectory,
    config: LogConfig,
  ): PartitionLog {
    const { disk } = this.#environment;
    const place = { path: `${directory.path}/${partitionDirectoryName(id.topic, id.partition)}` };
    if (disk.exists(place.path)) this.#removeRemains(place.path);
    return this.#makeAt(id, directory, config, { place, baseOffset: 0 });
  }

  #makeAt(
    id: { readonly topic: string; readonly partition: number; readonly topicId: Uuid },
    directory: LogDirectory,
    config: LogConfig,
    { place, baseOffset }: { readonly place: LogPlace; readonly baseOffset: number },
  ): PartitionLog {
    const { disk, clock, compute } = this.#environment;
    disk.makeDirectory(place.path);
    return new PartitionLog(this.#resources, {
      ...id,
      directory,
      place,
      config,
      segments: new SegmentList([createSegment(disk, place.path, baseOffset, clock.wallMs())]),
      epochs: new LeaderEpochCache(),
      producers: new ProducerState(this.#resources.producerIdExpirationMs),
      snapshots: new SnapshotStore(disk, compute, place, []),
      offsets: new LogOffsets(
        { start: baseOffset, end: baseOffset, flushedEnd: baseOffset, highWatermark: baseOffset },
        { recoveryPoint: 0, logStartOffset: 0, highWatermark: 0 },
      ),
      epochsDirty: false,
      writeMetadata: true,
      entriesDirty: true,
    });
  }

  /** The copy that is to take a log's place, null without one. */
  future(topic: string, partition: number): PartitionLog | null {
    return this.#futures.get(partitionDirectoryName(topic, partition)) ?? null;
  }

  /** Every copy, in no particular order. */
  futures(): IterableIterator<PartitionLog> {
    return this.#futures.values();
  }

  /** A log that is made later goes into this directory. */
  prefer(topic: string, partition: number, directory: LogDirectory): void {
    this.#preferred.set(partitionDirectoryName(topic, partition), directory);
  }

  /** Makes an empty copy of a log in another directory, that begins at `baseOffset`. @throws DiskError */
  createFuture(log: PartitionLog, directory: LogDirectory, baseOffset: number): PartitionLog {
    const { topic, partition, topicId, config } = log;
    assert(this.future(topic, partition) === null, 'a log has one copy at most');
    const name = futureDirectoryName(topic, partition, this.#environment.random);
    const place = { path: `${directory.path}/${name}` };
    const made = this.#makeAt({ topic, partition, topicId }, directory, config, { place, baseOffset });
    this.#futures.set(partitionDirectoryName(topic, partition), made);
    return made;
  }

  /** Takes a copy out of service; `remove` deletes it, else the next start finds it. */
  dropFuture(future: PartitionLog, remove: boolean): void {
    this.#futures.delete(partitionDirectoryName(future.topic, future.partition));
    future.abandon(() => {
      if (remove && !future.directory.offline) this.#remover.later(future.path, 0);
    });
  }

  /**
   * Puts a copy in its log's place; both are durable, idle and equal, and nothing is appended meanwhile. The original is renamed first and durably: a start that finds it gone and the copy there
   * finishes what was begun (`settleFutures`). On failure the original stays.
   */
  replaceByFuture(log: PartitionLog, future: PartitionLog, done: DiskCallback): void {
    const { topic, partition } = log;
    const { disk, random } = this.#environment;
    const key = partitionDirectoryName(topic, partition);
    const former = log.path;
    const target = `${log.directory.path}/${deletedDirectoryName(topic, partition, random)}`;
    const attempt = (directory: LogDirectory, act: () => void): DiskError | null => {
      try {
        act();
        return null;
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        directory.fail(error);
        return error;
      }
    };
    const error = attempt(log.directory, () => disk.rename(former, target));
    if (error !== null) return done(error);
    log.moved(target);
    return disk.flushDirectory(log.directory.path, (flushError) => {
      if (flushError !== null) {
        log.directory.fail(flushError);
        return done(flushError);
      }
      const place = `${future.directory.path}/${key}`;
      const moveError = attempt(future.directory, () => disk.rename(future.path, place));
      if (moveError !== null) {
        if (attempt(log.directory, () => disk.rename(target, former)) === null) log.moved(former);
        return done(moveError);
      }
      future.moved(place);
      this.#exchange(log, future, target);
      return disk.flushDirectory(future.directory.path, (syncError) => {
        if (syncError !== null) future.directory.fail(syncError);
        done(syncError);
      });
    });
  }

  #exchange(log: PartitionLog, future: PartitionLog, target: string): void {
    const key = partitionDirectoryName(log.topic, log.partition);
    this.#futures.delete(key);
    // It may have been deleted meanwhile.
    if (this.#logs.delete(key)) this.#counts.set(log.directory, this.#countIn(log.directory) - 1);
    this.#checkpoints.get(log.directory)?.addOrphan(key);
    this.#add(future);
    log.abandon(() => {
      if (!this.#closing) this.#remover.later(target, log.config.fileDeleteDelayMs);
    });
  }

  /** What a failed attempt left under a log's name: nothing, or files without records. */
  #removeRemains(path: string): void {
    const { disk } = this.#environment;
    const records = disk.list(path).find((entry) => entry.name.endsWith(LOG_SUFFIX) && entry.sizeBytes > 0);
    if (records !== undefined) {
      throw new BrokerError(
        'DISK_FAILED',
        `${path} holds records already, of a log that was not loaded: move it away`,
      );
    }
    disk.removeTree(path);
  }

  /** Takes the log out of service at once and deletes its files later (`file.delete.delay.ms`). */
  delete(topic: string, partition: number): void {
    const log = this.get(topic, partition);
    assert(log !== null, 'a log is deleted once');
    const target = `${log.directory.path}/${deletedDirectoryName(topic, partition, this.#environment.random)}`;
    this.#takeOut(log, target, () => this.#remover.later(target, log.config.fileDeleteDelayMs));
  }

  /** Takes out of service a log that no topic of the cluster claims. Its files stay, under a name that says so: they may have been acknowledged somewhere. */
  setAside(log: PartitionLog): void {
    const { topic, partition, directory } = log;
    const target = `${directory.path}/${strayDirectoryName(topic, partition, this.#environment.random)}`;
    this.#environment.logger.warn('A log belongs to no topic of the cluster and is set aside', {
      path: log.path,
      newPath: target,
    });
    this.#takeOut(log, target, () => undefined);
  }

  /** Takes a log out of service and renames its directory; `done` if that could be done, once nothing uses the files. */
  #takeOut(log: PartitionLog, target: string, done: () => void): void {
    const name = partitionDirectoryName(log.topic, log.partition);
    this.#logs.delete(name);
    this.#counts.set(log.directory, this.#countIn(log.directory) - 1);
    this.#checkpoints.get(log.directory)?.addOrphan(name);
    let renamed = false;
    try {
      if (!log.directory.offline) {
        this.#environment.disk.rename(log.path, target);
        log.moved(target);
        renamed = true;
      }
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      log.directory.fail(error);
    }
    log.abandon(() => {
      if (renamed && !this.#closing) done();
    });
  }

  /** Appends made between `cork` and `uncork` are written together, one write per log; calls nest. For the frames of one wake-up. */
  cork(): void {
    this.#resources.gate.cork();
  }

  /** Ends the innermost `cork`. */
  uncork(): void {
    this.#resources.gate.uncork();
  }

  #logsOf(directory: LogDirectory): PartitionLog[] {
    return [...this.#logs.values()].filter((log) => log.directory === directory);
  }

  #directoryFailed(directory: LogDirectory, cause: Error): void {
    this.#environment.logger.error('A log directory goes offline', { path: directory.path, error: cause });
    this.#options.onDirectoryOffline?.(directory, cause);
  }

  #checkpointAll(what: 'offsets' | 'highWatermarks'): void {
    for (const checkpoints of this.#checkpoints.values()) checkpoints.save(what, () => {});
  }

  /** A directory that was unmounted or removed under the broker is noticed here, if no append meets it before. */
  #lookAfter(): void {
    for (const directory of this.directories) {
      if (directory.offline || this.#environment.disk.exists(directory.path)) continue;
      directory.fail(new DiskError('ENOENT', directory.path, 'look for'));
    }
  }

  /** Does something for every log, in steps. */
  #forEachLog(act: (log: PartitionLog, nowMs: number) => Steps<void> | undefined): void {
    const logs = [...this.#logs.values()];
    const { clock } = this.#environment;
    const steps = (function* () {
      for (const log of logs) {
        const steps = act(log, clock.wallMs());
        if (steps !== undefined) yield* steps;
        yield;
      }
    })();
    runSteps(clock, steps, (error) => {
      if (error !== null) throw error;
    });
  }

  #applyRetention(log: PartitionLog, nowMs: number): undefined {
    try {
      log.applyRetention(nowMs);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#environment.logger.warn('Old segments could not be deleted', { path: log.path, error });
    }
  }

  /**
   * Flushes and closes all logs and writes the checkpoints; with `clean`, a directory whose logs are all closed well gets the marker with `brokerEpoch`. The directories stay
   * locked. `done` is called once, whatever the disks do.
   */
  close(options: { readonly clean: boolean; readonly brokerEpoch: number }, done: () => void): void {
    assert(!this.#closing, 'a log manager is closed once');
    this.#closing = true;
    this.#timers.stop();
    this.#remover.close();
    const failed = new Set<LogDirectory>();
    const { clock, logger } = this.#environment;
    const closed = (log: PartitionLog, error: DiskError | null): void => {
      if (error !== null || log.directory.offline) failed.add(log.directory);
      if (error !== null) logger.error('A log could not be closed well', { path: log.path, error });
    };
    const finish = (): void => this.#finishClose(options, failed, done);
    new LogCloser(clock, [...this.#logs.values()], closed, finish).start();
  }

  #finishClose(
    options: { readonly clean: boolean; readonly brokerEpoch: number },
    failed: ReadonlySet<LogDirectory>,
    done: () => void,
  ): void {
    let left = this.#checkpoints.size;
    for (const checkpoints of this.#checkpoints.values()) {
      const isClean = options.clean && !failed.has(checkpoints.directory);
      checkpoints.finish(isClean ? options.brokerEpoch : null, () => {
        if (--left === 0) done();
      });
    }
  }
}
