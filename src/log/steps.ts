import { assert } from '../base/assert.ts';
import type { Clock } from '../io/clock.ts';
import type { DiskCallback, DiskError } from '../io/disk.ts';

/**
 * Long work in small steps. A generator yields where it may be interrupted (`yield`), or yields a function to wait for a callback; the
 * runner goes on for at most a few milliseconds and then lets the loop have a turn. Everything stays on the one thread, and what happens
 * between two yields happens at once.
 */
export type Steps<T> = Generator<Wait | undefined, T, void>;

/** Starts something and calls `resume` once when it is finished, inline or later. */
export type Wait = (resume: () => void) => void;

/** Longest time the runner keeps the loop, ms. */
export const STEP_BUDGET_MS = 4;
/** Most interruptible points passed without a turn, so that work of many owners interleaves even if no time passes. */
const MAX_POINTS_PER_TURN = 256;

/**
 * Runs `steps` to their end; begins before it returns. `done` gets what was thrown, or what was returned. Only operating errors are to be expected in
 * `error`; the caller rethrows others.
 */
export function runSteps<T>(
  clock: Clock,
  steps: Steps<T>,
  done: (error: unknown, value: T | undefined) => void,
): void {
  let running = false;
  let resumed = false;
  const advance = (): void => {
    // A wait that is answered before it returns must not recurse: the loop below goes on instead.
    resumed = true;
    if (running) return;
    running = true;
    const deadlineMs = clock.monotonicMs() + STEP_BUDGET_MS;
    let points = 0;
    while (resumed) {
      let step: IteratorResult<Wait | undefined, T>;
      try {
        step = steps.next();
      } catch (error) {
        running = false;
        done(error, undefined);
        return;
      }
      if (step.done) {
        running = false;
        done(null, step.value);
        return;
      }
      if (step.value !== undefined) {
        resumed = false;
        step.value(advance);
      } else if (++points >= MAX_POINTS_PER_TURN || clock.monotonicMs() >= deadlineMs) {
        resumed = false;
        clock.defer(advance);
      }
    }
    running = false;
  };
  advance();
}

/** Waits for a disk operation. @returns its error, null when it succeeded */
export function* awaitDisk(start: (done: DiskCallback) => void): Steps<DiskError | null> {
  let result: DiskError | null = null;
  yield (resume) => {
    start((error) => {
      result = error;
      resume();
    });
  };
  return result;
}

/** Does all of it at once, for work that is known to be short and never waits. @returns what `steps` returns @throws what `steps` throws */
export function finishSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    assert(step.value === undefined, 'nothing is waited for within a turn');
  }
}
