import { assert } from '../../../base/assert.ts';
import { ErrorCode } from '../../../base/errors.ts';
import { randomUuid } from '../../../base/uuid.ts';
import type { JoinGroupRequest } from '../../../protocol/messages/join-group.ts';
import { appendErrorToAnswer } from '../../runtime/append-error.ts';
import { type Answer, NOTHING, recorded } from '../../runtime/coordinator-result.ts';
import { GROUP_LIMITS, NEW_MEMBER_JOIN_TIMEOUT_MS } from '../group-config.ts';
import type { GroupState } from '../group-state.ts';
import { ClassicGroup } from './classic-group.ts';
import { ClassicMember, type JoinAnswer, NO_ASSIGNMENT } from './classic-member.ts';
import { type ClassicRebalance, type ClassicResult, failedJoin, joinAnswer } from './classic-rebalance.ts';

/** Who sends a request. */
export interface Caller {
  readonly clientId: string;
  /** Address of the client. */
  readonly clientHost: string;
  readonly apiVersion: number;
}

/** One JoinGroup on its way. */
interface Join {
  readonly caller: Caller;
  readonly request: JoinGroupRequest;
  readonly answer: Answer<JoinAnswer>;
}

/** From here on a new dynamic member is given its id first and joins with it (KIP-394). */
const FIRST_VERSION_WITH_REQUIRED_MEMBER_ID = 4;
/** From here on a leader can be told not to assign (KIP-814). */
const FIRST_VERSION_WITH_SKIPPED_ASSIGNMENT = 9;

/** JoinGroup of classic groups. */
export class ClassicJoin {
  readonly #state: GroupState;
  readonly #rebalance: ClassicRebalance;

  constructor(state: GroupState, rebalance: ClassicRebalance) {
    this.#state = state;
    this.#rebalance = rebalance;
  }

  /** Takes the request up; `answer` is called once, now or when the group has gone on. The request's bytes are copied where they are kept. */
  join(caller: Caller, request: JoinGroupRequest, answer: Answer<JoinAnswer>): ClassicResult {
    const { config, groups } = this.#state;
    const { groupId, memberId, sessionTimeoutMs } = request;
    const refuse = (errorCode: ErrorCode): ClassicResult => {
      answer(failedJoin(memberId, errorCode));
      return NOTHING;
    };
    if (groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID);
    if (sessionTimeoutMs < config.minSessionTimeoutMs || sessionTimeoutMs > config.maxSessionTimeoutMs) {
      return refuse(ErrorCode.INVALID_SESSION_TIMEOUT);
    }
    const present = groups.get(groupId);
    if (present !== undefined && !(present instanceof ClassicGroup)) {
      return this.#refuseUnknown(answer, ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    }
    if (present === undefined && memberId !== '') return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
    if (present === undefined && groups.size >= GROUP_LIMITS.groupsPerShard) {
      return refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    }
    const group = present ?? this.#newGroup(groupId);
    const result = this.#joinGroup(group, { caller, request, answer });
    if (present !== undefined || result !== NOTHING) return result;
    // The group has to be in the log before anybody relies on it.
    return recorded([group.emptyRecord()], (errorCode) => {
      if (errorCode !== ErrorCode.NONE) answer(failedJoin('', appendErrorToAnswer(errorCode)));
    });
  }

  #newGroup(groupId: string): ClassicGroup {
    const group = new ClassicGroup(this.#state.context, groupId);
    this.#rebalance.arm(group);
    this.#state.groups.set(groupId, group);
    return group;
  }

  #refuseUnknown(answer: Answer<JoinAnswer>, errorCode: ErrorCode): ClassicResult {
    answer(failedJoin('', errorCode));
    return NOTHING;
  }

  #joinGroup(group: ClassicGroup, join: Join): ClassicResult {
    const { request, answer } = join;
    if (
      !this.#accepts(group, request.memberId) ||
      metadataBytes(request) > GROUP_LIMITS.memberMetadataBytes
    ) {
      const member = group.members.get(request.memberId);
      if (member === undefined) group.remove(request.memberId);
      else this.#rebalance.removeMember(group, member);
      return this.#refuseUnknown(answer, ErrorCode.GROUP_MAX_SIZE_REACHED);
    }
    return request.memberId === '' ? this.#joinNew(group, join) : this.#joinKnown(group, join);
  }

  /** While members join, those that are here count, so that a group over its bound shrinks to it. */
  #accepts(group: ClassicGroup, memberId: string): boolean {
    const most = Math.min(this.#state.config.maxGroupSize, GROUP_LIMITS.members);
    const member = group.members.get(memberId);
    switch (group.state) {
      case 'Empty':
      case 'Dead':
        return true;
      case 'PreparingRebalance':
        return (member !== undefined && member.awaitingJoin !== null) || group.awaitingJoinCount < most;
      default:
        return member !== undefined || group.members.size < most;
    }
  }

  // Members without an id.

  #joinNew(group: ClassicGroup, join: Join): ClassicResult {
    const { caller, request, answer } = join;
    if (group.state === 'Dead') return this.#refuseUnknown(answer, ErrorCode.COORDINATOR_NOT_AVAILABLE);
    if (!group.supports(request.protocolType, request.protocols)) {
      return this.#refuseUnknown(answer, ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    }
    const { groupInstanceId } = request;
    const memberId = `${groupInstanceId ?? caller.clientId}-${uuidText(randomUuid(this.#state.context.random))}`;
    if (groupInstanceId !== null) {
      const known = group.members.get(group.staticMembers.get(groupInstanceId) ?? '');
      return known === undefined
        ? this.#add(group, memberId, join)
        : this.#takeOver(group, known, memberId, join);
    }
    if (caller.apiVersion < FIRST_VERSION_WITH_REQUIRED_MEMBER_ID) return this.#add(group, memberId, join);
    if (group.pendingMembers.size >= GROUP_LIMITS.pendingMembers) {
      return this.#refuseUnknown(answer, ErrorCode.GROUP_MAX_SIZE_REACHED);
    }
    this.#rebalance.addPending(group, memberId, request.sessionTimeoutMs);
    answer(failedJoin(memberId, ErrorCode.MEMBER_ID_REQUIRED));
    return NOTHING;
  }

  #add(group: ClassicGroup, memberId: string, { caller, request, answer }: Join): ClassicResult {
    const member = new ClassicMember({
      memberId,
      groupInstanceId: request.groupInstanceId,
      clientId: caller.clientId,
      clientHost: `/${caller.clientHost}`,
      ...joined(request, caller),
      protocolType: request.protocolType,
      assignment: NO_ASSIGNMENT,
    });
    member.isNew = true;
    member.awaitingJoin = answer;
    if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') group.newMemberAdded = true;
    group.add(member);
    this.#rebalance.watch(group, member);
    group.keepSession(member, NEW_MEMBER_JOIN_TIMEOUT_MS);
    return this.#rebalance.beginOrComplete(group);
  }

  /** A static member has come back under a new id: the old one is fenced. Where its protocols change nothing, the group goes on as it is. */
  #takeOver(group: ClassicGroup, old: ClassicMember, memberId: string, join: Join): ClassicResult {
    const { caller, request, answer } = join;
    const leaderBefore = group.leaderId;
    const former = { ...joinedBefore(old), assignment: old.assignment };
    const member = this.#replace(group, old, memberId);
    group.keepSession(member);
    group.update(member, joined(request, caller), answer);
    if (group.state === 'CompletingRebalance') return this.#rebalance.begin(group);
    if (group.state !== 'Stable') {
      assert(group.state === 'PreparingRebalance', 'a group with a static member is not empty');
      return this.#rebalance.maybeCompleteJoin(group);
    }
    if (group.protocolName !== group.selectProtocol()) return this.#rebalance.beginOrComplete(group);
    const assignments = new Map([...group.members.values()].map((each) => [each.memberId, each.assignment]));
    return recorded([group.record(assignments)], (errorCode) => {
      if (group.members.get(memberId) !== member) return;
      if (errorCode === ErrorCode.NONE) {
        group.answerJoin(member, takenOver(group, member, caller, leaderBefore));
        return;
      }
      group.update(member, former, null);
      const restored = this.#replace(group, member, old.memberId);
      group.keepSession(restored);
      answer({
        ...joinAnswer(group, '', false),
        leader: leaderBefore ?? '',
        errorCode: appendErrorToAnswer(errorCode),
      });
    });
  }

  #replace(group: ClassicGroup, old: ClassicMember, memberId: string): ClassicMember {
    group.answerJoin(old, failedJoin(old.memberId, ErrorCode.FENCED_INSTANCE_ID));
    group.answerSync(old, { errorCode: ErrorCode.FENCED_INSTANCE_ID, assignment: NO_ASSIGNMENT });
    const { groupInstanceId, clientId, clientHost, protocolType, assignment } = old;
    const member = new ClassicMember({
      ...joinedBefore(old),
      memberId,
      groupInstanceId,
      clientId,
      clientHost,
      protocolType,
      assignment,
    });
    this.#rebalance.watch(group, member);
    group.replace(old, member);
    return member;
  }

  // Members that have an id.

  #joinKnown(group: ClassicGroup, join: Join): ClassicResult {
    const { caller, request, answer } = join;
    const { memberId, groupInstanceId } = request;
    const refuse = (errorCode: ErrorCode): ClassicResult => {
      answer(failedJoin(memberId, errorCode));
      return NOTHING;
    };
    if (group.state === 'Dead') return refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    if (!group.supports(request.protocolType, request.protocols)) {
      return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    }
    if (group.pendingMembers.has(memberId)) {
      // An id that was given to a dynamic member: a static one cannot have it.
      if (groupInstanceId !== null) return refuse(ErrorCode.UNKNOWN_SERVER_ERROR);
      return this.#add(group, memberId, join);
    }
    const errorCode = group.checkMember(memberId, groupInstanceId);
    if (errorCode !== ErrorCode.NONE) return refuse(errorCode);
    const member = group.members.get(memberId) as ClassicMember;
    const rejoin = (): ClassicResult => {
      group.update(member, joined(request, caller), answer);
      return this.#rebalance.beginOrComplete(group);
    };
    const isLeader = group.leaderId === memberId;
    switch (group.state) {
      case 'PreparingRebalance':
        return rejoin();
      case 'CompletingRebalance':
        // It may have missed the answer to its first try.
        if (!member.matches(request.protocols)) return rejoin();
        answer(joinAnswer(group, memberId, isLeader));
        return NOTHING;
      case 'Stable':
        // The leader rejoins to assign anew, for instance after topics have changed.
        if (isLeader || !member.matches(request.protocols)) return rejoin();
        answer(joinAnswer(group, memberId, false));
        return NOTHING;
      default:
        return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
    }
  }
}

/** What a request says of its sender; version 0 had one timeout for both. The bytes are copied: the request's frame does not last. */
function joined(request: JoinGroupRequest, { apiVersion }: Caller) {
  return {
    protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
    rebalanceTimeoutMs: apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
    sessionTimeoutMs: request.sessionTimeoutMs,
  };
}

function joinedBefore({ protocols, rebalanceTimeoutMs, sessionTimeoutMs }: ClassicMember) {
  return { protocols, rebalanceTimeoutMs, sessionTimeoutMs };
}

/**
 * The answer to a static member that has taken its place over. From version 9 it may be told that it leads, and not to assign; before, it is told the
 * leader of before, since one that believed to lead would assign anew.
 */
function takenOver(
  group: ClassicGroup,
  member: ClassicMember,
  { apiVersion }: Caller,
  leaderBefore: string | null,
): JoinAnswer {
  if (apiVersion < FIRST_VERSION_WITH_SKIPPED_ASSIGNMENT) {
    return { ...joinAnswer(group, member.memberId, false), leader: leaderBefore ?? '' };
  }
  const isLeader = group.leaderId === member.memberId;
  return { ...joinAnswer(group, member.memberId, isLeader), skipAssignment: isLeader };
}

function metadataBytes({ protocols }: JoinGroupRequest): number {
  let bytes = 0;
  for (const { name, metadata } of protocols) bytes += name.length + metadata.length;
  return bytes;
}

/** A uuid as Java writes one. */
function uuidText(uuid: string): string {
  const hex = Buffer.from(uuid, 'base64url').toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
