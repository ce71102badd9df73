import type { Clock, TimerHandle } from '../io/clock.ts';

/** How soon a directory that vanished is noticed at the latest. */
const LOOK_AFTER_MS = 2_000;

/** What is done again and again for all logs. */
export interface ManagerChores {
  checkpoint(): void;
  highWatermarks(): void;
  lookAfter(): void;
  expireProducers(): void;
  applyRetention(): void;
}

/** How often, ms. */
export interface ManagerPeriods {
  readonly checkpointMs: number;
  readonly highWatermarkMs: number;
  readonly expireProducersMs: number;
  readonly retentionMs: number;
}

/** The periodic work of a log manager. */
export class ManagerTimers {
  readonly #clock: Clock;
  readonly #periods: ManagerPeriods;
  readonly #timers = new Map<object, TimerHandle>();
  #stopped = false;

  constructor(clock: Clock, periods: ManagerPeriods) {
    this.#clock = clock;
    this.#periods = periods;
  }

  start(chores: ManagerChores): void {
    this.#every(this.#periods.checkpointMs, () => chores.checkpoint());
    this.#every(this.#periods.highWatermarkMs, () => chores.highWatermarks());
    this.#every(LOOK_AFTER_MS, () => chores.lookAfter());
    this.#every(this.#periods.expireProducersMs, () => chores.expireProducers());
    this.#every(this.#periods.retentionMs, () => chores.applyRetention());
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) this.#clock.cancel(timer);
    this.#timers.clear();
  }

  #every(periodMs: number, chore: () => void): void {
    const arm = (): void => {
      if (this.#stopped) return;
      this.#timers.set(
        chore,
        this.#clock.schedule(this.#clock.monotonicMs() + periodMs, () => {
          chore();
          arm();
        }),
      );
    };
    arm();
  }
}
