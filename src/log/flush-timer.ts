import type { Clock, TimerHandle } from '../io/clock.ts';

/** A log that wants to be flushed later. */
export interface TimedFlush {
  /** Flushes it; called once per `schedule`. */
  flushNow(): void;
}

/** One timer for the `flush.ms` of all logs. */
export class FlushTimer {
  readonly #clock: Clock;
  readonly #deadlines = new Map<TimedFlush, number>();
  #timer: TimerHandle | null = null;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has `log` flushed after `delayMs`, or at its earlier deadline if it has one. */
  schedule(log: TimedFlush, delayMs: number): void {
    const deadlineMs = this.#clock.monotonicMs() + delayMs;
    if ((this.#deadlines.get(log) ?? Number.POSITIVE_INFINITY) <= deadlineMs) return;
    this.#deadlines.set(log, deadlineMs);
    if (deadlineMs < this.#timerMs) this.#arm(deadlineMs);
  }

  /** Forgets `log`. */
  cancel(log: TimedFlush): void {
    this.#deadlines.delete(log);
    if (this.#deadlines.size === 0) this.#disarm();
  }

  #arm(deadlineMs: number): void {
    this.#disarm();
    this.#timerMs = deadlineMs;
    this.#timer = this.#clock.schedule(deadlineMs, () => this.#fire());
  }

  #disarm(): void {
    if (this.#timer !== null) this.#clock.cancel(this.#timer);
    this.#timer = null;
    this.#timerMs = Number.POSITIVE_INFINITY;
  }

  #fire(): void {
    this.#timer = null;
    this.#timerMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonicMs();
    const due: TimedFlush[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [log, deadlineMs] of this.#deadlines) {
      if (deadlineMs <= nowMs) due.push(log);
      else nextMs = Math.min(nextMs, deadlineMs);
    }
    for (const log of due) this.#deadlines.delete(log);
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(nextMs);
    for (const log of due) log.flushNow();
  }
}
