/** Who can be woken: runs once per wake, however often it was asked for. */
export interface Sleeper {
  /** Set by the queue while the sleeper is in it. */
  wakePending: boolean;
  /** Looks whether what it waited for has come. */
  onWake(): void;
}

/**
 * Collects those whom progress has woken and runs them together: at the end of the current turn, or, outside of one, in a turn of their own. So a hundred
 * appends of one wake-up cost a waiting fetch one look, and producers are answered first.
 */
export class WakeQueue {
  readonly #requestTurn: () => void;
  readonly #inTurn: () => boolean;
  #woken: Sleeper[] = [];
  #requested = false;

  /**
   * @param requestTurn has `run` called in a later turn.
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

  /** Runs everybody woken so far, and those whom they wake. */
  run(): void {
    this.#requested = false;
    while (this.#woken.length > 0) {
      const woken = this.#woken;
      this.#woken = [];
      for (const sleeper of woken) {
        sleeper.wakePending = false;
        sleeper.onWake();
      }
    }
  }
}
