/** What a persistent map can be keyed by: a string, or a number other than NaN (-0 counts as 0). */
export type TimelineKey = string | number;

/**
 * A 32-bit hash of a key, the same in every process and run. Small non-negative integers hash to themselves, so that dense ids
 * fill the trie evenly.
 */
export function hashKey(key: TimelineKey): number {
  return typeof key === 'string' ? hashText(key) : hashNumber(key);
}

/** A total order over keys: numbers by value, then strings by UTF-16 code units. Used where hashes collide. */
export function compareKeys(a: TimelineKey, b: TimelineKey): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** FNV-1a over code units, then mixed so that the low bits, which choose the first level, depend on all of them. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function hashNumber(value: number): number {
  if (value >>> 0 === value) return value;
  if (Number.isSafeInteger(value)) {
    return (value ^ Math.imul(Math.floor(value / 0x1_0000_0000), 0x9e3779b1)) >>> 0;
  }
  return hashText(String(value));
}
