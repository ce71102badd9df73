import type { Clock, TimerHandle } from '../../src/io/clock.ts';

/** A clock that stands until a test moves it. */
export class ManualClock implements Clock {
  nowMs = 1_000_000;
  #timers: { readonly deadlineMs: number; readonly callback: () => void }[] = [];
  #deferred: (() => void)[] = [];

  wallMs(): number {
    return 1_700_000_000_000 + this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  schedule(deadlineMs: number, callback: () => void): TimerHandle {
    const timer = { deadlineMs, callback };
    this.#timers.push(timer);
    return timer;
  }

  cancel(handle: TimerHandle): void {
    this.#timers = this.#timers.filter((timer) => timer !== handle);
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** Runs what was deferred. */
  turn(): void {
    for (const callback of this.#deferred.splice(0)) callback();
  }

  /** Lets time pass; timers run when they are due, in order. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      this.turn();
      this.#timers.sort((a, b) => a.deadlineMs - b.deadlineMs);
      const next = this.#timers[0];
      if (next === undefined || next.deadlineMs > endMs) break;
      this.#timers.shift();
      this.nowMs = Math.max(this.nowMs, next.deadlineMs);
      next.callback();
    }
    this.nowMs = endMs;
    this.turn();
  }
}
