import { assert } from '../base/assert.ts';
import type { DiskCallback, DiskError } from '../io/disk.ts';

/** Counts what a log has under way beside its appends: flushes, and writes of indexes and snapshots. Files must not be cut or closed under them. */
export class BackgroundWork {
  #running = 0;
  #waiting: (() => void)[] = [];

  get isQuiet(): boolean {
    return this.#running === 0;
  }

  /** Starts a write that may fail without harm; `failed` hears of it. */
  run(start: (done: DiskCallback) => void, failed: (error: DiskError) => void): void {
    this.begin();
    start((error) => {
      if (error !== null) failed(error);
      this.end();
    });
  }

  begin(): void {
    this.#running++;
  }

  end(): void {
    assert(this.#running > 0, 'work ends once');
    this.#running--;
    while (this.#running === 0) {
      const callback = this.#waiting.shift();
      if (callback === undefined) return;
      callback();
    }
  }

  /** Calls back once nothing is under way: at once, or later. */
  whenQuiet(callback: () => void): void {
    if (this.isQuiet) callback();
    else this.#waiting.push(callback);
  }
}
