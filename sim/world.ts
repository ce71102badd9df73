import type { Random } from '../src/base/random.ts';
import { AcknowledgedIsKept } from './checkers/acknowledged-is-kept.ts';
import { type Checker, Violation } from './checkers/checker.ts';
import { LogStartIsKept } from './checkers/log-start-is-kept.ts';
import { NoDuplicates } from './checkers/no-duplicates.ts';
import { ObservedIsKept } from './checkers/observed-is-kept.ts';
import { OneValuePerOffset } from './checkers/one-value-per-offset.ts';
import { ProducerOrder } from './checkers/producer-order.ts';
import { SoundReads } from './checkers/sound-reads.ts';
import { StaysInItsTopic } from './checkers/stays-in-its-topic.ts';
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

  readonly #looksInside: boolean;

  /** @param options `isIdempotent` says of a producer's number whether it is idempotent, `isRetained` of a partition whether the broker deletes of it by itself; see `SimulationOptions` for `looksInside` */
  constructor(
    random: Random,
    options: {
      readonly print: ((line: string) => void) | null;
      readonly isIdempotent: (producer: number) => boolean;
      readonly isRetained: (partition: string) => boolean;
      readonly looksInside: boolean;
    },
  ) {
    const { isIdempotent, isRetained } = options;
    this.random = random;
    this.#looksInside = options.looksInside;
    this.trace = new Trace(options.print);
    this.#checkers = [
      new AcknowledgedIsKept(),
      new ObservedIsKept(),
      new OneValuePerOffset(),
      new LogStartIsKept(isRetained),
      new ProducerOrder(),
      new NoDuplicates(isIdempotent),
      new SoundReads(),
      new StaysInItsTopic(),
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

  /** Runs `check`, which asserts what must hold inside of what is simulated; nothing happens where only the outside counts. */
  inside(check: () => void): void {
    if (!this.#looksInside) return;
    try {
      check();
    } catch (error) {
      this.fail(new Violation('the broker keeps its own invariants', (error as Error).message));
    }
  }

  /** Ends the run as failed; the first failure counts. */
  fail(error: Error): void {
    this.failure ??= error;
  }

  /** Runs `step`; what it throws ends the run as its failure. */
  guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.fail(error as Error);
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
    case 'asked-to-delete':
      return `asked to delete ${event.partition} below ${event.offset}`;
    case 'deleted':
      return `deleted ${event.partition} below ${event.lowWatermark}`;
    case 'told-start':
      return `told that ${event.partition} begins at ${event.start}`;
    case 'audit':
      return `audit ${event.partition} from ${event.start}: ${event.records.length} records ${event.records.map(({ offset, record }) => `${offset}=${recordKey(record)}`).join(' ')}`;
  }
}
