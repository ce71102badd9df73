import { assert } from './assert.ts';
import { type TimelineKey, compareKeys } from './timeline-hash.ts';

/**
 * The hash trie under the persistent maps: 32-way, five bits of the hash a level, lowest first. A `Branch` keeps, apart,
 * the pairs that end at it and the children below it, each dense and addressed by the population count of a bit map
 * (the CHAMP layout of Steindorfer and Vinju, OOPSLA 2015). Keys whose 32 bits agree end in a `Collision` below the last level.
 *
 * The form is canonical: the same content gives the same trie and so the same order of iteration, whatever was
 * inserted and removed before, because a child that is down to one pair is taken back into its parent.
 *
 * A node whose `owner` is the caller's is changed in place, any other is copied.
 */
export type TrieNode = Branch | Collision;

/** Says who may change a node in place; compared by identity. */
export type TrieOwner = object;

const BITS_A_LEVEL = 5;
const HASH_BITS = 32;

class Branch {
  pairMap: number;
  childMap: number;
  /** key, value, key, value, … */
  pairs: unknown[];
  children: TrieNode[];
  owner: TrieOwner | null;

  constructor(
    pairMap: number,
    childMap: number,
    pairs: unknown[],
    children: TrieNode[],
    owner: TrieOwner | null,
  ) {
    this.pairMap = pairMap;
    this.childMap = childMap;
    this.pairs = pairs;
    this.children = children;
    this.owner = owner;
  }
}

class Collision {
  /** key, value, …, in the order of `compareKeys`; at least two pairs. */
  pairs: unknown[];
  owner: TrieOwner | null;

  constructor(pairs: unknown[], owner: TrieOwner | null) {
    this.pairs = pairs;
    this.owner = owner;
  }
}

/** The trie without a pair. */
export const EMPTY_TRIE: TrieNode = new Branch(0, 0, [], [], null);

/** What the last `trieSet` or `trieDelete` did to the number of pairs: +1, 0 or -1. One shared cell; read it at once. */
export const trieChange = { size: 0 };

/** Stands for "no such key", since `undefined` may be a value. */
export const ABSENT: unique symbol = Symbol('absent');

/** The value under a key, or `ABSENT`. */
export function trieGet(root: TrieNode, hash: number, key: TimelineKey): unknown {
  let node = root;
  for (let shift = 0; node instanceof Branch; shift += BITS_A_LEVEL) {
    const bit = bitAt(hash, shift);
    if ((node.pairMap & bit) !== 0) {
      const at = 2 * rank(node.pairMap, bit);
      return node.pairs[at] === key ? node.pairs[at + 1] : ABSENT;
    }
    if ((node.childMap & bit) === 0) return ABSENT;
    node = node.children[rank(node.childMap, bit)] as TrieNode;
  }
  for (let at = 0; at < node.pairs.length; at += 2) {
    if (node.pairs[at] === key) return node.pairs[at + 1];
  }
  return ABSENT;
}

/** The trie with `key` bound to `value`; the very same node when it was already. `hashOf` is needed where a pair moves down. */
export function trieSet(
  root: TrieNode,
  hash: number,
  key: TimelineKey,
  value: unknown,
  owner: TrieOwner | null,
  hashOf: (key: TimelineKey) => number,
): TrieNode {
  trieChange.size = 0;
  return setBelow(root, 0, { hash, key, value, owner, hashOf });
}

/** The trie without `key`; the very same node when it was not there. */
export function trieDelete(
  root: TrieNode,
  hash: number,
  key: TimelineKey,
  owner: TrieOwner | null,
): TrieNode {
  trieChange.size = 0;
  return deleteBelow(root, 0, hash, key, owner);
}

/** Walks the pairs of a trie in its order; the trie must not be changed in place meanwhile. */
export class TrieCursor {
  key: TimelineKey = 0;
  value: unknown = undefined;
  readonly #nodes: TrieNode[] = [];
  readonly #positions: number[] = [];

  constructor(root: TrieNode) {
    this.#nodes.push(root);
    this.#positions.push(0);
  }

  /** Moves to the next pair and sets `key` and `value`; false at the end. A node's pairs come before its children's. */
  next(): boolean {
    for (let top = this.#nodes.length - 1; top >= 0; top = this.#nodes.length - 1) {
      const node = this.#nodes[top] as TrieNode;
      const position = this.#positions[top] as number;
      const pairCount = node.pairs.length / 2;
      this.#positions[top] = position + 1;
      if (position < pairCount) {
        this.key = node.pairs[2 * position] as TimelineKey;
        this.value = node.pairs[2 * position + 1];
        return true;
      }
      const child = node instanceof Branch ? node.children[position - pairCount] : undefined;
      if (child === undefined) {
        this.#nodes.pop();
        this.#positions.pop();
      } else {
        this.#nodes.push(child);
        this.#positions.push(0);
      }
    }
    return false;
  }
}

interface Insertion {
  readonly hash: number;
  readonly key: TimelineKey;
  readonly value: unknown;
  readonly owner: TrieOwner | null;
  readonly hashOf: (key: TimelineKey) => number;
}

function setBelow(node: TrieNode, shift: number, insertion: Insertion): TrieNode {
  if (node instanceof Collision) return setInCollision(node, insertion);
  const { hash, key, value, owner } = insertion;
  const bit = bitAt(hash, shift);
  if ((node.pairMap & bit) !== 0) {
    const at = 2 * rank(node.pairMap, bit);
    const present = node.pairs[at] as TimelineKey;
    if (present !== key) return splitPair(node, shift, bit, insertion);
    if (Object.is(node.pairs[at + 1], value)) return node;
    const target = owned(node, owner);
    target.pairs[at + 1] = value;
    return target;
  }
  if ((node.childMap & bit) !== 0) {
    const at = rank(node.childMap, bit);
    const child = node.children[at] as TrieNode;
    const changed = setBelow(child, shift + BITS_A_LEVEL, insertion);
    if (changed === child) return node;
    const target = owned(node, owner);
    target.children[at] = changed;
    return target;
  }
  trieChange.size = 1;
  const target = owned(node, owner);
  target.pairs = target.pairs.toSpliced(2 * rank(node.pairMap, bit), 0, key, value);
  target.pairMap |= bit;
  return target;
}

/** Two keys share the slot at `bit`: both move into a new child. */
function splitPair(node: Branch, shift: number, bit: number, insertion: Insertion): TrieNode {
  const at = 2 * rank(node.pairMap, bit);
  const present = node.pairs[at] as TimelineKey;
  const first: Insertion = {
    ...insertion,
    hash: insertion.hashOf(present),
    key: present,
    value: node.pairs[at + 1],
  };
  const child = joined(first, insertion, shift + BITS_A_LEVEL);
  trieChange.size = 1;
  const target = owned(node, insertion.owner);
  target.pairs = target.pairs.toSpliced(at, 2);
  target.pairMap &= ~bit;
  target.children = target.children.toSpliced(rank(node.childMap, bit), 0, child);
  target.childMap |= bit;
  return target;
}

function joined(a: Insertion, b: Insertion, shift: number): TrieNode {
  if (shift >= HASH_BITS) {
    const [low, high] = compareKeys(a.key, b.key) < 0 ? [a, b] : [b, a];
    return new Collision([low.key, low.value, high.key, high.value], b.owner);
  }
  const bitOfA = bitAt(a.hash, shift);
  const bitOfB = bitAt(b.hash, shift);
  if (bitOfA === bitOfB) {
    return new Branch(0, bitOfA, [], [joined(a, b, shift + BITS_A_LEVEL)], b.owner);
  }
  const [low, high] = bitOfA >>> 0 < bitOfB >>> 0 ? [a, b] : [b, a];
  return new Branch(bitOfA | bitOfB, 0, [low.key, low.value, high.key, high.value], [], b.owner);
}

function setInCollision(node: Collision, insertion: Insertion): TrieNode {
  const { key, value, owner } = insertion;
  let at = 0;
  while (at < node.pairs.length && compareKeys(node.pairs[at] as TimelineKey, key) < 0) at += 2;
  const present = at < node.pairs.length && node.pairs[at] === key;
  if (present && Object.is(node.pairs[at + 1], value)) return node;
  const target = owner !== null && node.owner === owner ? node : new Collision(node.pairs.slice(), owner);
  if (present) {
    target.pairs[at + 1] = value;
  } else {
    target.pairs = target.pairs.toSpliced(at, 0, key, value);
    trieChange.size = 1;
  }
  return target;
}

function deleteBelow(
  node: TrieNode,
  shift: number,
  hash: number,
  key: TimelineKey,
  owner: TrieOwner | null,
): TrieNode {
  if (node instanceof Collision) return deleteInCollision(node, key, owner);
  const bit = bitAt(hash, shift);
  if ((node.pairMap & bit) !== 0) {
    const at = 2 * rank(node.pairMap, bit);
    if (node.pairs[at] !== key) return node;
    trieChange.size = -1;
    const target = owned(node, owner);
    target.pairs = target.pairs.toSpliced(at, 2);
    target.pairMap &= ~bit;
    return target;
  }
  if ((node.childMap & bit) === 0) return node;
  const at = rank(node.childMap, bit);
  const child = node.children[at] as TrieNode;
  const changed = deleteBelow(child, shift + BITS_A_LEVEL, hash, key, owner);
  // The size says whether something was removed: a child owned by us is the same object after the change.
  if (trieChange.size === 0) return node;
  const target = owned(node, owner);
  if (changed.pairs.length === 2 && (changed instanceof Collision || changed.children.length === 0)) {
    target.children = target.children.toSpliced(at, 1);
    target.childMap &= ~bit;
    target.pairs = target.pairs.toSpliced(2 * rank(node.pairMap, bit), 0, changed.pairs[0], changed.pairs[1]);
    target.pairMap |= bit;
  } else {
    assert(
      changed.pairs.length > 0 || (changed as Branch).children.length > 0,
      'a trie child is never empty',
    );
    target.children[at] = changed;
  }
  return target;
}

function deleteInCollision(node: Collision, key: TimelineKey, owner: TrieOwner | null): TrieNode {
  const at = node.pairs.indexOf(key);
  // A value may be equal to a key: only even positions are keys.
  const position = at % 2 === 0 ? at : keyPosition(node, key);
  if (position < 0) return node;
  trieChange.size = -1;
  return new Collision(node.pairs.toSpliced(position, 2), owner);
}

function keyPosition(node: Collision, key: TimelineKey): number {
  for (let at = 0; at < node.pairs.length; at += 2) if (node.pairs[at] === key) return at;
  return -1;
}

function owned(node: Branch, owner: TrieOwner | null): Branch {
  if (owner !== null && node.owner === owner) return node;
  return new Branch(node.pairMap, node.childMap, node.pairs.slice(), node.children.slice(), owner);
}

function bitAt(hash: number, shift: number): number {
  return 1 << ((hash >>> shift) & 31);
}

/** How many bits of `map` lie below `bit`. */
function rank(map: number, bit: number): number {
  let bits = map & (bit - 1);
  bits -= (bits >>> 1) & 0x55555555;
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
