import { recordKey, type SimulationEvent } from '../events.ts';
import { type Checker, Violation } from './checker.ts';

/** Records of one producer stand in a partition in the order in which it sent them; a repeated record counts where it stands first. */
export class ProducerOrder implements Checker {
  readonly invariant = "a producer's records keep their order";

  on(event: SimulationEvent): void {
    if (event.kind !== 'audit') return;
    const last = new Map<number, number>();
    const seen = new Set<string>();
    for (const { offset, record } of event.records) {
      const key = recordKey(record);
      if (seen.has(key)) continue;
      seen.add(key);
      const before = last.get(record.producer) ?? -1;
      if (record.number < before) {
        throw new Violation(
          this.invariant,
          `${event.partition}@${offset} is ${key}, after number ${before} of the same producer`,
        );
      }
      last.set(record.producer, record.number);
    }
  }
}
