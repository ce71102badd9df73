import { recordKey, type SimulationEvent } from '../events.ts';
import { type Checker, Violation } from './checker.ts';

/** However often an idempotent producer sends a record, it stands in the log at most once. */
export class NoDuplicates implements Checker {
  readonly invariant = 'an idempotent record is there once';
  readonly #isIdempotent: (producer: number) => boolean;

  /** @param isIdempotent says of a producer's number whether it is idempotent. */
  constructor(isIdempotent: (producer: number) => boolean) {
    this.#isIdempotent = isIdempotent;
  }

  on(event: SimulationEvent): void {
    if (event.kind !== 'audit') return;
    const first = new Map<string, number>();
    for (const { offset, record } of event.records) {
      if (!this.#isIdempotent(record.producer)) continue;
      const key = recordKey(record);
      const before = first.get(key);
      if (before !== undefined)
        throw new Violation(this.invariant, `${key} is at ${event.partition}@${before} and @${offset}`);
      first.set(key, offset);
    }
  }
}
