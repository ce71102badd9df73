import { assert } from '../base/assert.ts';
import type { Clock } from '../io/clock.ts';
import type { DiskError } from '../io/disk.ts';
import type { PartitionLog } from './partition-log.ts';
import { STEP_BUDGET_MS } from './steps.ts';

/** Logs that are closed at the same time. */
const MAX_CLOSING = 32;

/**
 * Closes many logs, a bounded number at a time. Most logs of a large broker have nothing to be written and close at once: after a few milliseconds of that the loop gets
 * its turn.
 */
export class LogCloser {
  readonly #clock: Clock;
  readonly #logs: readonly PartitionLog[];
  readonly #closed: (log: PartitionLog, error: DiskError | null) => void;
  readonly #done: () => void;
  #next = 0;
  #open = 0;
  #pumping = false;

  /** @param closed called for each log @param done called once, after the last */
  constructor(
    clock: Clock,
    logs: readonly PartitionLog[],
    closed: (log: PartitionLog, error: DiskError | null) => void,
    done: () => void,
  ) {
    this.#clock = clock;
    this.#logs = logs;
    this.#closed = closed;
    this.#done = done;
  }

  /** Begins; to be called once. */
  start(): void {
    assert(this.#next === 0, 'logs are closed once');
    this.#pump();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const deadlineMs = this.#clock.monotonicMs() + STEP_BUDGET_MS;
    while (this.#open < MAX_CLOSING && this.#next < this.#logs.length) {
      this.#close(this.#logs[this.#next++] as PartitionLog);
      if (this.#clock.monotonicMs() < deadlineMs) continue;
      this.#clock.defer(() => {
        this.#pumping = false;
        this.#pump();
      });
      return;
    }
    this.#pumping = false;
    if (this.#open === 0 && this.#next === this.#logs.length) this.#done();
  }

  #close(log: PartitionLog): void {
    this.#open++;
    log.close((error) => {
      this.#open--;
      this.#closed(log, error);
      this.#pump();
    });
  }
}
