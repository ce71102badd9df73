import { BrokerError } from '../base/broker-error.ts';
import type { Logger } from '../base/logger.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { TimerHandle } from '../io/clock.ts';
import { DiskError } from '../io/disk.ts';
import type { LogEnvironment } from '../log/log-environment.ts';
import {
  MetadataSnapshotStore,
  type SnapshotId,
  type SnapshotReader,
  snapshotFileName,
} from '../log/metadata-snapshot-store.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { awaitDisk, runSteps, type Steps } from '../log/steps.ts';
import type { MetadataImage } from '../metadata/metadata-image.ts';
import type { MetadataRecord } from '../metadata/metadata-record.ts';
import {
  readSnapshot,
  readSnapshotPreamble,
  snapshotBatches,
  type SnapshotPreamble,
} from './metadata-snapshot-format.ts';

/** When snapshots are written and how long they are kept. */
export interface SnapshotLimits {
  /** `metadata.log.max.record.bytes.between.snapshots`. */
  readonly maxBytesBetween: number;
  /** `metadata.log.max.snapshot.interval.ms`; 0 for never. */
  readonly maxIntervalMs: number;
  /** `metadata.max.retention.bytes`, of log and snapshots together; negative for no bound. */
  readonly retentionBytes: number;
  /** `metadata.max.retention.ms`; negative for ever. */
  readonly retentionMs: number;
  /** `internal.metadata.delete.delay.millis`. */
  readonly deleteDelayMs: number;
}

/** The limits that a node's configuration sets. */
export function snapshotLimits(config: BrokerConfig): SnapshotLimits {
  return {
    maxBytesBetween: config.get('metadata.log.max.record.bytes.between.snapshots'),
    maxIntervalMs: config.get('metadata.log.max.snapshot.interval.ms'),
    retentionBytes: config.get('metadata.max.retention.bytes'),
    retentionMs: config.get('metadata.max.retention.ms'),
    deleteDelayMs: config.get('internal.metadata.delete.delay.millis'),
  };
}

/** A snapshot that was read. */
export interface LoadedSnapshot {
  readonly id: SnapshotId;
  readonly preamble: SnapshotPreamble;
}

/** Who takes the records of a snapshot. */
export interface SnapshotTarget {
  /** Takes one record, in order; `offset` is its place in the file. */
  take(record: MetadataRecord, offset: number): void;
  /** Forgets what was taken: the snapshot turned out to be damaged, and another is tried. */
  reset(): void;
}

/** What a snapshot that is due is made of; asked for when it is begun. */
export interface SnapshotContent {
  /** A committed image, of an offset at which no metadata transaction is open. */
  readonly image: MetadataImage;
  readonly kraftVersion: number;
  readonly voters: SnapshotPreamble['voters'];
}

/** How often old snapshots are looked for, and a snapshot that failed is tried again. */
const CLEAN_INTERVAL_MS = 60_000;

/**
 * The snapshots of a metadata log: loads the newest at the start, writes one when enough is new, and deletes the oldest together with the part of the log that it
 * stands for. A snapshot is made of an immutable image, in steps, while everything goes on.
 */
export class MetadataSnapshots {
  readonly store: MetadataSnapshotStore;
  readonly #environment: LogEnvironment;
  readonly #logger: Logger;
  readonly #log: PartitionLog;
  readonly #limits: SnapshotLimits;
  readonly #content: () => SnapshotContent | null;
  readonly #onChanged: () => void;
  readonly #timestamps = new Map<string, number>();
  readonly #unlinks = new Map<TimerHandle, () => void>();
  #newBytes = 0;
  #lastMs: number;
  #isDue = false;
  #writing = false;
  #retryAtMs = 0;
  #timer: { readonly handle: TimerHandle; readonly atMs: number } | null = null;
  #cleanTimer: TimerHandle | null = null;
  #closed = false;

  /**
   * @param content what a snapshot is made of now; null if none can be made at the moment. It may be of no newer offset than the last one.
   * @param onChanged told when a snapshot was written, or old ones and the log before them were dropped
   * @throws DiskError when the directory cannot be read
   */
  constructor(options: {
    readonly environment: LogEnvironment;
    readonly log: PartitionLog;
    readonly limits: SnapshotLimits;
    readonly content: () => SnapshotContent | null;
    readonly onChanged?: () => void;
  }) {
    const { environment, log, limits } = options;
    this.#environment = environment;
    this.#logger = environment.logger.child({ component: 'snapshots' });
    this.#log = log;
    this.#limits = limits;
    this.#content = options.content;
    this.#onChanged = options.onChanged ?? (() => undefined);
    this.#lastMs = environment.clock.monotonicMs();
    this.store = MetadataSnapshotStore.open(environment.disk, log.path, environment.random);
    this.#armCleaning();
  }

  /**
   * Reads the newest snapshot that is whole and that the log goes on from. One that is damaged is passed by, with a warning, if an older one or the log itself has all
   * of it; null if there is none and the log begins at 0. A log that ends before the snapshot was lost: it begins anew after it.
   * @throws BrokerError `METADATA_CORRUPT` and others of `readSnapshot`, `METADATA_UNREADABLE` when the beginning is nowhere; DiskError
   */
  *load(target: SnapshotTarget): Steps<LoadedSnapshot | null> {
    const start = this.#log.logStartOffset;
    let damage: unknown = null;
    for (const id of this.store.ids.toReversed()) {
      if (id.endOffset < start || id.endOffset === 0) continue;
      try {
        const preamble = yield* this.#read(id, target);
        if (id.endOffset > this.#log.logEndOffset) yield* this.#restartLog(id);
        return { id, preamble };
      } catch (error) {
        if (!(error instanceof BrokerError) || error.code !== 'METADATA_CORRUPT') throw error;
        this.#logger.warn(
          'A snapshot of the metadata is damaged; an older one, or the log, is read instead',
          { error },
        );
        damage ??= error;
        target.reset();
      }
    }
    if (start === 0) return null;
    throw (
      damage ??
      new BrokerError(
        'METADATA_UNREADABLE',
        `${this.#log.path} begins at offset ${start} and has no snapshot of what was before: restore the newest *.checkpoint file`,
      )
    );
  }

  *#read(id: SnapshotId, target: SnapshotTarget): Steps<SnapshotPreamble> {
    const reader = this.store.openReader(id);
    try {
      const preamble = yield* readSnapshot(
        this.#sourceOf(reader),
        this.#environment.compute,
        (record, offset) => target.take(record, offset),
      );
      this.#timestamps.set(snapshotFileName(id), preamble.lastContainedLogTimestampMs);
      return preamble;
    } finally {
      reader.close();
    }
  }

  #sourceOf(reader: SnapshotReader) {
    return {
      path: this.store.pathOf(reader.id),
      sizeBytes: reader.sizeBytes,
      read: (position: number, target: Buffer, lengthBytes: number) =>
        reader.read(position, target, lengthBytes),
    };
  }

  *#restartLog(id: SnapshotId): Steps<void> {
    const log = this.#log;
    this.#logger.warn('The metadata log ends before its newest snapshot and begins anew after it', {
      logEndOffset: log.logEndOffset,
      snapshot: snapshotFileName(id),
    });
    const error = yield* awaitDisk((done) => log.truncateFullyAndStartAt(id.endOffset, done));
    if (error !== null) throw error;
  }

  /** So many bytes of records were appended, or replayed after the newest snapshot. */
  addBytes(bytes: number): void {
    this.#newBytes += bytes;
  }

  /** Something was committed: begins a snapshot if one is due. */
  committed(): void {
    if (this.#closed || this.#newBytes === 0) return;
    const { maxBytesBetween, maxIntervalMs } = this.#limits;
    const { clock } = this.#environment;
    if (this.#newBytes >= maxBytesBetween) this.#isDue = true;
    if (maxIntervalMs > 0 && clock.monotonicMs() >= this.#lastMs + maxIntervalMs) this.#isDue = true;
    if (this.#isDue) this.#begin();
    else if (maxIntervalMs > 0) this.#armTimer(this.#lastMs + maxIntervalMs);
  }

  /** Stops; a snapshot that is being written is given up. */
  close(): void {
    this.#closed = true;
    const { clock } = this.#environment;
    if (this.#timer !== null) clock.cancel(this.#timer.handle);
    if (this.#cleanTimer !== null) clock.cancel(this.#cleanTimer);
    for (const timer of this.#unlinks.keys()) clock.cancel(timer);
    this.#unlinks.clear();
  }

  /** Looks again at `atMs`, or before. */
  #armTimer(atMs: number): void {
    const { clock } = this.#environment;
    if (this.#timer !== null && this.#timer.atMs <= atMs) return;
    if (this.#timer !== null) clock.cancel(this.#timer.handle);
    const handle = clock.schedule(atMs, () => {
      this.#timer = null;
      this.committed();
    });
    this.#timer = { handle, atMs };
  }

  #begin(): void {
    const { clock } = this.#environment;
    if (this.#writing) return;
    if (clock.monotonicMs() < this.#retryAtMs) return this.#armTimer(this.#retryAtMs);
    const content = this.#content();
    if (content === null) return;
    const { offset, epoch } = content.image.provenance;
    const id = { endOffset: offset + 1, epoch };
    if (id.endOffset <= (this.store.latest?.endOffset ?? 0)) return;
    this.#isDue = false;
    this.#newBytes = 0;
    this.#lastMs = clock.monotonicMs();
    this.#writing = true;
    runSteps(clock, this.#write(id, content), (error) => {
      this.#writing = false;
      if (error !== null) return this.#failed(error);
      this.#onChanged();
      return this.#clean();
    });
  }

  #failed(error: unknown): void {
    if (!(error instanceof DiskError)) throw error;
    if (this.#closed) return;
    this.#logger.warn('A snapshot of the metadata could not be written; it is tried again later', { error });
    this.#isDue = true;
    this.#newBytes++;
    this.#retryAtMs = this.#environment.clock.monotonicMs() + CLEAN_INTERVAL_MS;
    this.#armTimer(this.#retryAtMs);
  }

  *#write(id: SnapshotId, content: SnapshotContent): Steps<void> {
    const { clock, compute } = this.#environment;
    const { image, kraftVersion, voters } = content;
    const lastContainedLogTimestampMs = image.provenance.timestampMs;
    const preamble = { lastContainedLogTimestampMs, kraftVersion, voters };
    const stamp = { epoch: id.epoch, nowMs: clock.wallMs() };
    const writer = this.store.createWriter(id);
    for (const batch of snapshotBatches(preamble, image.toRecords(), stamp, compute)) {
      const error = yield* awaitDisk((done) => writer.append(batch, done));
      if (error !== null || this.#closed) {
        writer.abort();
        if (error !== null) throw error;
        return;
      }
      yield;
    }
    const error = yield* awaitDisk((done) => writer.freeze(done));
    if (error !== null) throw error;
    this.#timestamps.set(snapshotFileName(id), lastContainedLogTimestampMs);
    this.#logger.info('A snapshot of the metadata was written', {
      file: snapshotFileName(id),
      sizeBytes: writer.sizeBytes,
    });
  }

  // Deletion.

  #armCleaning(): void {
    const { clock } = this.#environment;
    this.#cleanTimer = clock.schedule(clock.monotonicMs() + CLEAN_INTERVAL_MS, () => {
      this.#armCleaning();
      this.#clean();
    });
  }

  /** Deletes the oldest snapshots, and the log up to the one that is then the oldest, while there is more than is to be kept. The newest stays. */
  #clean(): void {
    if (this.#closed || this.#log.offline) return;
    try {
      for (;;) {
        const [oldest, next] = this.store.ids;
        if (oldest === undefined || next === undefined || !this.#isPastRetention(oldest)) return;
        this.#unlinkLater(this.store.retire(oldest));
        this.#log.advanceLogStart(Math.min(next.endOffset, this.#log.logEndOffset));
        this.#onChanged();
      }
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#logger.warn('Old snapshots of the metadata could not be deleted', { error });
    }
  }

  #isPastRetention(id: SnapshotId): boolean {
    const { retentionBytes, retentionMs } = this.#limits;
    if (retentionMs >= 0 && this.#environment.clock.wallMs() - this.#timestampOf(id) > retentionMs)
      return true;
    if (retentionBytes < 0) return false;
    let totalBytes = this.#log.sizeBytes;
    for (const one of this.store.ids) totalBytes += this.store.sizeOf(one);
    return totalBytes > retentionBytes;
  }

  /** Timestamp of the last record in a snapshot; of one that cannot be read the age is not known, and it counts as new. @throws DiskError */
  #timestampOf(id: SnapshotId): number {
    const name = snapshotFileName(id);
    const known = this.#timestamps.get(name);
    if (known !== undefined) return known;
    const reader = this.store.openReader(id);
    let timestampMs = Number.POSITIVE_INFINITY;
    try {
      timestampMs = readSnapshotPreamble(
        this.#sourceOf(reader),
        this.#environment.compute,
      ).lastContainedLogTimestampMs;
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
    } finally {
      reader.close();
    }
    this.#timestamps.set(name, timestampMs);
    return timestampMs;
  }

  #unlinkLater(unlink: () => void): void {
    const { clock } = this.#environment;
    const timer = clock.schedule(clock.monotonicMs() + this.#limits.deleteDelayMs, () => {
      this.#unlinks.delete(timer);
      try {
        unlink();
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        this.#logger.warn('A deleted snapshot of the metadata could not be removed', { error });
      }
    });
    this.#unlinks.set(timer, unlink);
  }
}
