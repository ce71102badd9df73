/** Who can be woken: runs once per wake, however often it was asked for. */
export interface Sleeper {
  /** Set by the queue while the sleeper is in it. */
  wakePending: boolean;
  /** Looks whether what it waited for has come. */
  onWake(): void;
}

/** Sleepers that run in one turn. Each looks at its partitions and may answer: some 20 µs. */
const MAX_WAKES_PER_TURN = 100;

/**
 * Collects those whom progress has woken and runs them together: at the end of the current turn, or, outside of one, in a turn of their own. So a hundred
 * appends of one wake-up cost a waiting fetch one look, and producers are answered first.
 */
export class WakeQueue {
  readonly #requestTurn: () => void;
  readonly #inTurn: () => boolean;
  #woken: Sleeper[] = [];
  #requested = false;
  /** Sleepers run since the queue was empty, or since `turn`. */
  #ran = 0;

  /**
   * @param requestTurn has `turn` and `run` called in a later turn.
   * @param inTurn true while a turn is on, at whose end `run` will be called anyway.
   */
  constructor(requestTurn: () => void, inTurn: () => boolean) {
    this.#requestTurn = requestTurn;
    this.#inTurn = inTurn;
  }

  /** Has the sleeper run soon. */
  wake(sleeper: Sleeper): void {
    if (sleeper.wakePending) return;
    sleeper.wakePending = true;
    this.#woken.push(sleeper);
    if (this.#requested || this.#inTurn()) return;
    this.#requested = true;
    this.#requestTurn();
  }

  /**
   * Runs those woken so far, and those whom they wake, up to a bound since the queue was last empty or a turn was given to it; the rest in such a turn, so that
   * nobody else waits for thousands of them.
   */
  run(): void {
    let at = 0;
    for (; at < this.#woken.length && this.#ran < MAX_WAKES_PER_TURN; at++, this.#ran++) {
      const sleeper = this.#woken[at] as Sleeper;
      sleeper.wakePending = false;
      sleeper.onWake();
    }
    if (at === this.#woken.length) {
      this.#woken.length = 0;
      this.#ran = 0;
      return;
    }
    this.#woken.splice(0, at);
    if (this.#requested) return;
    this.#requested = true;
    this.#requestTurn();
  }

  /** The turn that was asked for begins: `run` may go on. */
  turn(): void {
    this.#requested = false;
    this.#ran = 0;
  }
}
