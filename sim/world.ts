import type { Random } from '../src/base/random.ts';
import { AcknowledgedIsKept } from './checkers/acknowledged-is-kept.ts';
import type { Checker } from './checkers/checker.ts';
import { NoDuplicates } from './checkers/no-duplicates.ts';
import { OneValuePerOffset } from './checkers/one-value-per-offset.ts';
import { ProducerOrder } from './checkers/producer-order.ts';
import { SoundReads } from './checkers/sound-reads.ts';
import { recordKey, type SimulationEvent } from './events.ts';
import { Trace } from './trace.ts';
import { VirtualClock } from './virtual/clock.ts';

/** What all of a run share: time, chance, the trace and the checkers. */
export class World {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly trace: Trace;
  readonly #checkers: readonly Checker[];
  /** Events seen by the checkers, by kind. */
  readonly counts = new Map<SimulationEvent['kind'], number>();
  /** Set when a checker or an actor found an invariant broken; the run ends then. */
  failure: Error | null = null;

  /** @param isIdempotent says of a producer's number whether it is idempotent. */
  constructor(
    random: Random,
    print: ((line: string) => void) | null,
    isIdempotent: (producer: number) => boolean,
  ) {
    this.random = random;
    this.trace = new Trace(print);
    this.#checkers = [
      new AcknowledgedIsKept(),
      new OneValuePerOffset(),
      new ProducerOrder(),
      new NoDuplicates(isIdempotent),
      new SoundReads(),
    ];
  }

  /** Traces what happened outside the checkers' sight. */
  note(what: string): void {
    this.trace.add(this.clock.monotonicMs(), what);
  }

  /** Traces an event and shows it to every checker. The first violation ends the run. */
  emit(event: SimulationEvent): void {
    this.note(describe(event));
    this.counts.set(event.kind, (this.counts.get(event.kind) ?? 0) + 1);
    for (const checker of this.#checkers) this.guard(() => checker.on(event));
  }

  /** Runs `step`; what it throws ends the run as its failure. */
  guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.failure ??= error as Error;
    }
  }
}

function describe(event: SimulationEvent): string {
  switch (event.kind) {
    case 'acknowledged':
    case 'observed':
      return `${event.kind} ${event.partition}@${event.offset} ${recordKey(event.record)}${event.durable ? ' durable' : ''}`;
    case 'abandoned':
      return `abandoned ${event.partition} ${recordKey(event.record)}`;
    case 'unsound':
      return `unsound ${event.partition}: ${event.detail}`;
    case 'cut':
      return `cut ${event.partition} at ${event.end} by ${event.cause}`;
    case 'audit':
      return `audit ${event.partition}: ${event.records.length} records ${event.records.map(({ offset, record }) => `${offset}=${recordKey(record)}`).join(' ')}`;
  }
}
