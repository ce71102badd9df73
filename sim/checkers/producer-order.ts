import { recordKey, type SimulationEvent } from '../events.ts';
import { type Checker, Violation } from './checker.ts';

/**
 * Records of one producer stand in a partition in the order in which it sent them. A repeated record counts where it stands first; one that its producer
 * gave up on does not count, since a frame on a broken connection may arrive after what was sent on the next.
 */
export class ProducerOrder implements Checker {
  readonly invariant = "a producer's records keep their order";

  readonly #abandoned = new Set<string>();

  on(event: SimulationEvent): void {
    if (event.kind === 'abandoned') this.#abandoned.add(`${event.partition} ${recordKey(event.record)}`);
    if (event.kind !== 'audit') return;
    const last = new Map<number, number>();
    const seen = new Set<string>();
    for (const { offset, record } of event.records) {
      const key = recordKey(record);
      if (seen.has(key) || this.#abandoned.has(`${event.partition} ${key}`)) continue;
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
