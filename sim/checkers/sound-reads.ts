import type { SimulationEvent } from '../events.ts';
import { type Checker, Violation } from './checker.ts';

/** A reader is never handed a batch whose checksum or form is wrong, nor a gap, nor an offset it has passed. */
export class SoundReads implements Checker {
  readonly invariant = 'what is read is sound';

  on(event: SimulationEvent): void {
    if (event.kind === 'unsound') throw new Violation(this.invariant, `${event.partition}: ${event.detail}`);
  }
}
