import { type TimelineKey, hashKey } from './timeline-hash.ts';
import {
  ABSENT,
  EMPTY_TRIE,
  TrieCursor,
  type TrieNode,
  type TrieOwner,
  trieChange,
  trieDelete,
  trieGet,
  trieSet,
} from './timeline-trie.ts';

/** Hashes a key to 32 bits. Only tests choose another than `hashKey`. */
export type KeyHash = (key: TimelineKey) => number;

/** What can be read from a persistent map and from a map that is still being changed. */
export interface MapView<K extends TimelineKey, V> extends Iterable<[K, V]> {
  /** Number of keys. */
  readonly size: number;
  /** The value under `key`, or undefined. */
  get(key: K): V | undefined;
  /** True if `key` is there, whatever its value. */
  has(key: K): boolean;
  /** Keys, in the map's order. */
  keys(): IterableIterator<K>;
  /** Values, in the map's order. */
  values(): IterableIterator<V>;
  /** Calls `visit` for each pair in the map's order; cheaper than iterating. */
  forEach(visit: (value: V, key: K) => void): void;
}

/** Reading, common to the immutable and the mutable map. */
abstract class TrieMap<K extends TimelineKey, V> implements MapView<K, V> {
  protected root: TrieNode;
  protected readonly hash: KeyHash;
  #size: number;

  constructor(root: TrieNode, size: number, hash: KeyHash) {
    this.root = root;
    this.#size = size;
    this.hash = hash;
  }

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    const found = trieGet(this.root, this.hash(key), key);
    return found === ABSENT ? undefined : (found as V);
  }

  has(key: K): boolean {
    return trieGet(this.root, this.hash(key), key) !== ABSENT;
  }

  forEach(visit: (value: V, key: K) => void): void {
    const cursor = new TrieCursor(this.root);
    while (cursor.next()) visit(cursor.value as V, cursor.key as K);
  }

  *keys(): IterableIterator<K> {
    const cursor = new TrieCursor(this.root);
    while (cursor.next()) yield cursor.key as K;
  }

  *values(): IterableIterator<V> {
    const cursor = new TrieCursor(this.root);
    while (cursor.next()) yield cursor.value as V;
  }

  *[Symbol.iterator](): IterableIterator<[K, V]> {
    const cursor = new TrieCursor(this.root);
    while (cursor.next()) yield [cursor.key as K, cursor.value as V];
  }

  protected replaceContent(root: TrieNode, size: number): void {
    this.root = root;
    this.#size = size;
  }
}

/**
 * An immutable map: `set` and `delete` give a new map that shares all but a few nodes with the old one, in O(log32 n). The order of iteration
 * depends on the keys alone, not on the history, and is the same in every process.
 */
export class PersistentMap<K extends TimelineKey, V> extends TrieMap<K, V> {
  /** An empty map. */
  static empty<K extends TimelineKey, V>(hash: KeyHash = hashKey): PersistentMap<K, V> {
    return new PersistentMap<K, V>(EMPTY_TRIE, 0, hash);
  }

  /** A map of the given pairs; a later pair replaces an earlier one of the same key. */
  static of<K extends TimelineKey, V>(pairs: Iterable<readonly [K, V]>): PersistentMap<K, V> {
    const map = PersistentMap.empty<K, V>().toMutable();
    for (const [key, value] of pairs) map.set(key, value);
    return map.freeze();
  }

  /** A map with `key` bound to `value`; this map when it already is. */
  set(key: K, value: V): PersistentMap<K, V> {
    const root = trieSet(this.root, this.hash(key), key, value, null, this.hash);
    return root === this.root ? this : new PersistentMap(root, this.size + trieChange.size, this.hash);
  }

  /** A map without `key`; this map when it has none. */
  delete(key: K): PersistentMap<K, V> {
    const root = trieDelete(this.root, this.hash(key), key, null);
    return root === this.root ? this : new PersistentMap(root, this.size + trieChange.size, this.hash);
  }

  /** A mutable map that starts from this one and leaves it untouched. O(1). */
  toMutable(): MutableMap<K, V> {
    return new MutableMap(this, this.root, this.hash);
  }
}

/**
 * A map changed in place, with `freeze()` in O(1): nodes made since the last freeze are changed where they are, nodes that a frozen map
 * may share are copied first. It must not be changed while it is iterated.
 */
export class MutableMap<K extends TimelineKey, V> extends TrieMap<K, V> {
  #owner: TrieOwner = {};
  /** The frozen map with this content, if nothing has changed since it was made. */
  #frozen: PersistentMap<K, V> | null;

  /** Use `PersistentMap.toMutable`. */
  constructor(frozen: PersistentMap<K, V>, root: TrieNode, hash: KeyHash) {
    super(root, frozen.size, hash);
    this.#frozen = frozen;
  }

  /** Binds `key` to `value`. */
  set(key: K, value: V): void {
    const root = trieSet(this.root, this.hash(key), key, value, this.#owner, this.hash);
    this.#frozen = null;
    this.replaceContent(root, this.size + trieChange.size);
  }

  /** Removes `key`; false if it was not there. */
  delete(key: K): boolean {
    const root = trieDelete(this.root, this.hash(key), key, this.#owner);
    if (trieChange.size === 0) return false;
    this.#frozen = null;
    this.replaceContent(root, this.size - 1);
    return true;
  }

  /** The present content as an immutable map, which later changes here do not touch. O(1). */
  freeze(): PersistentMap<K, V> {
    if (this.#frozen === null) {
      this.#owner = {};
      this.#frozen = new PersistentMap<K, V>(this.root, this.size, this.hash);
    }
    return this.#frozen;
  }

  /** Takes over the content of `frozen`, which was made by `freeze` here or elsewhere. O(1). */
  restore(frozen: PersistentMap<K, V>): void {
    this.#owner = {};
    this.#frozen = frozen;
    this.replaceContent(frozen.toMutable().root, frozen.size);
  }
}
