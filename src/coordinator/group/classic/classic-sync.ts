import { ErrorCode } from '../../../base/errors.ts';
import type { SyncGroupRequest } from '../../../protocol/messages/sync-group.ts';
import { appendErrorToAnswer } from '../../runtime/append-error.ts';
import { type Answer, NOTHING, recorded } from '../../runtime/coordinator-result.ts';
import type { GroupState } from '../group-state.ts';
import { ClassicGroup } from './classic-group.ts';
import { type ClassicMember, NO_ASSIGNMENT, type SyncAnswer } from './classic-member.ts';
import type { ClassicRebalance, ClassicResult } from './classic-rebalance.ts';

/** SyncGroup of classic groups. */
export class ClassicSync {
  readonly #state: GroupState;
  readonly #rebalance: ClassicRebalance;

  constructor(state: GroupState, rebalance: ClassicRebalance) {
    this.#state = state;
    this.#rebalance = rebalance;
  }

  /** Takes the request up; `answer` is called once, now or when the leader's assignment is durable. The request's bytes are copied where they are kept. */
  sync(request: SyncGroupRequest, answer: Answer<SyncAnswer>): ClassicResult {
    const refuse = (errorCode: ErrorCode): ClassicResult => {
      answer({ errorCode, assignment: NO_ASSIGNMENT });
      return NOTHING;
    };
    if (request.groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID);
    const group = this.#state.groups.get(request.groupId);
    if (!(group instanceof ClassicGroup) || group.isEmpty) return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
    const errorCode = refusal(group, request);
    if (errorCode !== ErrorCode.NONE) return refuse(errorCode);
    const member = group.members.get(request.memberId) as ClassicMember;
    if (group.state === 'PreparingRebalance') return refuse(ErrorCode.REBALANCE_IN_PROGRESS);
    this.#rebalance.synced(group, member.memberId);
    if (group.state === 'Stable') {
      answer({
        errorCode: ErrorCode.NONE,
        protocolType: group.protocolType,
        protocolName: group.protocolName,
        assignment: member.assignment,
      });
      return NOTHING;
    }
    member.awaitingSync = answer;
    return group.leaderId === member.memberId ? this.#assign(group, request) : NOTHING;
  }

  /** The leader has assigned: once that is durable the group is stable, if it is still in the same generation then. */
  #assign(group: ClassicGroup, request: SyncGroupRequest): ClassicResult {
    const assignments = new Map<string, Buffer>();
    for (const { memberId, assignment } of request.assignments)
      assignments.set(memberId, Buffer.from(assignment));
    return recorded([group.record(assignments)], (errorCode) => {
      if (group.state !== 'CompletingRebalance' || group.generationId !== request.generationId) return;
      if (errorCode === ErrorCode.NONE) {
        this.#rebalance.propagate(group, assignments);
        group.transitionTo('Stable');
        return;
      }
      this.#rebalance.resetAssignment(group, appendErrorToAnswer(errorCode));
      this.#state.context.perform(() => this.#rebalance.beginOrComplete(group));
    });
  }
}

function refusal(group: ClassicGroup, request: SyncGroupRequest): ErrorCode {
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  const errorCode = group.checkMember(request.memberId, request.groupInstanceId);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  if (request.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION;
  const differs = (said: string | null, known: string | null): boolean =>
    said !== null && known !== null && said !== known;
  return differs(request.protocolType, group.protocolType) ||
    differs(request.protocolName, group.protocolName)
    ? ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    : ErrorCode.NONE;
}
