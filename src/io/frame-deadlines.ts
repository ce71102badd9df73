import type { Clock, TimerHandle } from './clock.ts';

/** A connection whose frame must become whole in time. */
export interface DeadlineUser {
  /** The time is over. */
  frameTimedOut(): void;
}

/** One timer over all connections with a frame that has begun; armed for the earliest deadline it knew of, so that frames which arrive in time cost none. */
export class FrameDeadlines {
  readonly #clock: Clock;
  readonly #deadlinesMs = new Map<DeadlineUser, number>();
  #timer: TimerHandle | null = null;
  #timerMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The clock of a connection runs from now on: it has so much time left. */
  start(user: DeadlineUser, leftMs: number): void {
    const deadlineMs = this.#clock.monotonicMs() + leftMs;
    this.#deadlinesMs.set(user, deadlineMs);
    if (this.#timer !== null && this.#timerMs <= deadlineMs) return;
    this.#arm(deadlineMs);
  }

  /** The clock of a connection stands still. @returns the time it has left */
  stop(user: DeadlineUser): number {
    const deadlineMs = this.#deadlinesMs.get(user);
    if (deadlineMs === undefined) return 0;
    this.#deadlinesMs.delete(user);
    return Math.max(0, deadlineMs - this.#clock.monotonicMs());
  }

  /** Forgets all. */
  close(): void {
    this.#deadlinesMs.clear();
    if (this.#timer !== null) this.#clock.cancel(this.#timer);
    this.#timer = null;
  }

  #arm(deadlineMs: number): void {
    if (this.#timer !== null) this.#clock.cancel(this.#timer);
    this.#timerMs = deadlineMs;
    this.#timer = this.#clock.schedule(deadlineMs, () => {
      this.#timer = null;
      this.#expire(this.#clock.monotonicMs());
    });
  }

  #expire(nowMs: number): void {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [user, deadlineMs] of this.#deadlinesMs) {
      if (deadlineMs <= nowMs) {
        this.#deadlinesMs.delete(user);
        user.frameTimedOut();
      } else {
        nextMs = Math.min(nextMs, deadlineMs);
      }
    }
    if (nextMs !== Number.POSITIVE_INFINITY && this.#timer === null) this.#arm(nextMs);
  }
}
