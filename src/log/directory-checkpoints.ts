import { type DiskCallback, DiskError } from '../io/disk.ts';
import { formatOffsetCheckpoint, type OffsetEntry } from './checkpoint-file.ts';
import { formatCleanShutdown } from './clean-shutdown.ts';
import {
  CLEAN_SHUTDOWN_FILE,
  HIGH_WATERMARK_FILE,
  LOG_START_FILE,
  RECOVERY_POINT_FILE,
} from './file-names.ts';
import type { LogDirectory } from './log-directory.ts';
import type { LogEnvironment } from './log-environment.ts';
import type { PartitionLog } from './partition-log.ts';
import { awaitDisk, runSteps, type Steps } from './steps.ts';

/** Logs whose entries are collected between two interruptible points. */
const LOGS_PER_STEP = 500;

/** Writes the checkpoints of one log directory. A file is replaced only if its text has changed. */
export class DirectoryCheckpoints {
  readonly directory: LogDirectory;
  readonly #environment: LogEnvironment;
  readonly #logs: () => readonly PartitionLog[];
  readonly #texts = new Map<string, string>();
  #saving = false;
  #queue: { readonly files: readonly CheckpointKind[]; readonly done: () => void }[] = [];

  /** @param logs the logs of this directory at the moment of the call */
  constructor(environment: LogEnvironment, directory: LogDirectory, logs: () => readonly PartitionLog[]) {
    this.#environment = environment;
    this.directory = directory;
    this.#logs = logs;
  }

  /** Writes recovery points and log starts, or high watermarks; `done` in any case. */
  save(what: 'offsets' | 'highWatermarks', done: () => void): void {
    this.#enqueue(what === 'offsets' ? [RECOVERY_POINTS, LOG_STARTS] : [HIGH_WATERMARKS], done);
  }

  /** All logs are closed: writes every checkpoint, and then the clean marker unless `brokerEpoch` is null. */
  finish(brokerEpoch: number | null, done: () => void): void {
    this.#enqueue([RECOVERY_POINTS, LOG_STARTS, HIGH_WATERMARKS], () => {
      if (brokerEpoch === null || this.directory.offline) return done();
      const { disk, logger } = this.#environment;
      const path = `${this.directory.path}/${CLEAN_SHUTDOWN_FILE}`;
      return disk.replaceFile(path, Buffer.from(formatCleanShutdown(brokerEpoch)), (error) => {
        if (error !== null) logger.warn('The clean shutdown marker could not be written.', { path, error });
        done();
      });
    });
  }

  #enqueue(files: readonly CheckpointKind[], done: () => void): void {
    this.#queue.push({ files, done });
    if (!this.#saving) this.#next();
  }

  #next(): void {
    const job = this.#queue.shift();
    this.#saving = job !== undefined;
    if (job === undefined) return;
    runSteps(this.#environment.clock, this.#write(job.files), (error) => {
      if (error !== null) throw error;
      job.done();
      this.#next();
    });
  }

  *#write(files: readonly CheckpointKind[]): Steps<void> {
    for (const kind of files) {
      if (this.directory.offline) return;
      const entries: OffsetEntry[] = [];
      const logs = this.#logs();
      for (let i = 0; i < logs.length; i++) {
        const log = logs[i] as PartitionLog;
        const offset = kind.offsetOf(log);
        if (offset !== null) entries.push({ topic: log.topic, partition: log.partition, offset });
        if (i % LOGS_PER_STEP === LOGS_PER_STEP - 1) yield;
      }
      yield* this.#replace(kind.file, formatOffsetCheckpoint(entries));
    }
  }

  *#replace(file: string, text: string): Steps<void> {
    if (this.#texts.get(file) === text) return;
    const { disk, logger } = this.#environment;
    const path = `${this.directory.path}/${file}`;
    const error = yield* awaitDisk((done: DiskCallback) => disk.replaceFile(path, Buffer.from(text), done));
    if (error === null) {
      this.#texts.set(file, text);
      return;
    }
    logger.warn('A checkpoint could not be written.', { path, error });
    if (error instanceof DiskError && error.code !== 'ENOSPC' && error.code !== 'EDQUOT')
      this.directory.fail(error);
  }
}

interface CheckpointKind {
  readonly file: string;
  /** Null if the log has no entry. */
  readonly offsetOf: (log: PartitionLog) => number | null;
}

const RECOVERY_POINTS: CheckpointKind = {
  file: RECOVERY_POINT_FILE,
  offsetOf: (log) => log.flushedEndOffset,
};
const LOG_STARTS: CheckpointKind = {
  file: LOG_START_FILE,
  offsetOf: (log) => (log.logStartOffset > log.segments.first.baseOffset ? log.logStartOffset : null),
};
const HIGH_WATERMARKS: CheckpointKind = {
  file: HIGH_WATERMARK_FILE,
  offsetOf: (log) => log.highWatermark,
};
