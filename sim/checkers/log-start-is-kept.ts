import type { PartitionName, SimulationEvent } from '../events.ts';
import { type Checker, Violation } from './checker.ts';

interface Starts {
  /** Where a log may begin: at its start, and where somebody asked that it begin. */
  readonly asked: Set<number>;
  /** What clients were told is deleted, and when; ascending in both. */
  readonly deleted: { readonly atMs: number; readonly below: number }[];
}

/**
 * What a client was told is deleted never comes back, also not after a loss of power; where nobody deletes but clients, a log begins where one of them asked that it begin and
 * nowhere else; and no log begins above its high watermark.
 */
export class LogStartIsKept implements Checker {
  readonly invariant = 'a log begins where it was told to';
  readonly #isRetained: (partition: PartitionName) => boolean;
  readonly #starts = new Map<PartitionName, Starts>();

  /** @param isRetained says of a partition whether the broker itself deletes of it by time or size. */
  constructor(isRetained: (partition: PartitionName) => boolean) {
    this.#isRetained = isRetained;
  }

  on(event: SimulationEvent): void {
    if (event.kind === 'asked-to-delete') this.#of(event.partition).asked.add(event.offset);
    if (event.kind === 'deleted') {
      this.#check(event.partition, event.lowWatermark, event.atMs);
      this.#of(event.partition).deleted.push({ atMs: event.atMs, below: event.lowWatermark });
    }
    if (event.kind === 'told-start') {
      this.#check(event.partition, event.start, event.askedMs);
      if (event.ends !== null && event.start > event.ends)
        this.#fail(`${event.partition} begins at ${event.start} and ends at ${event.ends}`);
    }
    if (event.kind === 'audit') this.#check(event.partition, event.start, Number.POSITIVE_INFINITY);
  }

  #check(partition: PartitionName, start: number, askedMs: number): void {
    const { asked, deleted } = this.#of(partition);
    // An answer may have been on its way when something was deleted.
    const below = deleted.findLast(({ atMs }) => atMs < askedMs)?.below ?? 0;
    if (start < below)
      this.#fail(`${partition} begins at ${start}, after all below ${below} was said to be deleted`);
    if (!this.#isRetained(partition) && !asked.has(start))
      this.#fail(`${partition} begins at ${start}, which nobody asked for`);
  }

  #of(partition: PartitionName): Starts {
    let starts = this.#starts.get(partition);
    if (starts === undefined) this.#starts.set(partition, (starts = { asked: new Set([0]), deleted: [] }));
    return starts;
  }

  #fail(detail: string): never {
    throw new Violation(this.invariant, detail);
  }
}
