import type { SnapshotId } from './log-state.ts';
import type { Endpoint, ReplicaKey, VoterSet } from './voter-set.ts';
import type { VoteCount } from './vote-count.ts';

/**
 * The roles and what each remembers. A node is in exactly one; what it does there is in `roles/`.
 *
 *     from          to            when
 *     any           unattached    a higher epoch is heard of whose leader is not known
 *     any           follower      the leader of the same epoch (where none is known yet) or of a higher one is heard of
 *     unattached    unattached    it votes in the standard election of another
 *     unattached    prospective   the election timeout passes (voters only)
 *     prospective   candidate     a majority grants its pre-vote, or a voter does not know pre-votes
 *     prospective   unattached    a majority rejects it or the election timeout passes; no leader is known
 *     prospective   follower      the same, and a leader is known
 *     prospective   prospective   it votes in the standard election of another
 *     candidate     leader        a majority votes for it, its own vote being durable
 *     candidate     prospective   the election timeout passes
 *     follower      prospective   the fetch timeout passes (voters only)
 *     leader        resigned      no majority fetches, it was removed from the voters, it cannot write, or it shuts down
 *     resigned      unattached    the election timeout passes, in the next epoch
 *     resigned      prospective   the same, for the only voter
 *
 * "Voters" are here those that may stand: also one whose removal is not known to be committed.
 *
 * At start: resigned if it led the epoch; candidate if it voted for itself; follower if the leader's endpoints are known; else unattached. A node that is not a
 * voter is unattached or follower only. An epoch never falls, and a vote in it is given once.
 */
export type RoleState =
  | ResignedState
  | UnattachedState
  | ProspectiveState
  | CandidateState
  | LeaderState
  | FollowerState;

/** Names of the roles. */
export type RoleName = RoleState['name'];

/** Led this epoch and tells the others that it does no longer; neither votes nor appends in it. */
export interface ResignedState {
  readonly name: 'resigned';
  readonly electionDeadlineMs: number;
  /** Voters that have not acknowledged EndQuorumEpoch. */
  readonly unacknowledged: Set<number>;
  /** By how much of the log they hold, most first. */
  readonly preferredSuccessors: readonly ReplicaKey[];
}

/** Knows the epoch but not its leader; looks for it through the bootstrap servers. */
export interface UnattachedState {
  readonly name: 'unattached';
  /** Infinity for an observer. */
  readonly electionDeadlineMs: number;
}

/** Asks whether it would be elected, without a new epoch (KIP-996). */
export interface ProspectiveState {
  readonly name: 'prospective';
  electionDeadlineMs: number;
  readonly votes: VoteCount;
  /** The leader of the epoch that it has not heard of lately; goes back to it when it would not win. */
  readonly leaderEndpoints: readonly Endpoint[];
}

/** Stands for election in an epoch of its own, having voted for itself. */
export interface CandidateState {
  readonly name: 'candidate';
  readonly electionDeadlineMs: number;
  /** Of the persist that makes its own vote durable; the vote counts from then on. */
  readonly voteTicket: number;
  readonly votes: VoteCount;
}

/** How far a replica is, as its leader knows. Times are -1 where nothing is known. */
export interface ReplicaProgress {
  key: ReplicaKey;
  /** All below is durable there (a voter) or held there (an observer); -1 when not known. */
  endOffset: number;
  lastFetchMs: number;
  lastCaughtUpMs: number;
  /** The leader's log end at its last fetch. */
  lastFetchLeaderEndOffset: number;
  /** It has heard of this leader. */
  hasAcknowledged: boolean;
}

/** A change of the voters that somebody waits for. */
export type PendingChange =
  | {
      readonly kind: 'add';
      readonly requestId: number;
      readonly voterKey: ReplicaKey;
      readonly endpoints: readonly Endpoint[];
      readonly ackWhenCommitted: boolean;
      readonly deadlineMs: number;
      /** Correlation id of the ApiVersions request that asks what the new voter supports. */
      readonly correlationId: number;
      /** Offset of the record; -1 while ApiVersions is not answered. */
      recordOffset: number;
      isAnswered: boolean;
    }
  | {
      readonly kind: 'remove';
      readonly requestId: number;
      readonly deadlineMs: number;
      readonly recordOffset: number;
    };

/** A Fetch that waits for records or for the high watermark. */
export interface WaitingFetch {
  readonly requestId: number;
  readonly deadlineMs: number;
  readonly replica: ReplicaKey;
  readonly fetchOffset: number;
  readonly lastFetchedEpoch: number;
  readonly highWatermark: number;
  readonly maxBytes: number;
}

/** Takes appends and serves fetches. */
export interface LeaderState {
  readonly name: 'leader';
  readonly epochStartOffset: number;
  /** The high watermark has passed the start of the epoch. */
  hasHighWatermark: boolean;
  readonly grantingVoterIds: readonly number[];
  /** By node id. */
  voters: Map<number, ReplicaProgress>;
  /** By formatted key. */
  readonly observers: Map<string, ReplicaProgress>;
  /** Voters that have fetched since the timer of check-quorum was last set. */
  readonly fetchedVoters: Set<number>;
  checkQuorumDeadlineMs: number;
  beginQuorumDeadlineMs: number;
  change: PendingChange | null;
  /** kraft.version 0: the voters with what they have said of themselves, kept for the upgrade (KIP-853). */
  volatileVoters: VoterSet | null;
  waiting: WaitingFetch[];
  resignRequested: boolean;
}

/** A snapshot on its way from the leader. */
export interface SnapshotDownload {
  readonly id: SnapshotId;
  /** Bytes received. */
  position: number;
  /** Waits for the driver to freeze it. */
  isFreezing: boolean;
}

/** Fetches from the leader of the epoch. */
export interface FollowerState {
  readonly name: 'follower';
  readonly leaderId: number;
  leaderEndpoints: readonly Endpoint[];
  fetchDeadlineMs: number;
  updateVoterDeadlineMs: number;
  /** Has had a successful answer from this leader. */
  hasFetched: boolean;
  /** kraft.version 0: has told this leader about itself. */
  hasUpdatedLeader: boolean;
  download: SnapshotDownload | null;
}
