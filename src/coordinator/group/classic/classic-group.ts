import { assert } from '../../../base/assert.ts';
import { ErrorCode } from '../../../base/errors.ts';
import type { CallbackTimer } from '../../../base/timer-wheel.ts';
import { ConsumerProtocolSubscription } from '../../../protocol/messages/consumer-protocol-subscription.ts';
import { codecOf } from '../../../protocol/codec.ts';
import { ProtocolError } from '../../../protocol/protocol-error.ts';
import type { GroupMetadataValue } from '../../../protocol/records/group-metadata.ts';
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts';
import type { ShardContext } from '../../runtime/coordinator.ts';
import { groupMetadataRecord, groupMetadataTombstone } from '../group-records.ts';
import type { Committer, Group } from '../group.ts';
import type { OffsetAndMetadata } from '../offsets/offset-and-metadata.ts';
import {
  type ClassicMember,
  type JoinAnswer,
  type MemberProtocol,
  NO_ASSIGNMENT,
  type SyncAnswer,
} from './classic-member.ts';

/**
 * States of a classic group, as clients are told them.
 *
 *     state                    members                     left for
 *     Empty                    none; offsets may be there  PreparingRebalance: a member joins
 *     PreparingRebalance       join, or fall out           CompletingRebalance: all have joined, or time is over; Empty: nobody has
 *     CompletingRebalance      wait for the leader         Stable: the assignment is durable; PreparingRebalance: members come, go, change
 *     Stable                   work, send heartbeats       PreparingRebalance: members come, go, change
 *     Dead                     –                           – (deleted, or the shard is gone)
 */
export type ClassicGroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

const PREVIOUS_STATES: Readonly<Record<ClassicGroupState, readonly ClassicGroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead'],
};

/** The protocol type of consumers, whose subscriptions the coordinator can read. */
const CONSUMER_PROTOCOL_TYPE = 'consumer';
/** Bytes of the version before an embedded subscription (formats §19). */
const SUBSCRIPTION_VERSION_BYTES = 2;

/**
 * A classic group: members that agree on a protocol, one of which assigns. It is changed in place and not rolled back with the shard: records describe it, and whoever
 * writes one takes back what depends on it when the write fails, as in Kafka.
 */
export class ClassicGroup implements Group {
  readonly groupId: string;
  readonly type = 'Classic';
  readonly #context: ShardContext;
  state: ClassicGroupState = 'Empty';
  previousState: ClassicGroupState = 'Dead';
  generationId = 0;
  protocolType: string | null = null;
  protocolName: string | null = null;
  leaderId: string | null = null;
  /** When the present state began, wall clock ms; -1 unknown. */
  stateSinceMs: number;
  /** Someone joined while the first rebalance was waiting for company. */
  newMemberAdded = false;
  /** Topics of all members; null when they cannot be told. */
  subscribedTopics: ReadonlySet<string> | null = null;
  readonly members = new Map<string, ClassicMember>();
  /** Static members by instance id. */
  readonly staticMembers = new Map<string, string>();
  /** Ids that were given out and have not joined yet, with the deadlines by which they must (KIP-394). */
  readonly pendingMembers = new Map<string, CallbackTimer>();
  /** Members of this generation that have not sent their SyncGroup. */
  readonly pendingSync = new Set<string>();
  /** The rebalance's deadline, and that of the SyncGroups; null before the first. */
  joinTimer: CallbackTimer | null = null;
  syncTimer: CallbackTimer | null = null;
  #awaitingJoin = 0;
  /** Members that speak a protocol, by its name. */
  readonly #speakers = new Map<string, number>();

  constructor(context: ShardContext, groupId: string) {
    this.#context = context;
    this.groupId = groupId;
    this.stateSinceMs = context.wallMs;
  }

  get stateText(): string {
    return this.state;
  }

  get protocolTypeText(): string {
    return this.protocolType ?? '';
  }

  get isEmpty(): boolean {
    return this.state === 'Empty';
  }

  /** Members whose JoinGroup is parked. */
  get awaitingJoinCount(): number {
    return this.#awaitingJoin;
  }

  /** True when every member's JoinGroup is here and nobody has an id that he has not used. */
  get hasAllMembersJoined(): boolean {
    return this.members.size === this.#awaitingJoin && this.pendingMembers.size === 0;
  }

  /** Longest time that a member may take to join again. */
  get rebalanceTimeoutMs(): number {
    let longestMs = 0;
    for (const member of this.members.values()) longestMs = Math.max(longestMs, member.rebalanceTimeoutMs);
    return longestMs;
  }

  /** True if a rebalance may begin. */
  get canRebalance(): boolean {
    return PREVIOUS_STATES.PreparingRebalance.includes(this.state);
  }

  /** Goes on to another state. */
  transitionTo(state: ClassicGroupState): void {
    assert(PREVIOUS_STATES[state].includes(this.state), `a group does not go from ${this.state} to ${state}`);
    this.previousState = this.state;
    this.state = state;
    this.stateSinceMs = this.#context.wallMs;
  }

  // Members.

  /** Takes a member in. */
  add(member: ClassicMember): void {
    if (member.groupInstanceId !== null) {
      assert(!this.staticMembers.has(member.groupInstanceId), 'a static member is there once');
      this.staticMembers.set(member.groupInstanceId, member.memberId);
    }
    if (this.members.size === 0) this.protocolType = member.protocolType;
    assert(this.protocolType === member.protocolType, 'members have the protocol type of their group');
    this.leaderId ??= member.memberId;
    this.members.set(member.memberId, member);
    this.#count(member.protocols, 1);
    if (member.awaitingJoin !== null) this.#awaitingJoin++;
    this.removePending(member.memberId);
  }

  /** Takes a member out, if it is in; of those left another leads. Its parked requests must have been answered. */
  remove(memberId: string): void {
    const member = this.members.get(memberId);
    if (member !== undefined) {
      this.members.delete(memberId);
      this.#count(member.protocols, -1);
      if (member.awaitingJoin !== null) this.#awaitingJoin--;
      if (member.groupInstanceId !== null) this.staticMembers.delete(member.groupInstanceId);
      if (member.session !== null) this.#context.cancel(member.session);
    }
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? null;
    this.removePending(memberId);
    this.pendingSync.delete(memberId);
  }

  /** Forgets an id that has not joined. */
  removePending(memberId: string): void {
    const timer = this.pendingMembers.get(memberId);
    if (timer === undefined) return;
    this.#context.cancel(timer);
    this.pendingMembers.delete(memberId);
  }

  /** Changes what a member joined with; `answer` parks its JoinGroup. */
  update(
    member: ClassicMember,
    joined: Pick<ClassicMember, 'protocols' | 'rebalanceTimeoutMs' | 'sessionTimeoutMs'>,
    answer: ClassicMember['awaitingJoin'],
  ): void {
    this.#count(member.protocols, -1);
    member.protocols = joined.protocols;
    this.#count(member.protocols, 1);
    member.rebalanceTimeoutMs = joined.rebalanceTimeoutMs;
    member.sessionTimeoutMs = joined.sessionTimeoutMs;
    if (answer !== null && member.awaitingJoin === null) this.#awaitingJoin++;
    else if (answer === null && member.awaitingJoin !== null) this.#awaitingJoin--;
    member.awaitingJoin = answer;
  }

  /** Puts another in the place of a static member, whose speakers and leadership it inherits. */
  replace(old: ClassicMember, successor: ClassicMember): void {
    this.members.delete(old.memberId);
    if (old.session !== null) this.#context.cancel(old.session);
    this.members.set(successor.memberId, successor);
    if (this.leaderId === old.memberId) this.leaderId = successor.memberId;
    if (this.pendingSync.delete(old.memberId)) this.pendingSync.add(successor.memberId);
    this.staticMembers.set(successor.groupInstanceId as string, successor.memberId);
  }

  /** `NONE` if the member is who it says; static members are told by their instance id. */
  checkMember(memberId: string, groupInstanceId: string | null): ErrorCode {
    if (groupInstanceId !== null) {
      const known = this.staticMembers.get(groupInstanceId);
      if (known === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
      if (known !== memberId) return ErrorCode.FENCED_INSTANCE_ID;
    }
    return this.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID;
  }

  /** Answers a member's parked JoinGroup; false when it has none. */
  answerJoin(member: ClassicMember, answer: JoinAnswer): boolean {
    const { awaitingJoin } = member;
    if (awaitingJoin === null) return false;
    member.awaitingJoin = null;
    this.#awaitingJoin--;
    awaitingJoin(answer);
    return true;
  }

  /** Answers a member's parked SyncGroup; false when it has none. */
  answerSync(member: ClassicMember, answer: SyncAnswer): boolean {
    const { awaitingSync } = member;
    if (awaitingSync === null) return false;
    member.awaitingSync = null;
    awaitingSync(answer);
    return true;
  }

  /** If the leader has not joined, another that has leads. False when nobody has. */
  electJoinedLeader(): boolean {
    if (this.leaderId === null) return false;
    const leader = this.members.get(this.leaderId);
    if (leader !== undefined && leader.awaitingJoin !== null) return true;
    for (const member of this.members.values()) {
      if (member.awaitingJoin === null) continue;
      this.leaderId = member.memberId;
      return true;
    }
    return false;
  }

  // Protocols.

  /** True if a member with these protocols could be one of the group. */
  supports(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (this.state === 'Empty') return protocolType !== '' && protocols.length > 0;
    if (this.protocolType !== protocolType) return false;
    return protocols.some(({ name }) => (this.#speakers.get(name) ?? 0) === this.members.size);
  }

  /** The protocol that all speak and most have as their first of those. */
  selectProtocol(): string {
    assert(this.members.size > 0, 'an empty group has no protocol');
    const votes = new Map<string, number>();
    for (const { protocols } of this.members.values()) {
      const choice = protocols.find(({ name }) => this.#speakers.get(name) === this.members.size);
      assert(choice !== undefined, 'a member speaks a protocol that all speak');
      votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1);
    }
    let best = '';
    for (const [name, count] of votes) {
      if (best === '' || count > (votes.get(best) as number)) best = name;
    }
    return best;
  }

  /** Begins the next generation with those who have joined. */
  nextGeneration(): void {
    this.generationId++;
    const hasMembers = this.members.size > 0;
    this.protocolName = hasMembers ? this.selectProtocol() : null;
    this.subscribedTopics = this.#readSubscriptions();
    this.transitionTo(hasMembers ? 'CompletingRebalance' : 'Empty');
    this.pendingSync.clear();
  }

  #count(protocols: readonly MemberProtocol[], change: number): void {
    for (const { name } of protocols) this.#speakers.set(name, (this.#speakers.get(name) ?? 0) + change);
  }

  /** What consumers subscribe to. Version 0 is a prefix of every version. */
  #readSubscriptions(): ReadonlySet<string> | null {
    if (this.protocolType !== CONSUMER_PROTOCOL_TYPE) return null;
    if (this.members.size === 0) return new Set();
    if (this.protocolName === null) return null;
    const topics = new Set<string>();
    try {
      for (const member of this.members.values()) {
        const metadata = member.metadata(this.protocolName) ?? NO_ASSIGNMENT;
        if (metadata.length < SUBSCRIPTION_VERSION_BYTES) return null;
        const subscription = codecOf(ConsumerProtocolSubscription, 0).decode(
          metadata,
          SUBSCRIPTION_VERSION_BYTES,
        );
        for (const topic of subscription.topics) topics.add(topic);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return null;
    }
    return topics;
  }

  // Records.

  /** The record that describes the group with these assignments. Every member needs one. */
  record(assignments: ReadonlyMap<string, Buffer>): CoordinatorRecord {
    return groupMetadataRecord(this.groupId, {
      protocolType: this.protocolTypeText,
      generation: this.generationId,
      protocol: this.protocolName,
      leader: this.leaderId,
      currentStateTimestamp: this.stateSinceMs,
      members: [...this.members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: member.metadata(this.protocolName ?? '') ?? NO_ASSIGNMENT,
        assignment: assignments.get(member.memberId) ?? NO_ASSIGNMENT,
      })),
    });
  }

  /** The record of a group that was just made. */
  emptyRecord(): CoordinatorRecord {
    return groupMetadataRecord(this.groupId, {
      protocolType: '',
      generation: 0,
      protocol: null,
      leader: null,
      currentStateTimestamp: this.stateSinceMs,
      members: [],
    });
  }

  /** Takes over what a record says; the members have been added. */
  restore(value: GroupMetadataValue): void {
    this.state = this.members.size === 0 ? 'Empty' : 'Stable';
    this.generationId = value.generation;
    this.protocolType = value.protocolType === '' ? null : value.protocolType;
    this.protocolName = value.protocol;
    const { leader } = value;
    if (leader !== null && this.members.has(leader)) this.leaderId = leader;
    this.stateSinceMs = value.currentStateTimestamp;
    this.subscribedTopics = this.#readSubscriptions();
  }

  // As a group among others.

  commitRefusal(committer: Committer): ErrorCode {
    const { memberId, groupInstanceId, generationIdOrMemberEpoch: generationId, transactional } = committer;
    if (this.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    if (generationId < 0 && this.state === 'Empty') return ErrorCode.NONE;
    if (generationId >= 0 || memberId !== '' || groupInstanceId !== null) {
      const errorCode = this.checkMember(memberId, groupInstanceId);
      if (errorCode !== ErrorCode.NONE) return errorCode;
      if (generationId !== this.generationId) return ErrorCode.ILLEGAL_GENERATION;
    } else if (!transactional && this.state !== 'Empty') {
      return ErrorCode.UNKNOWN_MEMBER_ID;
    }
    if (transactional) return ErrorCode.NONE;
    // It has the newest generation from its JoinGroup and will get the assignment: it is to try again then.
    if (this.state === 'CompletingRebalance') return ErrorCode.REBALANCE_IN_PROGRESS;
    const member = this.members.get(memberId);
    if (member !== undefined && (this.state === 'Stable' || this.state === 'PreparingRebalance'))
      this.keepSession(member);
    return ErrorCode.NONE;
  }

  fetchRefusal(): ErrorCode {
    return this.state === 'Dead' ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.NONE;
  }

  offsetDeleteRefusal(): ErrorCode {
    if (this.state === 'Dead') return ErrorCode.GROUP_ID_NOT_FOUND;
    if (this.state === 'Empty' || this.protocolType === CONSUMER_PROTOCOL_TYPE) return ErrorCode.NONE;
    return ErrorCode.NON_EMPTY_GROUP;
  }

  deleteRefusal(): ErrorCode {
    if (this.state === 'Dead') return ErrorCode.GROUP_ID_NOT_FOUND;
    return this.state === 'Empty' ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP;
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics?.has(topic) ?? this.protocolType === CONSUMER_PROTOCOL_TYPE;
  }

  unusedSinceMs(offset: OffsetAndMetadata): number | null {
    if (this.protocolType === null) return offset.commitTimestampMs;
    if (this.state === 'Empty')
      return this.stateSinceMs === -1 ? offset.commitTimestampMs : this.stateSinceMs;
    const knowsItsTopics = this.protocolType === CONSUMER_PROTOCOL_TYPE && this.subscribedTopics !== null;
    return knowsItsTopics && this.state === 'Stable' ? offset.commitTimestampMs : null;
  }

  delete(records: CoordinatorRecord[]): void {
    for (const memberId of this.pendingMembers.keys()) this.removePending(memberId);
    this.cancelTimers();
    records.push(groupMetadataTombstone(this.groupId));
  }

  // Time.

  /** A sign of life: the member's session begins anew. */
  keepSession(member: ClassicMember, timeoutMs: number = member.sessionTimeoutMs): void {
    if (member.session !== null) this.#context.schedule(member.session, timeoutMs);
  }

  /** Lets go of the timers of the group itself. */
  cancelTimers(): void {
    if (this.joinTimer !== null) this.#context.cancel(this.joinTimer);
    if (this.syncTimer !== null) this.#context.cancel(this.syncTimer);
  }

  /** Asserts what must hold between two events. */
  checkInvariants(): void {
    let awaiting = 0;
    for (const member of this.members.values()) {
      if (member.awaitingJoin !== null) awaiting++;
      const { groupInstanceId } = member;
      assert(
        groupInstanceId === null || this.staticMembers.get(groupInstanceId) === member.memberId,
        'static members are found by their instance ids',
      );
    }
    assert(awaiting === this.#awaitingJoin, 'parked JoinGroups are counted');
    assert(
      this.state === 'Empty' || this.state === 'Dead' ? this.members.size === 0 : true,
      'an empty group has no members',
    );
    assert(this.leaderId === null || this.members.has(this.leaderId), 'the leader is a member');
    for (const memberId of this.pendingSync) assert(this.members.has(memberId), 'who is to sync is a member');
  }
}
