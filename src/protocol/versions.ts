import { assert } from '../base/assert.ts';
import type { Versions } from './schema.ts';

/** A parsed range of versions, both ends inclusive; empty when `low > high`. */
export interface VersionRange {
  readonly low: number;
  readonly high: number;
}

/** The highest version number there can be; what an open range ends with. */
export const MAX_VERSION = 32767;

const NONE: VersionRange = { low: 1, high: 0 };

/** Parses Kafka's notation: `'2+'`, `'0-3'`, `'1'`, `'none'`. */
export function parseVersions(text: Versions): VersionRange {
  if (text === 'none') return NONE;
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text);
  assert(match !== null, `not a range of versions: ${text}`);
  const low = Number(match[1]);
  if (match[2] !== undefined) return { low, high: MAX_VERSION };
  return { low, high: match[3] === undefined ? low : Number(match[3]) };
}

/** True if `version` lies in the range. */
export function hasVersion(versions: Versions, version: number): boolean {
  const range = parseVersions(versions);
  return version >= range.low && version <= range.high;
}
