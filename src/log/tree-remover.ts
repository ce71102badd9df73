import type { TimerHandle } from '../io/clock.ts';
import { DiskError } from '../io/disk.ts';
import type { LogEnvironment } from './log-environment.ts';

/** Removes the directories of deleted logs, each after its delay. What is not removed when the broker stops is found by its name at the next start. */
export class TreeRemover {
  readonly #environment: LogEnvironment;
  readonly #timers = new Set<TimerHandle>();

  constructor(environment: LogEnvironment) {
    this.#environment = environment;
  }

  /** Removes the directory after `delayMs`. */
  later(path: string, delayMs: number): void {
    const { clock, disk, logger } = this.#environment;
    const timer = clock.schedule(clock.monotonicMs() + delayMs, () => {
      this.#timers.delete(timer);
      try {
        disk.removeTree(path);
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        logger.warn('The directory of a deleted log could not be removed', { path, error });
      }
    });
    this.#timers.add(timer);
  }

  /** Nothing is removed any more. */
  close(): void {
    for (const timer of this.#timers) this.#environment.clock.cancel(timer);
    this.#timers.clear();
  }
}
