import { ZERO_UUID, type Uuid } from '../base/uuid.ts';

/** "No node", where a message or a file names a leader or a vote. */
export const NO_NODE = -1;

/**
 * What a voter must not forget (formats §17): the epoch it has seen, the leader it follows in it, and whom it gave its vote. The driver writes it
 * as `quorum-state`, with data version 0 or 1 by `kraftVersion`.
 */
export interface ElectionState {
  readonly epoch: number;
  /** -1 for none. */
  readonly leaderId: number;
  /** -1 for none. */
  readonly votedId: number;
  /** `ZERO_UUID` when the vote was given without one. */
  readonly votedDirectoryId: Uuid;
  readonly kraftVersion: number;
  /** What data version 0 also writes. */
  readonly voterIds: readonly number[];
}

/** The state of a node that has never been in a quorum. */
export const FIRST_ELECTION_STATE: ElectionState = {
  epoch: 0,
  leaderId: NO_NODE,
  votedId: NO_NODE,
  votedDirectoryId: ZERO_UUID,
  kraftVersion: 0,
  voterIds: [],
};

/** True if nothing in it differs that must survive a restart. */
export function sameElection(a: ElectionState, b: ElectionState): boolean {
  return (
    a.epoch === b.epoch &&
    a.leaderId === b.leaderId &&
    a.votedId === b.votedId &&
    a.votedDirectoryId === b.votedDirectoryId &&
    a.kraftVersion === b.kraftVersion
  );
}
