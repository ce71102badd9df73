import { type PartitionName, type RecordIdentity, recordKey, type SimulationEvent } from '../events.ts';
import { type Checker, Violation } from './checker.ts';

/** However often an idempotent producer sends a record, it stands in the log at most once: whoever sees it, at whatever time, sees it at one offset, until the log is cut below it. */
export class NoDuplicates implements Checker {
  readonly invariant = 'an idempotent record is there once';
  readonly #isIdempotent: (producer: number) => boolean;
  readonly #places = new Map<PartitionName, Map<string, number>>();

  /** @param isIdempotent says of a producer's number whether it is idempotent. */
  constructor(isIdempotent: (producer: number) => boolean) {
    this.#isIdempotent = isIdempotent;
  }

  on(event: SimulationEvent): void {
    if (event.kind === 'acknowledged' || event.kind === 'observed')
      this.#see(event.partition, event.offset, event.record);
    if (event.kind === 'audit')
      for (const { offset, record } of event.records) this.#see(event.partition, offset, record);
    if (event.kind === 'cut') {
      const places = this.#of(event.partition);
      for (const [key, offset] of places) if (offset >= event.end) places.delete(key);
    }
  }

  #see(partition: PartitionName, offset: number, record: RecordIdentity): void {
    if (!this.#isIdempotent(record.producer)) return;
    const places = this.#of(partition);
    const key = recordKey(record);
    const before = places.get(key);
    if (before !== undefined && before !== offset)
      throw new Violation(this.invariant, `${key} is at ${partition}@${before} and @${offset}`);
    places.set(key, offset);
  }

  #of(partition: PartitionName): Map<string, number> {
    let places = this.#places.get(partition);
    if (places === undefined) this.#places.set(partition, (places = new Map()));
    return places;
  }
}
