import type { SimulationEvent } from '../events.ts';

/** One invariant, held against everything that is seen from outside. One file each. */
export interface Checker {
  /** The invariant as a sentence; what a failing run prints and what a planted error names. */
  readonly invariant: string;
  /** Looks at one event. @throws Violation */
  on(event: SimulationEvent): void;
}

/** An invariant was broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: string;

  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}
