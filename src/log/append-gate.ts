import { assert } from '../base/assert.ts';

/** A lane, as the gate sees it. */
export interface GatedLane {
  /** Writes what has been reserved. */
  release(): void;
}

/**
 * Holds the writes of all lanes back while the frames of one wake-up are handled, so that several appends to one log become one write. Shared by the logs of a
 * manager.
 */
export class AppendGate {
  #depth = 0;
  #lanes: GatedLane[] = [];

  get isCorked(): boolean {
    return this.#depth > 0;
  }

  /** From now on writes wait. Calls nest. */
  cork(): void {
    this.#depth++;
  }

  /** Ends the innermost `cork`; the last one lets the lanes write, in the order in which they were held. */
  uncork(): void {
    assert(this.#depth > 0, 'uncork follows a cork');
    if (--this.#depth > 0) return;
    const lanes = this.#lanes;
    this.#lanes = [];
    for (const lane of lanes) lane.release();
  }

  /** `lane` has something to write; it is released once. The lane sees to it that it does not ask twice. */
  hold(lane: GatedLane): void {
    this.#lanes.push(lane);
  }
}
