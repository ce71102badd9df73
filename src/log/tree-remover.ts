import type { TimerHandle } from '../io/clock.ts';
import { DiskError } from '../io/disk.ts';
import type { LogEnvironment } from './log-environment.ts';
import { runSteps, type Steps } from './steps.ts';

/** Removes the directories of deleted logs, each after its delay. What is not removed when the broker stops is found by its name at the next start. */
export class TreeRemover {
  readonly #environment: LogEnvironment;
  readonly #timers = new Set<TimerHandle>();
  #closed = false;

  constructor(environment: LogEnvironment) {
    this.#environment = environment;
  }

  /** Removes the directory after `delayMs`. */
  later(path: string, delayMs: number): void {
    const { clock, logger } = this.#environment;
    const timer = clock.schedule(clock.monotonicMs() + delayMs, () => {
      this.#timers.delete(timer);
      runSteps(clock, this.#remove(path), (error) => {
        if (error === null) return;
        if (!(error instanceof DiskError)) throw error;
        logger.warn('The directory of a deleted log could not be removed', { path, error });
      });
    });
    this.#timers.add(timer);
  }

  /** File by file: each may be large, and there may be many. */
  *#remove(path: string): Steps<void> {
    const { disk } = this.#environment;
    const entries = disk.exists(path) ? disk.list(path) : [];
    for (const { name, kind } of entries) {
      if (this.#closed) return;
      if (kind === 'file') disk.remove(`${path}/${name}`);
      yield;
    }
    if (!this.#closed) disk.removeTree(path);
  }

  /** Nothing is removed any more. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) this.#environment.clock.cancel(timer);
    this.#timers.clear();
  }
}
