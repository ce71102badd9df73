import type { Clock } from '../io/clock.ts';
import { STEP_BUDGET_MS, type Steps, type Wait } from './steps.ts';

/** Most steps between two turns, so that others get theirs even where time stands still. */
const MAX_STEPS_PER_TURN = 256;

interface Task {
  readonly steps: Steps<unknown>;
  readonly done: (error: unknown, value: unknown) => void;
}

/**
 * Runs many `Steps` side by side, one step of each in turn, and all of them together keep the loop no longer than one alone would (`runSteps` gives each its own
 * few milliseconds).
 */
export class StepRunner {
  readonly #clock: Clock;
  readonly #ready: Task[] = [];
  #running = false;
  #deferred = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins now or in one of the next turns; `done` gets what was thrown, or what was returned, as with `runSteps`. */
  run<T>(steps: Steps<T>, done: (error: unknown, value: T | undefined) => void): void {
    this.#ready.push({ steps, done: done as Task['done'] });
    this.#wake();
  }

  #wake(): void {
    if (!this.#running && !this.#deferred) this.#turn();
  }

  #turn(): void {
    this.#running = true;
    const deadlineMs = this.#clock.monotonicMs() + STEP_BUDGET_MS;
    let steps = 0;
    for (let task = this.#ready.shift(); task !== undefined; task = this.#ready.shift()) {
      this.#step(task);
      if (this.#ready.length === 0) continue;
      if (++steps < MAX_STEPS_PER_TURN && this.#clock.monotonicMs() < deadlineMs) continue;
      this.#deferred = true;
      this.#clock.defer(() => {
        this.#deferred = false;
        this.#turn();
      });
      break;
    }
    this.#running = false;
  }

  #step(task: Task): void {
    let step: IteratorResult<Wait | undefined, unknown>;
    try {
      step = task.steps.next();
    } catch (error) {
      task.done(error, undefined);
      return;
    }
    if (step.done === true) task.done(null, step.value);
    else if (step.value === undefined) this.#ready.push(task);
    else {
      step.value(() => {
        this.#ready.push(task);
        this.#wake();
      });
    }
  }
}
