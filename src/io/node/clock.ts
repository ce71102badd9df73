import type { Clock, TimerHandle } from '../clock.ts';

/** The longest delay that `setTimeout` takes. */
const MAX_DELAY_MS = 0x7fff_ffff;

/** The system's time, and the turns of Node's loop. */
export class NodeClock implements Clock {
  wallMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  schedule(deadlineMs: number, callback: () => void): TimerHandle {
    const timer = new NodeTimer(deadlineMs, callback);
    timer.arm();
    return timer;
  }

  cancel(handle: TimerHandle): void {
    (handle as NodeTimer).cancel();
  }

  defer(callback: () => void): void {
    setImmediate(callback);
  }
}

/** `setTimeout` counts whole milliseconds from the loop's last look at the clock, and may come early by one: then it is armed again. */
class NodeTimer {
  readonly #deadlineMs: number;
  readonly #callback: () => void;
  #timeout: NodeJS.Timeout | null = null;

  constructor(deadlineMs: number, callback: () => void) {
    this.#deadlineMs = deadlineMs;
    this.#callback = callback;
  }

  arm(): void {
    const delayMs = Math.ceil(this.#deadlineMs - performance.now());
    this.#timeout = setTimeout(this.#fire, Math.min(Math.max(delayMs, 0), MAX_DELAY_MS));
  }

  cancel(): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    this.#timeout = null;
  }

  readonly #fire = (): void => {
    if (performance.now() < this.#deadlineMs) {
      this.arm();
      return;
    }
    this.#timeout = null;
    this.#callback();
  };
}
