import type { Random } from '../../base/random.ts';
import type { PersistentMap } from '../../base/timeline-map.ts';
import type { TimelineKey } from '../../base/timeline-hash.ts';
import type { Timeline, TimelineMap } from '../../base/timeline.ts';
import type { Timer } from '../../base/timer-wheel.ts';
import type { CoordinatorRecord } from './coordinator-record.ts';
import type { CoordinatorResult } from './coordinator-result.ts';

/**
 * What lives on one partition of an internal topic: state that follows from the partition's records, and operations on it. Operations look at the
 * state and return records; `replay` alone changes it, as they are appended and again after a restart. What is not durable (sessions, parked requests) a coordinator
 * keeps beside it, and sets up in `onLoaded`.
 */
export interface Coordinator {
  /** Takes a record over. @param producerId of the transaction that it is part of, -1 for none: then it counts only once that ends. */
  replay(record: CoordinatorRecord, offset: number, producerId: number): void;
  /** Takes the end of a producer's transaction over. */
  replayTransactionEnd(producerId: number, committed: boolean): void;
  /** All records are replayed: time begins. */
  onLoaded(): void;
  /** The shard is another broker's now, or nobody's: parked requests are answered, timers are gone. */
  onUnloaded(): void;
  /** Asserts what must hold between two events. */
  checkInvariants(): void;
}

/** What a coordinator has of its shard. */
export interface ShardContext {
  /** Its collections are made from it, so that what fails to be written can be taken back. */
  readonly timeline: Timeline;
  readonly random: Random;
  /** Time of the present event, `monotonicMs`. */
  readonly nowMs: number;
  /** Wall clock of the present event, ms since the epoch. */
  readonly wallMs: number;
  /** The content of a map as far as it is committed. */
  committed<K extends TimelineKey, V>(map: TimelineMap<K, V>): PersistentMap<K, V>;
  /** Sets or moves a deadline; `onDeadline` does its work by `perform`. */
  schedule(timer: Timer, delayMs: number): void;
  /** Takes a deadline back. */
  cancel(timer: Timer): void;
  /** An operation that nobody asked for: a deadline has passed. */
  perform(operation: () => CoordinatorResult<unknown>): void;
}
