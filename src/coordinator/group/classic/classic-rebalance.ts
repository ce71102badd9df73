import { assert } from '../../../base/assert.ts';
import { ErrorCode } from '../../../base/errors.ts';
import { CallbackTimer } from '../../../base/timer-wheel.ts';
import { type CoordinatorResult, NOTHING, recorded } from '../../runtime/coordinator-result.ts';
import type { GroupState } from '../group-state.ts';
import type { ClassicGroup } from './classic-group.ts';
import { type ClassicMember, type JoinAnswer, NO_ASSIGNMENT } from './classic-member.ts';

/** Nothing or records; answers of classic groups are given where requests are parked. */
export type ClassicResult = CoordinatorResult<never>;

/**
 * How a classic group gets from one generation to the next: `begin` → members join → `completeJoin` → the leader's SyncGroup → stable. Deadlines of members and of the
 * rebalance end in here.
 */
export class ClassicRebalance {
  readonly #state: GroupState;

  constructor(state: GroupState) {
    this.#state = state;
  }

  /** Gives the group's timers their work; every classic group goes through here once. */
  arm(group: ClassicGroup): void {
    group.joinTimer = this.#timer(group, () => this.completeJoin(group));
    group.syncTimer = this.#timer(group, () => this.#syncExpired(group));
    for (const member of group.members.values()) this.watch(group, member);
  }

  /** Gives a member a session; `keepSession` starts it. */
  watch(group: ClassicGroup, member: ClassicMember): void {
    member.session = this.#timer(group, () => this.#sessionExpired(group, member));
  }

  /** Gives out an id that has to be used within the session timeout. */
  addPending(group: ClassicGroup, memberId: string, sessionTimeoutMs: number): void {
    const timer = this.#timer(group, () => this.#pendingExpired(group, memberId));
    group.pendingMembers.set(memberId, timer);
    this.#state.context.schedule(timer, sessionTimeoutMs);
  }

  /** Begins a rebalance where the state allows one, else looks whether the one that is on can be completed. */
  beginOrComplete(group: ClassicGroup): ClassicResult {
    return group.canRebalance ? this.begin(group) : this.maybeCompleteJoin(group);
  }

  /** Begins a rebalance: all members have to join anew. */
  begin(group: ClassicGroup): ClassicResult {
    const { config } = this.#state;
    if (group.state === 'CompletingRebalance') this.resetAssignment(group, ErrorCode.REBALANCE_IN_PROGRESS);
    this.#cancelSync(group);
    const isInitial = group.state === 'Empty';
    if (isInitial) {
      const delayMs = config.initialRebalanceDelayMs;
      this.#delayInitial(group, delayMs, delayMs, Math.max(group.rebalanceTimeoutMs - delayMs, 0));
    }
    group.transitionTo('PreparingRebalance');
    if (isInitial) return NOTHING;
    if (group.hasAllMembersJoined) return this.completeJoin(group);
    this.#setJoinTimer(group, group.rebalanceTimeoutMs, () => this.completeJoin(group));
    return NOTHING;
  }

  /** Completes the join when everybody is here. The first rebalance of a group waits for company all the same. */
  maybeCompleteJoin(group: ClassicGroup): ClassicResult {
    if (group.state !== 'PreparingRebalance' || group.previousState === 'Empty') return NOTHING;
    return group.hasAllMembersJoined ? this.completeJoin(group) : NOTHING;
  }

  /** Goes on with those who have joined. Static members may be late, up to the end of their sessions. */
  completeJoin(group: ClassicGroup): ClassicResult {
    const { context } = this.#state;
    context.cancel(this.#joinTimer(group));
    for (const member of group.members.values()) {
      if (member.awaitingJoin === null && member.groupInstanceId === null) group.remove(member.memberId);
    }
    if (group.state === 'Dead') return NOTHING;
    if (!group.electJoinedLeader() && group.members.size > 0) {
      // Nobody is here: sessions will end, or somebody comes.
      this.#setJoinTimer(group, group.rebalanceTimeoutMs, () => this.completeJoin(group));
      return NOTHING;
    }
    group.nextGeneration();
    if (group.state === 'Empty') {
      // A failed write is no harm: the generation before it would come back, without active members.
      return recorded([group.record(new Map())], () => {});
    }
    for (const member of group.members.values()) {
      group.answerJoin(member, joinAnswer(group, member.memberId, group.leaderId === member.memberId));
      group.keepSession(member);
      member.isNew = false;
      group.pendingSync.add(member.memberId);
    }
    context.schedule(this.#syncTimer(group), group.rebalanceTimeoutMs);
    return NOTHING;
  }

  /** A member has sent its SyncGroup; when it was the last, nobody is waited for. */
  synced(group: ClassicGroup, memberId: string): void {
    group.pendingSync.delete(memberId);
    if (group.pendingSync.size === 0) this.#state.context.cancel(this.#syncTimer(group));
  }

  /** Gives every member its assignment, and the answer to those whose SyncGroup is parked. */
  propagate(group: ClassicGroup, assignments: ReadonlyMap<string, Buffer>): void {
    for (const member of group.members.values()) {
      member.assignment = assignments.get(member.memberId) ?? NO_ASSIGNMENT;
    }
    for (const member of group.members.values()) {
      const answer = {
        protocolType: group.protocolType,
        protocolName: group.protocolName,
        assignment: member.assignment,
        errorCode: ErrorCode.NONE,
      };
      // A session that ended while the SyncGroup was parked was let pass and would never begin again.
      if (group.answerSync(member, answer)) group.keepSession(member);
    }
  }

  /** Takes all assignments away; those whose SyncGroup is parked are told why. */
  resetAssignment(group: ClassicGroup, errorCode: ErrorCode): void {
    assert(group.state === 'CompletingRebalance', 'assignments are reset while they are awaited');
    for (const member of group.members.values()) {
      member.assignment = NO_ASSIGNMENT;
      if (group.answerSync(member, { errorCode, assignment: NO_ASSIGNMENT })) group.keepSession(member);
    }
  }

  /** Takes a member out whose client may still wait for an answer. */
  removeMember(group: ClassicGroup, member: ClassicMember): void {
    group.answerJoin(member, failedJoin('', ErrorCode.UNKNOWN_MEMBER_ID));
    // Kafka leaves a parked SyncGroup without an answer here; its client would wait for nothing.
    group.answerSync(member, { errorCode: ErrorCode.UNKNOWN_MEMBER_ID, assignment: NO_ASSIGNMENT });
    group.remove(member.memberId);
  }

  // Deadlines.

  #sessionExpired(group: ClassicGroup, member: ClassicMember): ClassicResult {
    if (group.members.get(member.memberId) !== member || member.hasSatisfiedHeartbeat) return NOTHING;
    this.removeMember(group, member);
    if (group.state === 'Stable' || group.state === 'CompletingRebalance') return this.beginOrComplete(group);
    if (group.state === 'PreparingRebalance' && group.hasAllMembersJoined) return this.completeJoin(group);
    return NOTHING;
  }

  #pendingExpired(group: ClassicGroup, memberId: string): ClassicResult {
    group.removePending(memberId);
    if (group.state === 'PreparingRebalance' && group.hasAllMembersJoined) return this.completeJoin(group);
    return NOTHING;
  }

  #syncExpired(group: ClassicGroup): ClassicResult {
    if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') return NOTHING;
    if (group.pendingSync.size === 0) return NOTHING;
    for (const memberId of group.pendingSync) group.remove(memberId);
    return this.begin(group);
  }

  /** The first rebalance of a group is put off while members keep coming, within the rebalance timeout. */
  #delayInitial(group: ClassicGroup, forMs: number, delayMs: number, remainingMs: number): void {
    this.#setJoinTimer(group, forMs, () => {
      if (!group.newMemberAdded || remainingMs === 0) return this.completeJoin(group);
      group.newMemberAdded = false;
      const nextMs = Math.min(this.#state.config.initialRebalanceDelayMs, remainingMs);
      this.#delayInitial(group, nextMs, nextMs, Math.max(remainingMs - delayMs, 0));
      return NOTHING;
    });
  }

  #setJoinTimer(group: ClassicGroup, delayMs: number, work: () => ClassicResult): void {
    this.#state.context.cancel(this.#joinTimer(group));
    group.joinTimer = this.#timer(group, work);
    this.#state.context.schedule(group.joinTimer, delayMs);
  }

  #joinTimer(group: ClassicGroup): CallbackTimer {
    group.joinTimer ??= this.#timer(group, () => this.completeJoin(group));
    return group.joinTimer;
  }

  #syncTimer(group: ClassicGroup): CallbackTimer {
    group.syncTimer ??= this.#timer(group, () => this.#syncExpired(group));
    return group.syncTimer;
  }

  #cancelSync(group: ClassicGroup): void {
    group.pendingSync.clear();
    this.#state.context.cancel(this.#syncTimer(group));
  }

  /** A deadline that does nothing once the group is another, or gone. */
  #timer(group: ClassicGroup, work: () => ClassicResult): CallbackTimer {
    const { context, groups } = this.#state;
    return new CallbackTimer(() =>
      context.perform(() => (groups.get(group.groupId) === group ? work() : NOTHING)),
    );
  }
}

/** The present generation as a member that has joined is told it; the leader is told the members too. */
export function joinAnswer(group: ClassicGroup, memberId: string, withMembers: boolean): JoinAnswer {
  const protocol = group.protocolName ?? '';
  return {
    errorCode: ErrorCode.NONE,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leaderId ?? '',
    skipAssignment: false,
    memberId,
    members: withMembers
      ? [...group.members.values()].map((member) => ({
          memberId: member.memberId,
          groupInstanceId: member.groupInstanceId,
          metadata: member.metadata(protocol) ?? NO_ASSIGNMENT,
        }))
      : [],
  };
}

/** A JoinGroup that is refused. */
export function failedJoin(memberId: string, errorCode: ErrorCode): JoinAnswer {
  return {
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    memberId,
    members: [],
  };
}
