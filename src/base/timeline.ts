import { assert } from './assert.ts';
import type { TimelineKey } from './timeline-hash.ts';
import { type MutableMap, PersistentMap } from './timeline-map.ts';

/**
 * State with snapshots: a state machine creates all its collections and values from one `Timeline`, changes them in place, takes a
 * snapshot at each point it may have to come back to (named by a rising number, such as a log offset) and rolls back.
 *
 * A snapshot costs O(number of collections), a change what a persistent map costs, memory what changed since. Values put in
 * must be immutable themselves: frozen objects or persistent maps and sets.
 */
export class Timeline {
  readonly #parts: TimelinePart[] = [];
  /** Ascending by position; those below `#first` are released. */
  #snapshots: Snapshot[] = [];
  #first = 0;

  /** A map that takes part in the snapshots. All parts are created before the first snapshot. */
  createMap<K extends TimelineKey, V>(): TimelineMap<K, V> {
    return this.#register(new TimelineMap<K, V>());
  }

  /** A single value that takes part in the snapshots. */
  createValue<T>(initial: T): TimelineValue<T> {
    return this.#register(new TimelineValue<T>(initial));
  }

  /** Keeps the present state under `position`, which must be above that of every snapshot still held. */
  snapshot(position: number): void {
    const newest = this.newestPosition;
    assert(newest === null || position > newest, `snapshot ${position} is not above ${newest}`);
    this.#snapshots.push({ position, states: this.#parts.map((part) => part.save()) });
  }

  /** Makes the state that of the snapshot at `position`, which stays; those above it are dropped. */
  rollbackTo(position: number): void {
    for (let top = this.#snapshots.length - 1; top >= this.#first; top--) {
      const snapshot = this.#snapshots[top] as Snapshot;
      if (snapshot.position === position) {
        this.#parts.forEach((part, i) => part.load(snapshot.states[i]));
        return;
      }
      this.#snapshots.pop();
    }
    assert(false, `there is no snapshot ${position} to roll back to`);
  }

  /** Drops every snapshot below `position`; they can no longer be rolled back to. */
  releaseBelow(position: number): void {
    while (this.#first < this.#snapshots.length && this.#positionAt(this.#first) < position) this.#first++;
    if (this.#first > 32 && this.#first * 2 > this.#snapshots.length) {
      this.#snapshots = this.#snapshots.slice(this.#first);
      this.#first = 0;
    }
  }

  /** True if `position` can be rolled back to. */
  hasSnapshot(position: number): boolean {
    for (let i = this.#snapshots.length - 1; i >= this.#first; i--) {
      if (this.#positionAt(i) <= position) return this.#positionAt(i) === position;
    }
    return false;
  }

  /** The content that `map` had at the newest snapshot at or below `position`; null when no such snapshot is held. O(log of the snapshots). */
  viewAt<K extends TimelineKey, V>(map: TimelineMap<K, V>, position: number): PersistentMap<K, V> | null {
    const snapshot = this.#newestAtOrBelow(position);
    if (snapshot === null) return null;
    return snapshot.states[this.#parts.indexOf(map)] as PersistentMap<K, V>;
  }

  /** Drops the snapshots that no reader at or above `position` needs: all below the newest one at or below it. */
  releaseUpTo(position: number): void {
    const snapshot = this.#newestAtOrBelow(position);
    if (snapshot !== null) this.releaseBelow(snapshot.position);
  }

  #newestAtOrBelow(position: number): Snapshot | null {
    let low = this.#first;
    let high = this.#snapshots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#positionAt(middle) <= position) low = middle + 1;
      else high = middle;
    }
    return low === this.#first ? null : (this.#snapshots[low - 1] as Snapshot);
  }

  /** Number of snapshots held. */
  get snapshotCount(): number {
    return this.#snapshots.length - this.#first;
  }

  /** Position of the oldest snapshot held, which is where a rollback can go at most; or null. */
  get oldestPosition(): number | null {
    return this.#first < this.#snapshots.length ? this.#positionAt(this.#first) : null;
  }

  /** Position of the newest snapshot held, or null. */
  get newestPosition(): number | null {
    return this.snapshotCount === 0 ? null : this.#positionAt(this.#snapshots.length - 1);
  }

  #positionAt(i: number): number {
    return (this.#snapshots[i] as Snapshot).position;
  }

  #register<T extends TimelinePart>(part: T): T {
    assert(this.#snapshots.length === 0, 'parts of a timeline are created before its first snapshot');
    this.#parts.push(part);
    return part;
  }
}

interface Snapshot {
  readonly position: number;
  /** One state for each part, in the order of creation. */
  readonly states: readonly unknown[];
}

interface TimelinePart {
  save(): unknown;
  load(state: unknown): void;
}

/** A mutable map within a `Timeline`. */
export class TimelineMap<K extends TimelineKey, V> implements TimelinePart {
  readonly #map: MutableMap<K, V> = PersistentMap.empty<K, V>().toMutable();

  /** Number of keys. */
  get size(): number {
    return this.#map.size;
  }

  /** The value under `key`, or undefined. */
  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  /** True if `key` is there. */
  has(key: K): boolean {
    return this.#map.has(key);
  }

  /** Binds `key` to `value`. */
  set(key: K, value: V): void {
    this.#map.set(key, value);
  }

  /** Removes `key`; false if it was not there. */
  delete(key: K): boolean {
    return this.#map.delete(key);
  }

  /** The present content, immutable: safe to iterate while this map is changed. O(1). */
  view(): PersistentMap<K, V> {
    return this.#map.freeze();
  }

  /** For the timeline. */
  save(): unknown {
    return this.#map.freeze();
  }

  /** For the timeline. */
  load(state: unknown): void {
    this.#map.restore(state as PersistentMap<K, V>);
  }
}

/** A mutable cell within a `Timeline`. */
export class TimelineValue<T> implements TimelinePart {
  #value: T;

  constructor(initial: T) {
    this.#value = initial;
  }

  /** The present value. */
  get value(): T {
    return this.#value;
  }

  /** Replaces the value. */
  set value(value: T) {
    this.#value = value;
  }

  /** For the timeline. */
  save(): unknown {
    return this.#value;
  }

  /** For the timeline. */
  load(state: unknown): void {
    this.#value = state as T;
  }
}
