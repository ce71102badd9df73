import { ErrorCode } from '../../../base/errors.ts';
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../../protocol/messages/leave-group.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import { answered, type CoordinatorResult, refused } from '../../runtime/coordinator-result.ts';
import type { GroupState } from '../group-state.ts';
import { ClassicGroup } from './classic-group.ts';
import type { ClassicMember } from './classic-member.ts';
import type { ClassicRebalance } from './classic-rebalance.ts';

/** Answer to LeaveGroup, as of version 3: one entry a member. */
export type LeaveAnswer = InputOf<typeof LeaveGroupResponse>;
type Identity = LeaveGroupRequest['members'][number];

/** LeaveGroup, normalized to the form of version 3. An administrator may take a static member out by its instance id alone. */
export function leaveGroup(
  state: GroupState,
  rebalance: ClassicRebalance,
  request: Pick<LeaveGroupRequest, 'groupId' | 'members'>,
): CoordinatorResult<LeaveAnswer> {
  const { groupId, members } = request;
  if (groupId === '') return refused(ErrorCode.INVALID_GROUP_ID);
  const group = state.groups.get(groupId);
  if (!(group instanceof ClassicGroup)) {
    return answered({
      errorCode: ErrorCode.NONE,
      members: members.map((member) => outcome(member, ErrorCode.UNKNOWN_MEMBER_ID)),
    });
  }
  if (group.state === 'Dead') return refused(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  const outcomes = members.map((member) => outcome(member, leave(group, rebalance, member)));
  const response: LeaveAnswer = { errorCode: ErrorCode.NONE, members: outcomes };
  if (!outcomes.some(({ errorCode }) => errorCode === ErrorCode.NONE)) return answered(response);
  if (group.state === 'Stable' || group.state === 'CompletingRebalance') {
    return { ...rebalance.beginOrComplete(group), response };
  }
  if (group.state === 'PreparingRebalance') return { ...rebalance.maybeCompleteJoin(group), response };
  return answered(response);
}

function leave(
  group: ClassicGroup,
  rebalance: ClassicRebalance,
  { memberId, groupInstanceId }: Identity,
): ErrorCode {
  if (memberId === '') {
    const known = group.staticMembers.get(groupInstanceId ?? '');
    if (groupInstanceId === null || known === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
    rebalance.removeMember(group, group.members.get(known) as ClassicMember);
    return ErrorCode.NONE;
  }
  if (group.pendingMembers.has(memberId)) {
    group.removePending(memberId);
    return ErrorCode.NONE;
  }
  const errorCode = group.checkMember(memberId, groupInstanceId);
  if (errorCode === ErrorCode.NONE)
    rebalance.removeMember(group, group.members.get(memberId) as ClassicMember);
  return errorCode;
}

function outcome({ memberId, groupInstanceId }: Identity, errorCode: ErrorCode) {
  return { memberId, groupInstanceId, errorCode };
}
