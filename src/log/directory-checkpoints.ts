import { type DiskCallback, DiskError } from '../io/disk.ts';
import { formatOffsetCheckpoint, type OffsetEntry } from './checkpoint-file.ts';
import { formatCleanShutdown } from './clean-shutdown.ts';
import {
  CLEAN_SHUTDOWN_FILE,
  HIGH_WATERMARK_FILE,
  LOG_START_FILE,
  partitionDirectoryName,
  RECOVERY_POINT_FILE,
} from './file-names.ts';
import type { LogDirectory } from './log-directory.ts';
import type { LogEnvironment } from './log-environment.ts';
import type { CheckpointedOffsets } from './log-offsets.ts';
import type { PartitionLog } from './partition-log.ts';
import { isShortage } from './shortage.ts';
import { awaitDisk, runSteps, type Steps } from './steps.ts';

/** Logs whose entries are collected between two interruptible points. */
const LOGS_PER_STEP = 500;
/** How soon checkpoints that had to be taken back and could not be are tried again. */
const RETRY_MS = 1000;

/** One checkpoint file. */
interface CheckpointKind {
  readonly file: string;
  readonly field: keyof CheckpointedOffsets;
}

const RECOVERY_POINTS: CheckpointKind = { file: RECOVERY_POINT_FILE, field: 'recoveryPoint' };
const LOG_STARTS: CheckpointKind = { file: LOG_START_FILE, field: 'logStartOffset' };
const HIGH_WATERMARKS: CheckpointKind = { file: HIGH_WATERMARK_FILE, field: 'highWatermark' };
const ALL = [RECOVERY_POINTS, LOG_STARTS, HIGH_WATERMARKS];

interface Job {
  readonly files: readonly CheckpointKind[];
  /** True for the one job that serves those who wait for their log to be settled. */
  readonly settles: boolean;
  readonly done: (error: DiskError | null) => void;
}

/**
 * Writes the checkpoints of one log directory, one file at a time; a file is replaced only if its text has changed. Each log remembers the most that the files may say of it, so that
 * a cut, or a new log under an old name, can wait until they say no more than is true.
 */
export class DirectoryCheckpoints {
  readonly directory: LogDirectory;
  readonly #environment: LogEnvironment;
  readonly #logs: () => readonly PartitionLog[];
  readonly #texts = new Map<string, string>();
  /** Names in the files that no log here has: of deleted logs, mostly. */
  #orphans = new Set<string>();
  /** Orphans that the writing in progress leaves out: until it has ended the files may still name them. */
  #leaving: ReadonlySet<string> = new Set();
  #running = false;
  #queue: Job[] = [];
  /** Who waits for the next writing of the log starts. */
  #startWaiters: DiskCallback[] = [];
  #settling: { readonly log: PartitionLog; readonly done: DiskCallback }[] = [];

  /** @param logs the logs of this directory at the moment of the call */
  constructor(environment: LogEnvironment, directory: LogDirectory, logs: () => readonly PartitionLog[]) {
    this.#environment = environment;
    this.directory = directory;
    this.#logs = logs;
  }

  /** Writes recovery points and log starts, or high watermarks; `done` in any case. */
  save(what: 'offsets' | 'highWatermarks', done: () => void): void {
    const files = what === 'offsets' ? [RECOVERY_POINTS, LOG_STARTS] : [HIGH_WATERMARKS];
    this.#enqueue({ files, settles: false, done });
  }

  /** Writes the log starts; `done` once they are durable, or could not be made so. Calls that come before the writing begins share it. */
  saveLogStarts(done: DiskCallback): void {
    if (this.#startWaiters.push(done) > 1) return;
    this.#environment.clock.defer(() => {
      const waiters = this.#startWaiters.splice(0);
      this.#enqueue({
        files: [LOG_STARTS],
        settles: false,
        done: (error) => waiters.forEach((waiter) => waiter(error)),
      });
    });
  }

  /** The files may speak of a log of this name, and there is none: it was deleted. */
  addOrphan(name: string): void {
    this.#orphans.add(name);
  }

  /** True if the files say no more of `log` than is true. */
  isSettled(log: PartitionLog): boolean {
    const name = partitionDirectoryName(log.topic, log.partition);
    return log.offsets.isSettled && !this.#orphans.has(name) && !this.#leaving.has(name);
  }

  /** Has the files say no more of `log` than is true; inline if they do not. Several logs share one writing. */
  settle(log: PartitionLog, done: DiskCallback): void {
    if (this.isSettled(log)) return done(null);
    this.#settling.push({ log, done });
    if (this.#queue.some((job) => job.settles)) return undefined;
    return this.#enqueue({ files: ALL, settles: true, done: () => {} });
  }

  /** `settle` for a log that must not be written before: tried until it works, or the directory is offline. */
  settleSurely(log: PartitionLog, done: () => void): void {
    this.settle(log, (error) => {
      if (error === null || log.offline) return done();
      const { clock } = this.#environment;
      clock.schedule(clock.monotonicMs() + RETRY_MS, () => this.settleSurely(log, done));
      return undefined;
    });
  }

  /** All logs are closed: writes every checkpoint, and then the clean marker unless `brokerEpoch` is null. */
  finish(brokerEpoch: number | null, done: () => void): void {
    this.#enqueue({
      files: ALL,
      settles: false,
      done: (error) => {
        if (error !== null || brokerEpoch === null || this.directory.offline) return done();
        const { disk, logger } = this.#environment;
        const path = `${this.directory.path}/${CLEAN_SHUTDOWN_FILE}`;
        return disk.replaceFile(path, Buffer.from(formatCleanShutdown(brokerEpoch)), (markerError) => {
          if (markerError !== null) {
            logger.warn('The clean shutdown marker could not be written', { path, error: markerError });
          }
          done();
        });
      },
    });
  }

  #enqueue(job: Job): void {
    this.#queue.push(job);
    if (!this.#running) this.#next();
  }

  #next(): void {
    const job = this.#queue.shift();
    this.#running = job !== undefined;
    if (job === undefined) return;
    const served = job.settles ? this.#settling.splice(0) : [];
    runSteps(this.#environment.clock, this.#write(job.files), (thrown, error) => {
      if (thrown !== null) throw thrown;
      for (const { log, done } of served)
        done(this.isSettled(log) ? null : (error ?? offlineError(this.directory)));
      job.done(error ?? null);
      this.#next();
    });
  }

  *#write(files: readonly CheckpointKind[]): Steps<DiskError | null> {
    if (files !== ALL) return yield* this.#writeFiles(files);
    this.#leaving = this.#orphans;
    this.#orphans = new Set();
    const error = yield* this.#writeFiles(files);
    if (error !== null) for (const orphan of this.#leaving) this.#orphans.add(orphan);
    this.#leaving = new Set();
    return error;
  }

  *#writeFiles(files: readonly CheckpointKind[]): Steps<DiskError | null> {
    for (const kind of files) {
      const error = this.directory.offline ? offlineError(this.directory) : yield* this.#writeFile(kind);
      if (error !== null) return error;
    }
    return null;
  }

  *#writeFile({ file, field }: CheckpointKind): Steps<DiskError | null> {
    const entries: OffsetEntry[] = [];
    const written: { readonly log: PartitionLog; readonly offset: number }[] = [];
    const logs = this.#logs();
    for (let i = 0; i < logs.length; i++) {
      const log = logs[i] as PartitionLog;
      const offset = log.offsets.claims[field];
      if (field !== 'logStartOffset' || log.isBurying || offset > (log.segments[0]?.baseOffset ?? 0)) {
        entries.push({ topic: log.topic, partition: log.partition, offset });
        log.offsets.checkpointed[field] = Math.max(log.offsets.checkpointed[field], offset);
        written.push({ log, offset });
      } else {
        written.push({ log, offset: 0 });
      }
      if (i % LOGS_PER_STEP === LOGS_PER_STEP - 1) yield;
    }
    const error = yield* this.#replace(file, formatOffsetCheckpoint(entries));
    if (error === null) for (const { log, offset } of written) log.offsets.checkpointed[field] = offset;
    return error;
  }

  *#replace(file: string, text: string): Steps<DiskError | null> {
    if (this.#texts.get(file) === text) return null;
    const { disk, logger } = this.#environment;
    const path = `${this.directory.path}/${file}`;
    this.#texts.delete(file);
    const error = yield* awaitDisk((done: DiskCallback) => disk.replaceFile(path, Buffer.from(text), done));
    if (error === null) {
      this.#texts.set(file, text);
      return null;
    }
    logger.warn('A checkpoint could not be written', { path, error });
    if (!isShortage(error)) this.directory.fail(error);
    return error;
  }
}

function offlineError(directory: LogDirectory): DiskError {
  const cause = directory.offlineCause;
  return cause instanceof DiskError ? cause : new DiskError('EIO', directory.path, 'checkpoint');
}
