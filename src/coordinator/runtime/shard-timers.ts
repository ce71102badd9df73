import { type Timer, TimerWheel, type WheelClock } from '../../base/timer-wheel.ts';

/** A clock that stands where the last event put it. */
class HeldClock implements WheelClock {
  nowMs = 0;
  deadlineMs = Number.POSITIVE_INFINITY;
  #callback: (() => void) | null = null;

  monotonicMs(): number {
    return this.nowMs;
  }

  schedule(deadlineMs: number, callback: () => void): object {
    this.deadlineMs = deadlineMs;
    this.#callback = callback;
    return this;
  }

  cancel(): void {
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#callback = null;
  }

  fire(): void {
    const callback = this.#callback;
    this.cancel();
    callback?.();
  }
}

/** The deadlines of one shard on a wheel that moves only when it is told the time. */
export class ShardTimers {
  readonly #clock = new HeldClock();
  readonly #wheel: TimerWheel;

  constructor(nowMs: number) {
    this.#clock.nowMs = nowMs;
    this.#wheel = new TimerWheel(this.#clock);
  }

  /** Deadlines set. */
  get size(): number {
    return this.#wheel.size;
  }

  /** When `advance` is to be called next, `monotonicMs`; null when there is no deadline. It may come a little early. */
  get nextDeadlineMs(): number | null {
    return this.#clock.deadlineMs === Number.POSITIVE_INFINITY ? null : this.#clock.deadlineMs;
  }

  /** Sets or moves a deadline, `delayMs` from the time last told. */
  schedule(timer: Timer, delayMs: number): void {
    this.#wheel.schedule(timer, this.#clock.nowMs + delayMs);
  }

  /** Takes a deadline back. */
  cancel(timer: Timer): void {
    this.#wheel.cancel(timer);
  }

  /** Tells the time without acting on it. */
  setNow(nowMs: number): void {
    if (nowMs > this.#clock.nowMs) this.#clock.nowMs = nowMs;
  }

  /** Tells the time and expires what is due. */
  advance(nowMs: number): void {
    this.setNow(nowMs);
    while (this.#clock.deadlineMs <= nowMs) this.#clock.fire();
  }

  /** Forgets every deadline. */
  close(): void {
    this.#wheel.close();
  }
}
