import type { Call } from './call.ts';

/** One row of an ApiVersions answer. */
export interface ApiVersionRange {
  readonly apiKey: number;
  /** Both inclusive. */
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** What a broker speaks, as it said itself when the connection was made. */
export class ApiVersionTable {
  readonly #ranges = new Map<number, ApiVersionRange>();

  constructor(ranges: readonly ApiVersionRange[]) {
    for (const range of ranges) this.#ranges.set(range.apiKey, range);
  }

  /** The highest version of an API that both sides speak, at most `atMost`; -1 when there is none. */
  pick(call: Call<never, unknown>, atMost = Number.POSITIVE_INFINITY): number {
    const range = this.#ranges.get(call.key);
    if (range === undefined) return -1;
    const version = Math.min(call.maxVersion, range.maxVersion, atMost);
    return version >= Math.max(call.minVersion, range.minVersion) ? version : -1;
  }

  /** The broker's range as text for messages: `0..4`, or `not at all`. */
  describe(apiKey: number): string {
    const range = this.#ranges.get(apiKey);
    return range === undefined ? 'not at all' : `in versions ${range.minVersion}..${range.maxVersion}`;
  }
}
