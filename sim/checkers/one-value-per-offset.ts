import { type PartitionName, type RecordIdentity, recordKey, type SimulationEvent } from '../events.ts';
import { type Checker, Violation } from './checker.ts';

/** Whoever sees an offset, as an acknowledgement, as a reader or in the audit, sees the same record there until the log is cut below it. */
export class OneValuePerOffset implements Checker {
  readonly invariant = 'an offset has one value';
  readonly #seen = new Map<PartitionName, Map<number, { readonly key: string; readonly durable: boolean }>>();

  on(event: SimulationEvent): void {
    if (event.kind === 'acknowledged' || event.kind === 'observed')
      this.#see(event.partition, event.offset, event.record, event.durable);
    if (event.kind === 'audit')
      for (const { offset, record } of event.records) this.#see(event.partition, offset, record, false);
    if (event.kind === 'cut') {
      const seen = this.#of(event.partition);
      for (const [offset, { key, durable }] of seen) {
        if (offset < event.end) continue;
        if (durable && event.cause === 'power')
          throw new Violation(
            this.invariant,
            `${event.partition}@${offset} showed ${key}, which did not outlive a loss of power`,
          );
        seen.delete(offset);
      }
    }
  }

  #see(partition: PartitionName, offset: number, record: RecordIdentity, durable: boolean): void {
    const seen = this.#of(partition);
    const key = recordKey(record);
    const before = seen.get(offset);
    if (before !== undefined && before.key !== key) {
      throw new Violation(this.invariant, `${partition}@${offset} was ${before.key} and is ${key}`);
    }
    if (before === undefined || (durable && !before.durable)) seen.set(offset, { key, durable });
  }

  #of(partition: PartitionName): Map<number, { readonly key: string; readonly durable: boolean }> {
    let seen = this.#seen.get(partition);
    if (seen === undefined) this.#seen.set(partition, (seen = new Map()));
    return seen;
  }
}
