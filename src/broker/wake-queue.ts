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
  readonly #defer: (callback: () => void) => void;
  readonly #inTurn: () => boolean;
  readonly #runLater = (): void => {
    this.#deferred = false;
    this.run();
  };
  #woken: Sleeper[] = [];
  #deferred = false;

  /** @param inTurn true while a turn is on at whose end `run` will be called. */
  constructor(defer: (callback: () => void) => void, inTurn: () => boolean) {
    this.#defer = defer;
    this.#inTurn = inTurn;
  }

  /** Has the sleeper run soon. */
  wake(sleeper: Sleeper): void {
    if (sleeper.wakePending) return;
    sleeper.wakePending = true;
    this.#woken.push(sleeper);
    if (this.#deferred || this.#inTurn()) return;
    this.#deferred = true;
    this.#defer(this.#runLater);
  }

  /** Runs everybody woken so far, and those whom they wake. */
  run(): void {
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
