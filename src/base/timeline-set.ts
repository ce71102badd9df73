import type { TimelineKey } from './timeline-hash.ts';
import { PersistentMap } from './timeline-map.ts';

/** An immutable set with structural sharing; order and costs as of `PersistentMap`. */
export class PersistentSet<K extends TimelineKey> implements Iterable<K> {
  readonly #members: PersistentMap<K, true>;

  private constructor(members: PersistentMap<K, true>) {
    this.#members = members;
  }

  /** An empty set. */
  static empty<K extends TimelineKey>(): PersistentSet<K> {
    return new PersistentSet<K>(PersistentMap.empty());
  }

  /** A set of the given members. */
  static of<K extends TimelineKey>(members: Iterable<K>): PersistentSet<K> {
    const map = PersistentMap.empty<K, true>().toMutable();
    for (const member of members) map.set(member, true);
    return new PersistentSet(map.freeze());
  }

  /** Number of members. */
  get size(): number {
    return this.#members.size;
  }

  /** True if `member` is in the set. */
  has(member: K): boolean {
    return this.#members.has(member);
  }

  /** A set with `member`; this set when it has it. */
  add(member: K): PersistentSet<K> {
    const members = this.#members.set(member, true);
    return members === this.#members ? this : new PersistentSet(members);
  }

  /** A set without `member`; this set when it has none. */
  delete(member: K): PersistentSet<K> {
    const members = this.#members.delete(member);
    return members === this.#members ? this : new PersistentSet(members);
  }

  /** Calls `visit` for each member in the set's order. */
  forEach(visit: (member: K) => void): void {
    this.#members.forEach((_, member) => visit(member));
  }

  [Symbol.iterator](): IterableIterator<K> {
    return this.#members.keys();
  }
}
