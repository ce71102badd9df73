/** Tasks that end by a call: those of one key run one after the other in the order they were asked for, those of different keys side by side. */
export class KeyedQueue {
  /** Keys with a task under way, and the tasks that wait behind it. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #whenIdle: (() => void)[] = [];

  /** Starts the task now or when its turn comes; the task calls `ended` once. */
  run(key: string, task: (ended: () => void) => void): void {
    const start = (): void => task(() => this.#ended(key));
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      waiting.push(start);
      return;
    }
    this.#waiting.set(key, []);
    start();
  }

  /** Calls back when no task is under way; at once when that is so now. */
  whenIdle(callback: () => void): void {
    if (this.#waiting.size === 0) callback();
    else this.#whenIdle.push(callback);
  }

  /** Forgets all tasks; those under way must not end any more. */
  reset(): void {
    this.#waiting.clear();
    this.#whenIdle = [];
  }

  #ended(key: string): void {
    const next = this.#waiting.get(key)?.shift();
    if (next !== undefined) {
      next();
      return;
    }
    this.#waiting.delete(key);
    if (this.#waiting.size === 0) for (const callback of this.#whenIdle.splice(0)) callback();
  }
}

/** A callback that calls `first` with its argument, then `second`. */
export function callThen<T>(first: (value: T) => void, second: () => void): (value: T) => void {
  return (value) => {
    first(value);
    second();
  };
}
