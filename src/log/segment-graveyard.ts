import { DiskError, type DiskFile } from '../io/disk.ts';
import type { TimerHandle } from '../io/clock.ts';
import { DELETED_SUFFIX } from './file-names.ts';
import type { LogEnvironment } from './log-environment.ts';
import type { Segment } from './segment.ts';
import { runSteps, type Steps } from './steps.ts';

interface Grave {
  readonly file: DiskFile;
  /** Index files under their new names. */
  readonly paths: readonly string[];
}

/** Segments that fell out of a log at its start. Their files get `.deleted` added, and are unlinked after `file.delete.delay.ms`. */
export class SegmentGraveyard {
  readonly #environment: LogEnvironment;
  readonly #delayMs: () => number;
  #waiting: Segment[] = [];
  /** Renamed and not unlinked yet; made for the first. */
  #graves: Set<Grave> | null = null;
  #timers: Set<TimerHandle> | null = null;

  constructor(environment: LogEnvironment, delayMs: () => number) {
    this.#environment = environment;
    this.#delayMs = delayMs;
  }

  /** True if no segment waits for `work`. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Takes segments that are no longer part of the log. Nothing happens to their files before `work`. */
  bury(segments: readonly Segment[]): void {
    for (const segment of segments) segment.detachIndexes();
    this.#waiting.push(...segments);
  }

  /** The directory of the log has another name. */
  moved(directory: string): void {
    for (const segment of this.#waiting) segment.moved(directory);
  }

  /** Renames the files, one segment a step; nothing of the segments may be in flight. What fails is left to the next start. */
  *work(): Steps<void> {
    const graves: Grave[] = [];
    this.#graves ??= new Set();
    for (let segment = this.#waiting.shift(); segment !== undefined; segment = this.#waiting.shift()) {
      const grave = this.#rename(segment);
      graves.push(grave);
      this.#graves.add(grave);
      yield;
    }
    if (graves.length > 0) this.#unlinkLater(graves);
  }

  /** The log is closed: what is not unlinked yet stays, under its new name. */
  close(): void {
    for (const segment of this.#waiting.splice(0)) segment.close();
    for (const timer of this.#timers ?? []) this.#environment.clock.cancel(timer);
    for (const grave of this.#graves ?? []) grave.file.close();
    this.#timers = null;
    this.#graves = null;
  }

  #unlinkLater(graves: readonly Grave[]): void {
    const { clock } = this.#environment;
    const timers = (this.#timers ??= new Set());
    const timer = clock.schedule(clock.monotonicMs() + this.#delayMs(), () => {
      timers.delete(timer);
      runSteps(clock, this.#unlinkAll(graves), (error) => {
        if (error !== null) throw error;
      });
    });
    timers.add(timer);
  }

  *#unlinkAll(graves: readonly Grave[]): Steps<void> {
    for (const grave of graves) {
      // After `close` there are none any more.
      if (this.#graves?.delete(grave) !== true) return;
      this.#unlink(grave);
      yield;
    }
  }

  #rename(segment: Segment): Grave {
    const { disk } = this.#environment;
    const { file, offsetIndex, timeIndex, txnIndex } = segment;
    const paths: string[] = [];
    segment.closeIndexes();
    this.#attempt(() => file.renameTo(file.path + DELETED_SUFFIX));
    for (const path of [offsetIndex.table.path, timeIndex.table.path, txnIndex.path]) {
      this.#attempt(() => {
        if (!disk.exists(path)) return;
        disk.rename(path, path + DELETED_SUFFIX);
        paths.push(path + DELETED_SUFFIX);
      });
    }
    return { file, paths };
  }

  #unlink(grave: Grave): void {
    const { disk } = this.#environment;
    this.#attempt(() => grave.file.unlink());
    for (const path of grave.paths) this.#attempt(() => disk.remove(path));
  }

  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#environment.logger.warn('A file of a deleted segment could not be removed', { error });
    }
  }
}
