import { type PartitionName, type RecordIdentity, recordKey, type SimulationEvent } from '../events.ts';
import { type Checker, Violation } from './checker.ts';

/** A record that was acknowledged or read in one partition turns up in no other: not in a topic made anew under the old name, either. */
export class StaysInItsTopic implements Checker {
  readonly invariant = 'a record stays in its topic';
  readonly #home = new Map<string, PartitionName>();

  on(event: SimulationEvent): void {
    if (event.kind === 'acknowledged' || event.kind === 'observed') this.#see(event.partition, event.record);
    if (event.kind === 'audit') for (const { record } of event.records) this.#see(event.partition, record);
  }

  #see(partition: PartitionName, record: RecordIdentity): void {
    const key = recordKey(record);
    const home = this.#home.get(key);
    if (home === undefined) this.#home.set(key, partition);
    else if (home !== partition)
      throw new Violation(this.invariant, `${key} was in ${home} and is in ${partition}`);
  }
}
