import { type PartitionName, type RecordIdentity, recordKey, type SimulationEvent } from '../events.ts';
import { type Checker, Violation } from './checker.ts';

interface Promised {
  readonly record: RecordIdentity;
  readonly durable: boolean;
}

/**
 * No acknowledged record is lost beyond what DESIGN §6 promises: whatever was acknowledged outlives the process, and what counts as durable outlives the
 * machine. A loss of power may take a suffix of what was not durable, never a record below the end that is left. What is below the start of the log was deleted: see `LogStartIsKept`.
 */
export class AcknowledgedIsKept implements Checker {
  readonly invariant = 'an acknowledged record is kept';
  readonly #promised = new Map<PartitionName, Map<number, Promised>>();

  on(event: SimulationEvent): void {
    if (event.kind === 'acknowledged') this.#of(event.partition).set(event.offset, event);
    if (event.kind === 'cut') this.#cut(event.partition, event.end, event.cause);
    if (event.kind === 'audit') {
      const there = new Map(event.records.map(({ offset, record }) => [offset, recordKey(record)]));
      for (const [offset, { record }] of this.#of(event.partition)) {
        if (offset < event.start) continue;
        const found = there.get(offset);
        if (found !== recordKey(record)) {
          this.#fail(
            `${recordKey(record)} was acknowledged at ${event.partition}@${offset}, where ${found ?? 'nothing'} is now`,
          );
        }
      }
    }
  }

  #cut(partition: PartitionName, end: number, cause: 'power' | 'truncation'): void {
    const promised = this.#of(partition);
    for (const [offset, { record, durable }] of promised) {
      if (offset < end) continue;
      if (durable && cause === 'power') {
        this.#fail(
          `${recordKey(record)} was acknowledged as durable at ${partition}@${offset}, and the log ends at ${end} after a loss of power`,
        );
      }
      promised.delete(offset);
    }
  }

  #of(partition: PartitionName): Map<number, Promised> {
    let promised = this.#promised.get(partition);
    if (promised === undefined) this.#promised.set(partition, (promised = new Map()));
    return promised;
  }

  #fail(detail: string): never {
    throw new Violation(this.invariant, detail);
  }
}
