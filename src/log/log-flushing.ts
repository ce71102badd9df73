import type { DiskCallback, DiskError } from '../io/disk.ts';
import { formatEpochCheckpoint } from './checkpoint-file.ts';
import { LEADER_EPOCH_FILE, PARTITION_METADATA_FILE } from './file-names.ts';
import { Flusher, type FlushHost } from './flusher.ts';
import type { LogCore } from './log-core.ts';
import { formatPartitionMetadata } from './partition-metadata.ts';
import type { Segment } from './segment.ts';
import { SmallFileWriter } from './small-file-writer.ts';

/** How soon a flush that lacked room is tried again. */
const FLUSH_RETRY_MS = 1000;

/** Makes a log durable: its segments, the small files beside them, and their directory entries. */
export class LogFlushing implements FlushHost {
  readonly #core: LogCore;
  readonly #flusher: Flusher;
  readonly #epochFile: SmallFileWriter;
  readonly #metadataFile: SmallFileWriter;
  /** The identity is to be written, and nobody has asked for that yet. */
  #metadataDirty: boolean;
  /** What the leader epoch checkpoint says, or will once it is written; null when that is not known. */
  #epochText: string | null;
  /** Called when the durable end has grown. */
  onFlushed: (() => void) | null = null;

  /** @param dirty which small files are to be written anew */
  constructor(core: LogCore, dirty: { readonly epochs: boolean; readonly metadata: boolean }) {
    this.#core = core;
    this.#flusher = new Flusher(this);
    const { disk } = core.resources.environment;
    this.#epochFile = new SmallFileWriter(
      disk,
      () => `${core.place.path}/${LEADER_EPOCH_FILE}`,
      () => this.#epochContent(),
    );
    this.#metadataFile = new SmallFileWriter(
      disk,
      () => `${core.place.path}/${PARTITION_METADATA_FILE}`,
      () => formatPartitionMetadata(core.topicId),
    );
    this.#epochText = dirty.epochs ? null : this.#epochContent();
    this.#metadataDirty = dirty.metadata;
  }

  /** Makes everything published before the call durable. */
  flush(done: DiskCallback): void {
    this.#flusher.flush(done);
  }

  /** For `FlushTimer`, and after a roll: whoever needs to know of a failure hears of it otherwise. */
  flushNow(): void {
    if (!this.#core.offline) this.#flusher.flush(() => {});
  }

  /** Something was published: flushes now or later, as configured. */
  published(): void {
    const { config, offsets, resources } = this.#core;
    if (offsets.end - offsets.flushedEnd >= config.flushMessages) this.flushNow();
    else if (config.flushMs < Number.MAX_SAFE_INTEGER) resources.flushTimer.schedule(this, config.flushMs);
  }

  /** The configuration is another: what is not flushed yet goes by it, too. */
  configChanged(): void {
    const { offsets, offline } = this.#core;
    if (!offline && offsets.end > offsets.flushedEnd) this.published();
  }

  /** The log's topic id has changed: `whenMetadataSaved` writes it, or a flush once there are records. */
  metadataChanged(): void {
    this.#metadataDirty = true;
  }

  /** `partition.metadata` is not written before `letNameGo`, and nobody waits for it. */
  holdName(): void {
    this.#metadataFile.hold();
  }

  letNameGo(): void {
    this.#metadataFile.letGo();
  }

  #saveMetadata(): void {
    if (!this.#metadataDirty) return;
    this.#metadataDirty = false;
    this.#metadataFile.save();
  }

  /** Has `partition.metadata` written, and calls `done` when it is durable, or could not be made so for now: the next flush tries again. */
  whenMetadataSaved(done: () => void): void {
    this.#saveMetadata();
    this.#metadataFile.whenSaved((error) => {
      if (error !== null) this.#core.logger.warn('partition.metadata could not be written', { error });
      done();
    });
  }

  /** No small file is written any more, no timer runs. */
  close(): void {
    this.cancelTimer();
    this.#epochFile.close();
    this.#metadataFile.close();
  }

  cancelTimer(): void {
    this.#core.resources.flushTimer.cancel(this);
  }

  // What the flusher asks for.

  get logEndOffset(): number {
    return this.#core.offsets.end;
  }

  started(): void {
    this.#core.background.begin();
  }

  settled(): void {
    this.#core.background.end();
  }

  unflushed(): Segment[] {
    return this.#core.segments.all().filter((segment) => segment.needsFlush(this.isSealed(segment)));
  }

  isSealed(segment: Segment): boolean {
    return segment !== this.#core.segments.active;
  }

  flushBeside(done: DiskCallback): void {
    const core = this.#core;
    const paths: string[] = [];
    core.takeName();
    if (core.directoryDirty) paths.push(core.place.path);
    if (core.parentDirty) paths.push(core.directory.path);
    core.directoryDirty = false;
    core.parentDirty = false;
    let left = paths.length + 2;
    let failed: DiskError | null = null;
    const one: DiskCallback = (error) => {
      failed ??= error;
      if (--left === 0) done(failed);
    };
    for (const path of paths) {
      core.resources.environment.disk.flushDirectory(path, (error) => {
        if (error !== null && path === core.directory.path) core.parentDirty = true;
        else if (error !== null) core.directoryDirty = true;
        one(error);
      });
    }
    if (core.offsets.end > 0) this.#saveMetadata();
    this.#saveEpochs();
    this.#epochFile.whenSaved(one);
    this.#metadataFile.whenSaved(one);
  }

  /**
   * An epoch without records leaves no trace (a start drops it), so that leading ten thousand idle partitions writes nothing; and one whose records are not durable is found in them again by
   * recovery. So the checkpoint is looked at when a flush begins, not when an epoch does.
   */
  #saveEpochs(): void {
    const text = this.#epochContent();
    if (text === this.#epochText) return;
    this.#epochText = text;
    this.#epochFile.save();
  }

  #epochContent(): string {
    const { epochs, offsets } = this.#core;
    return formatEpochCheckpoint(epochs.entries.filter(({ startOffset }) => startOffset < offsets.end));
  }

  flushed(endOffset: number): void {
    const { offsets } = this.#core;
    if (endOffset <= offsets.flushedEnd) return;
    offsets.flushedEnd = endOffset;
    this.onFlushed?.();
  }

  flushPostponed(): void {
    this.#core.resources.flushTimer.schedule(this, FLUSH_RETRY_MS);
  }

  flushFailed(error: DiskError): void {
    // The files of a log that is being deleted move away under its last flush, which says nothing of the device; nobody counts on them any more.
    if (!this.#core.closed) this.#core.directory.fail(error);
  }
}
