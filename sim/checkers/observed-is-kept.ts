import { type PartitionName, type RecordIdentity, recordKey, type SimulationEvent } from '../events.ts';
import { type Checker, Violation } from './checker.ts';

/** What a reader saw lies below the high watermark: it stays, unless a loss of power takes a suffix of what was not durable, or it is deleted at the start of the log. */
export class ObservedIsKept implements Checker {
  readonly invariant = 'what a reader saw stays';
  readonly #seen = new Map<PartitionName, Map<number, RecordIdentity>>();

  on(event: SimulationEvent): void {
    if (event.kind === 'observed') this.#of(event.partition).set(event.offset, event.record);
    if (event.kind === 'cut') {
      const seen = this.#of(event.partition);
      for (const offset of seen.keys()) if (offset >= event.end) seen.delete(offset);
    }
    if (event.kind === 'audit') {
      const there = new Set(event.records.map(({ offset }) => offset));
      for (const [offset, record] of this.#of(event.partition)) {
        if (offset >= event.start && !there.has(offset))
          throw new Violation(
            this.invariant,
            `${recordKey(record)} was read at ${event.partition}@${offset}, where nothing is now`,
          );
      }
    }
  }

  #of(partition: PartitionName): Map<number, RecordIdentity> {
    let seen = this.#seen.get(partition);
    if (seen === undefined) this.#seen.set(partition, (seen = new Map()));
    return seen;
  }
}
