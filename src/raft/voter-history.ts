import { assert } from '../base/assert.ts';
import type { VoterSet } from './voter-set.ts';

/** What a snapshot says about the quorum; `voters` is null where it says nothing (kraft.version 0). */
export interface QuorumFacts {
  readonly kraftVersion: number;
  readonly voters: VoterSet | null;
}

interface Entry<T> {
  readonly offset: number;
  readonly value: T;
}

/**
 * Which voters and which kraft.version hold at which offset: from the latest snapshot and the log's control records, committed or not. The
 * latest entry counts at once (KIP-853). Without an entry the voters are the configured ones, and kraft.version is 0.
 */
export class VoterHistory {
  readonly #configured: VoterSet;
  #voters: Entry<VoterSet>[] = [];
  #versions: Entry<number>[] = [];

  /** @param configured the voters of `controller.quorum.voters`; empty with dynamic voters. */
  constructor(configured: VoterSet) {
    this.#configured = configured;
  }

  get voters(): VoterSet {
    return this.#voters.at(-1)?.value ?? this.#configured;
  }

  /** The sets that may turn out to hold while only what is before `highWatermark` is known to be committed: the latest, and those it would fall back to. */
  possibleVoters(highWatermark: number): readonly VoterSet[] {
    const committed = this.#voters.findLastIndex(({ offset }) => offset < Math.max(highWatermark, 0));
    const possible = this.#voters.slice(Math.max(committed, 0)).map(({ value }) => value);
    return committed < 0 ? [this.#configured, ...possible] : possible;
  }

  get kraftVersion(): number {
    return this.#versions.at(-1)?.value ?? 0;
  }

  /** Offset of the record that names the voters: -1 when it is in the snapshot a node was formatted with; null when there is none. */
  get votersOffset(): number | null {
    return this.#voters.at(-1)?.offset ?? null;
  }

  /** The state at the end of the batch that holds `offset`; what a snapshot that ends after it must say. */
  at(offset: number): QuorumFacts {
    return {
      kraftVersion: this.#versions.findLast((entry) => entry.offset <= offset)?.value ?? 0,
      voters: this.#voters.findLast((entry) => entry.offset <= offset)?.value ?? null,
    };
  }

  addVoters(offset: number, voters: VoterSet): void {
    assert(offset > (this.#voters.at(-1)?.offset ?? -2), 'voter sets come in the order of the log');
    this.#voters.push({ offset, value: voters });
  }

  addVersion(offset: number, kraftVersion: number): void {
    assert(offset > (this.#versions.at(-1)?.offset ?? -2), 'kraft versions come in the order of the log');
    this.#versions.push({ offset, value: kraftVersion });
  }

  /** Forgets what was at or past an offset: it is no longer in the log. */
  truncate(endOffset: number): void {
    this.#voters = this.#voters.filter(({ offset }) => offset < endOffset);
    this.#versions = this.#versions.filter(({ offset }) => offset < endOffset);
  }

  /** Forgets what a snapshot that ends at this offset has replaced; the newest of them stays. */
  prune(endOffset: number): void {
    this.#voters = withoutOld(this.#voters, endOffset);
    this.#versions = withoutOld(this.#versions, endOffset);
  }

  /** Starts over from a snapshot that ends at this offset. */
  load(endOffset: number, facts: QuorumFacts): void {
    this.#versions = [{ offset: endOffset - 1, value: facts.kraftVersion }];
    this.#voters = facts.voters === null ? [] : [{ offset: endOffset - 1, value: facts.voters }];
  }
}

function withoutOld<T>(entries: readonly Entry<T>[], endOffset: number): Entry<T>[] {
  const newest = entries.findLastIndex(({ offset }) => offset < endOffset);
  return entries.slice(Math.max(newest, 0));
}
