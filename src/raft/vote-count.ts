import { assert } from '../base/assert.ts';
import type { VoterSet } from './voter-set.ts';

/** The votes of one election, or of one round of pre-votes; each voter counts once. */
export class VoteCount {
  readonly #voters: VoterSet;
  readonly #votes = new Map<number, boolean>();

  constructor(voters: VoterSet) {
    this.#voters = voters;
  }

  /** Records an answer; the first one of a voter stays. */
  record(voterId: number, granted: boolean): void {
    if (this.#voters.get(voterId) === null || this.#votes.has(voterId)) return;
    this.#votes.set(voterId, granted);
  }

  get isWon(): boolean {
    return this.granting.length >= this.#voters.majority;
  }

  /** True if those who have not answered cannot turn it any more. */
  get isLost(): boolean {
    const rejecting = [...this.#votes.values()].filter((granted) => !granted).length;
    return this.#voters.size - rejecting < this.#voters.majority;
  }

  /** Ids of those who said yes; ascending. */
  get granting(): readonly number[] {
    return this.#voters.ids.filter((id) => this.#votes.get(id) === true);
  }

  /** Ids of those who have not answered; ascending. */
  get silent(): readonly number[] {
    return this.#voters.ids.filter((id) => !this.#votes.has(id));
  }

  checkInvariants(): void {
    assert(!(this.isWon && this.isLost), 'an election is not both won and lost');
  }
}
