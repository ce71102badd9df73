/** Handle of one scheduled call, opaque to its owner. */
export type TimerHandle = object;

/**
 * Time and turns. The only source of both outside `io/node`; the simulator's is virtual. Callbacks run on the one JS
 * thread, never inside the call that scheduled them.
 */
export interface Clock {
  /** Wall clock: milliseconds since the Unix epoch, whole. It may jump. For timestamps in records and logs. */
  wallMs(): number;
  /** Milliseconds from an arbitrary start, fractional, never going back. For deadlines and durations. */
  monotonicMs(): number;
  /**
   * Calls `callback` once when `monotonicMs()` has reached `deadlineMs`. Meant for a few long-lived timers (the timer
   * wheel in `base/` multiplexes the many).
   */
  schedule(deadlineMs: number, callback: () => void): TimerHandle;
  /** Cancels a scheduled call; nothing happens when it has already run. */
  cancel(handle: TimerHandle): void;
  /** Runs `callback` in a later turn of the loop, after pending I/O had its chance; calls keep their order. */
  defer(callback: () => void): void;
}
