import { assert } from '../base/assert.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import { type ElectionState, FIRST_ELECTION_STATE, NO_NODE, sameElection } from './election-state.ts';
import { LogState } from './log-state.ts';
import type {
  AnswerToSend,
  LeaderRecord,
  QuorumRecord,
  RaftEffect,
  RaftOptions,
  RaftStart,
  RequestToSend,
} from './raft-api.ts';
import { Requests } from './requests.ts';
import type { LeaderState, RoleState } from './role-states.ts';
import { randomElectionTimeoutMs } from './timeouts.ts';
import { VoteCount } from './vote-count.ts';
import { VoterHistory } from './voter-history.ts';
import { type Endpoint, type ReplicaKey, type Voter, VoterSet } from './voter-set.ts';

/** Lowest kraft.version that this program can work with: fixed voters. */
export const MIN_KRAFT_VERSION = 0;
/** Highest kraft.version that this program can work with: voters in the log (KIP-853). */
export const MAX_KRAFT_VERSION = 1;

/**
 * What all roles share: the log as it will be, the voters, epoch, leader and vote, the role, and the effects to be carried out. Its transitions are the only
 * places where the role, the epoch and the vote change; each checks that it is one of the table in `role-states.ts` and has the new state persisted.
 *
 * No message leaves while an election state that was to be persisted before it is not durable: neither vote nor epoch is ever told and then forgotten.
 */
export class Quorum {
  readonly options: RaftOptions;
  readonly log: LogState;
  readonly history: VoterHistory;
  readonly requests: Requests;
  role: RoleState;
  epoch = 0;
  /** Leader of the epoch; -1 while it is not known. */
  leaderId = NO_NODE;
  /** Whom this node gave its vote in the epoch; null for nobody. */
  vote: ReplicaKey | null = null;
  /** End of what is known to be committed; -1 while nothing is. Never falls. */
  highWatermark = -1;
  /** Why the machine stopped for good; null while it runs. */
  failure: string | null = null;
  isShuttingDown = false;
  nowMs: number;
  /** Leaders this node no longer is: who waits for them is to be told. */
  abandoned: LeaderState[] = [];

  #effects: RaftEffect[] = [];
  #held: {
    readonly ticket: number;
    readonly generation: number;
    readonly effect: RequestToSend | AnswerToSend;
  }[] = [];
  #persisted: ElectionState;
  #ticket = 0;
  #durableTicket = 0;
  #electionTicket = 0;
  #flush: { readonly ticket: number; readonly endOffset: number; readonly generation: number } | null = null;
  #correlationId = 0;
  #announced = { leaderId: NO_NODE, epoch: -1 };

  constructor(options: RaftOptions, start: RaftStart, nowMs: number) {
    this.options = options;
    this.nowMs = nowMs;
    this.log = new LogState(start.log);
    this.requests = new Requests(options.timeouts.retryBackoffMs);
    this.history = new VoterHistory(options.configuredVoters);
    if (start.snapshot !== null) {
      this.history.load(start.snapshot.id.endOffset, start.snapshot.facts);
      if (start.snapshot.id.endOffset > 0) this.highWatermark = start.snapshot.id.endOffset;
    }
    for (const { offset, record } of start.controlRecords) this.replay(offset, record);
    const election = start.election ?? FIRST_ELECTION_STATE;
    this.#persisted = election;
    this.role = { name: 'unattached', electionDeadlineMs: Infinity };
    this.#begin(election);
  }

  get key(): ReplicaKey {
    return { id: this.options.nodeId, directoryId: this.options.directoryId };
  }

  /** This node as a voter's entry should have it. */
  get ownVoter(): Voter {
    const { endpoints, nodeId } = this.options;
    return {
      voterId: this.options.nodeId,
      voterDirectoryId: this.options.directoryId,
      // A node that is not reached by the others leaves what is known of it.
      endpoints: endpoints.length > 0 ? endpoints : this.voters.endpointsOf(nodeId),
      minSupportedVersion: MIN_KRAFT_VERSION,
      maxSupportedVersion: MAX_KRAFT_VERSION,
    };
  }

  get voters(): VoterSet {
    return this.history.voters;
  }

  get isVoter(): boolean {
    return this.options.canBecomeVoter && this.voters.isVoter(this.key);
  }

  /**
   * True for a voter, and for one that is removed by a record not known to be committed: it may be the only one that holds the record, and the voters that are left
   * need not reach a majority without it (Raft dissertation, section 4.2.2). It stands for election without counting itself. Where no other leader can be elected,
   * Apache Kafka's node would wait for one forever.
   */
  get mayStand(): boolean {
    if (!this.options.canBecomeVoter || this.isVoter) return this.isVoter;
    return this.history.possibleVoters(this.highWatermark).some((voters) => voters.isVoter(this.key));
  }

  /** The leader's state; null in any other role. */
  get leading(): LeaderState | null {
    return this.role.name === 'leader' ? this.role : null;
  }

  /** Endpoints of the leader of the epoch; none while it or they are not known. */
  get leaderEndpoints(): readonly Endpoint[] {
    const { role } = this;
    if (role.name === 'follower' || role.name === 'prospective') return role.leaderEndpoints;
    if (role.name === 'leader' || role.name === 'resigned') return this.options.endpoints;
    return [];
  }

  // Transitions.

  becomeUnattached(epoch: number, leaderId = NO_NODE): void {
    const { role } = this;
    assert(epoch > this.epoch || role.name === 'prospective', 'a known epoch is not taken up again');
    let electionDeadlineMs = this.nowMs + this.#electionTimeoutMs();
    if (!this.mayStand) electionDeadlineMs = Infinity;
    else if (role.name === 'candidate' || role.name === 'unattached' || role.name === 'resigned') {
      electionDeadlineMs = Math.max(role.electionDeadlineMs, this.nowMs);
    } else if (role.name === 'prospective' && !role.votes.isLost) {
      electionDeadlineMs = Math.max(role.electionDeadlineMs, this.nowMs);
    }
    if (electionDeadlineMs === Infinity && this.mayStand) {
      electionDeadlineMs = this.nowMs + this.#electionTimeoutMs();
    }
    this.#enter({ name: 'unattached', electionDeadlineMs }, { epoch, leaderId });
  }

  becomeFollower(epoch: number, leaderId: number, leaderEndpoints: readonly Endpoint[]): void {
    assert(leaderId !== this.options.nodeId, 'no node follows itself');
    assert(epoch >= this.epoch, 'an epoch never falls');
    if (epoch === this.epoch) {
      assert(this.leaderId === NO_NODE || this.leaderId === leaderId, 'an epoch has one leader');
    }
    const { fetchTimeoutMs } = this.options.timeouts;
    this.#enter(
      {
        name: 'follower',
        leaderId,
        leaderEndpoints,
        fetchDeadlineMs: this.nowMs + fetchTimeoutMs,
        updateVoterDeadlineMs: this.nowMs + fetchTimeoutMs,
        hasFetched: false,
        hasUpdatedLeader: false,
        download: null,
      },
      { epoch, leaderId },
    );
  }

  becomeProspective(): void {
    const { name } = this.role;
    assert(this.mayStand, 'only voters stand for election');
    assert(
      name === 'unattached' ||
        name === 'follower' ||
        name === 'candidate' ||
        (name === 'resigned' && this.voters.isOnlyVoter(this.key)),
      `a node that is ${name} does not ask for pre-votes`,
    );
    const votes = new VoteCount(this.voters);
    votes.record(this.options.nodeId, true);
    const leaderEndpoints = name === 'follower' ? this.leaderEndpoints : [];
    const electionDeadlineMs = this.nowMs + this.#electionTimeoutMs();
    // Nobody but a candidate could lead its epoch, and who resigned leads no more.
    const isOwnEpoch = name === 'candidate' || name === 'resigned';
    const leaderId = isOwnEpoch ? NO_NODE : this.leaderId;
    this.#enter(
      { name: 'prospective', electionDeadlineMs, votes, leaderEndpoints },
      { epoch: this.epoch, leaderId },
    );
  }

  becomeCandidate(epoch = this.epoch + 1): void {
    assert(this.mayStand, 'only voters stand for election');
    this.epoch = epoch;
    this.vote = this.key;
    this.leaderId = NO_NODE;
    this.#persist();
    this.#enter(
      {
        name: 'candidate',
        electionDeadlineMs: this.nowMs + this.#electionTimeoutMs(),
        votes: new VoteCount(this.voters),
        voteTicket: this.#electionTicket,
      },
      { epoch, leaderId: NO_NODE },
    );
    this.#countOwnVote();
  }

  /** The caller appends the records that begin the epoch. */
  becomeLeader(state: LeaderState): void {
    assert(this.role.name === 'candidate' && this.role.votes.isWon, 'a majority elects a leader');
    this.#enter(state, { epoch: this.epoch, leaderId: this.options.nodeId });
  }

  becomeResigned(preferredSuccessors: readonly ReplicaKey[]): void {
    assert(this.role.name === 'leader', 'a leader resigns');
    this.#enter(
      {
        name: 'resigned',
        electionDeadlineMs: this.nowMs + this.#electionTimeoutMs(),
        unacknowledged: new Set(this.voters.ids.filter((id) => id !== this.options.nodeId)),
        preferredSuccessors,
      },
      { epoch: this.epoch, leaderId: this.leaderId },
    );
  }

  /** Gives the vote of this epoch. */
  voteFor(candidate: ReplicaKey): void {
    const { role } = this;
    assert(role.name === 'unattached' || role.name === 'prospective', 'only who waits for a leader votes');
    assert(this.vote === null && this.leaderId === NO_NODE, 'a vote is given once, and not against a leader');
    this.vote = candidate;
    const electionDeadlineMs = this.nowMs + this.#electionTimeoutMs();
    if (role.name === 'unattached') {
      this.role = { name: 'unattached', electionDeadlineMs: this.mayStand ? electionDeadlineMs : Infinity };
    } else role.electionDeadlineMs = electionDeadlineMs;
    this.#persist();
  }

  // The log.

  /** Appends a leader's control records, which count at once. @returns the offset past them */
  appendControl(records: readonly LeaderRecord[]): number {
    const baseOffset = this.log.append(this.epoch, records.length);
    this.emit({ type: 'append-control', baseOffset, epoch: this.epoch, records });
    for (const [i, record] of records.entries()) {
      if (record.type !== 'LEADER_CHANGE') this.replay(baseOffset + i, record);
    }
    return this.log.endOffset;
  }

  /** A control record is in the log at `offset`. */
  replay(offset: number, record: QuorumRecord): void {
    if (record.type === 'KRAFT_VERSION') this.history.addVersion(offset, record.kraftVersion);
    else this.history.addVoters(offset, new VoterSet(record.voters));
  }

  /** Cuts the log. What is committed is never cut: a node that is asked to stops. */
  truncate(endOffset: number): boolean {
    if (endOffset < this.highWatermark) {
      this.fail(
        `the leader ${this.leaderId} of epoch ${this.epoch} has this node cut its log at ${endOffset}, below its high watermark ${this.highWatermark}: committed records were lost`,
      );
      return false;
    }
    if (endOffset === this.log.endOffset) return true;
    this.log.truncate(endOffset);
    this.history.truncate(endOffset);
    this.emit({ type: 'truncate', endOffset });
    return true;
  }

  /** Has all that was appended made durable, unless that is under way: what comes meanwhile shares the next flush. */
  requestFlush(): void {
    const { log } = this;
    if (log.flushedOffset === log.endOffset) return;
    if (this.#flush !== null && this.#flush.generation === log.generation) return;
    this.#flush = { ticket: ++this.#ticket, endOffset: log.endOffset, generation: log.generation };
    this.emit({ type: 'flush', endOffset: log.endOffset, ticket: this.#flush.ticket });
  }

  /** A flush is done. One from before a cut says nothing about what is there now. */
  flushed(ticket: number): void {
    const flush = this.#flush;
    if (flush === null || flush.ticket !== ticket) return;
    this.#flush = null;
    if (flush.generation !== this.log.generation) return;
    this.log.flushedOffset = Math.max(this.log.flushedOffset, flush.endOffset);
  }

  /** Raises the high watermark; it never falls. True if it moved. */
  raiseHighWatermark(offset: number): boolean {
    assert(offset <= this.log.endOffset, 'only what is in the log is committed');
    if (offset <= this.highWatermark) return false;
    this.highWatermark = offset;
    this.emit({ type: 'high-watermark', offset });
    return true;
  }

  // Effects.

  emit(effect: Exclude<RaftEffect, RequestToSend | AnswerToSend>): void {
    this.#effects.push(effect);
  }

  /** Sends a message once all that it tells is durable. */
  emitMessage(effect: RequestToSend | AnswerToSend): void {
    if (this.#durableTicket >= this.#electionTicket) this.#effects.push(effect);
    else this.#held.push({ ticket: this.#electionTicket, generation: this.log.generation, effect });
  }

  /** The election state of this ticket is durable: what waited for it leaves. */
  electionPersisted(ticket: number): void {
    this.#durableTicket = Math.max(this.#durableTicket, ticket);
    const due = this.#held.filter((one) => one.ticket <= this.#durableTicket);
    this.#held = this.#held.filter((one) => one.ticket > this.#durableTicket);
    for (const { effect, generation } of due) {
      // The role has changed since: nobody waits for its answer.
      if (effect.type === 'send' && !this.requests.isUnderWay(effect.correlationId)) continue;
      // Records that were cut meanwhile must not be sent for those that were meant.
      const isStale = effect.type === 'answer' && generation !== this.log.generation;
      this.#effects.push(isStale ? { ...effect, records: null } : effect);
    }
    this.#countOwnVote();
  }

  takeEffects(): RaftEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  get hasEffects(): boolean {
    return this.#effects.length > 0;
  }

  nextCorrelationId(): number {
    return ++this.#correlationId;
  }

  warn(message: string): void {
    this.emit({ type: 'warn', message });
  }

  fail(message: string): void {
    if (this.failure !== null) return;
    this.failure = message;
    this.emit({ type: 'fatal', message });
  }

  checkInvariants(): void {
    this.log.checkInvariants();
    assert(this.highWatermark <= this.log.endOffset, 'only what is in the log is committed');
    assert(this.log.lastEpoch <= this.epoch, 'no record is of an epoch to come');
    assert(this.#persisted.epoch <= this.epoch, 'what was persisted is not forgotten');
    const { role } = this;
    if (role.name === 'leader' || role.name === 'resigned') {
      assert(this.leaderId === this.options.nodeId, 'a leader knows that it leads');
    }
    if (role.name === 'candidate')
      assert(this.vote?.id === this.options.nodeId, 'a candidate votes for itself');
    if (role.name === 'follower') assert(this.leaderId === role.leaderId, 'a follower has one leader');
    if (role.name === 'candidate' || role.name === 'prospective') role.votes.checkInvariants();
  }

  // Inner.

  #begin(election: ElectionState): void {
    const { log, options } = this;
    this.epoch = Math.max(election.epoch, log.lastEpoch);
    const isCurrent = election.epoch === this.epoch;
    if (isCurrent && election.votedId !== NO_NODE) {
      this.vote = { id: election.votedId, directoryId: election.votedDirectoryId };
    }
    if (isCurrent) this.leaderId = election.leaderId;
    const { epoch, leaderId } = this;
    const votedForItself =
      this.vote?.id === options.nodeId &&
      (this.vote.directoryId === options.directoryId || this.vote.directoryId === ZERO_UUID);
    const electionDeadlineMs = this.mayStand ? this.nowMs + this.#electionTimeoutMs() : Infinity;
    // Nobody else can have been elected meanwhile.
    const isAlone = this.isVoter && this.voters.isOnlyVoter(this.key);
    if (leaderId === options.nodeId) {
      const unacknowledged = new Set(this.voters.ids.filter((id) => id !== options.nodeId));
      this.#enter(
        {
          name: 'resigned',
          electionDeadlineMs: this.nowMs + (isAlone ? 0 : this.#electionTimeoutMs()),
          unacknowledged,
          preferredSuccessors: [],
        },
        { epoch, leaderId },
      );
    } else if (votedForItself && leaderId === NO_NODE && this.mayStand) {
      this.becomeCandidate(epoch);
    } else if (leaderId !== NO_NODE && this.voters.endpointsOf(leaderId).length > 0) {
      this.becomeFollower(epoch, leaderId, this.voters.endpointsOf(leaderId));
    } else {
      this.#enter({ name: 'unattached', electionDeadlineMs }, { epoch, leaderId });
    }
  }

  #enter(role: RoleState, election: { readonly epoch: number; readonly leaderId: number }): void {
    assert(election.epoch >= this.epoch, 'an epoch never falls');
    const before = this.role;
    const epochBefore = this.epoch;
    if (election.epoch > this.epoch) this.vote = null;
    this.epoch = election.epoch;
    this.leaderId = election.leaderId;
    this.role = role;
    this.requests.reset();
    if (before.name === 'follower' && before.download !== null) {
      this.emit({ type: 'discard-snapshot', id: before.download.id });
    }
    // A leader that resigns was persisted as leader: that is how it knows after a restart.
    this.#persist();
    if (before.name === 'leader') {
      this.abandoned.push(before);
      this.emit({ type: 'stop-leading', epoch: epochBefore });
    }
    this.#announce();
  }

  /** A candidate's own vote counts once it is durable. */
  #countOwnVote(): void {
    const { role } = this;
    if (role.name === 'candidate' && role.voteTicket <= this.#durableTicket) {
      role.votes.record(this.options.nodeId, true);
    }
  }

  #announce(): void {
    const { epoch } = this;
    const leaderId = this.role.name === 'resigned' ? NO_NODE : this.leaderId;
    if (this.#announced.epoch === epoch && this.#announced.leaderId === leaderId) return;
    this.#announced = { leaderId, epoch };
    this.emit({ type: 'leader', leaderId, epoch });
  }

  #persist(): void {
    const state: ElectionState = {
      epoch: this.epoch,
      leaderId: this.leaderId,
      votedId: this.vote?.id ?? NO_NODE,
      votedDirectoryId: this.vote?.directoryId ?? ZERO_UUID,
      kraftVersion: this.history.kraftVersion,
      voterIds: this.voters.ids,
    };
    if (sameElection(state, this.#persisted)) return;
    this.#persisted = state;
    this.#electionTicket = ++this.#ticket;
    this.emit({ type: 'persist-election', ticket: this.#ticket, state });
  }

  #electionTimeoutMs(): number {
    return randomElectionTimeoutMs(this.options.timeouts, this.options.random);
  }
}
