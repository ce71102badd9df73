import { ErrorCode } from '../../../base/errors.ts';
import type { HeartbeatRequest, HeartbeatResponse } from '../../../protocol/messages/heartbeat.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import { answered, type CoordinatorResult, refused } from '../../runtime/coordinator-result.ts';
import type { GroupState } from '../group-state.ts';
import { ClassicGroup } from './classic-group.ts';
import type { ClassicMember } from './classic-member.ts';

/** Answer to Heartbeat. */
export type HeartbeatAnswer = InputOf<typeof HeartbeatResponse>;

/** Heartbeat: keeps the member's session, and tells it to join anew while the group rebalances. */
export function heartbeat(state: GroupState, request: HeartbeatRequest): CoordinatorResult<HeartbeatAnswer> {
  if (request.groupId === '') return refused(ErrorCode.INVALID_GROUP_ID);
  const group = state.groups.get(request.groupId);
  if (!(group instanceof ClassicGroup)) return refused(ErrorCode.UNKNOWN_MEMBER_ID);
  if (group.state === 'Dead') return refused(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  const errorCode = group.checkMember(request.memberId, request.groupInstanceId);
  if (errorCode !== ErrorCode.NONE) return refused(errorCode);
  if (request.generationId !== group.generationId) return refused(ErrorCode.ILLEGAL_GENERATION);
  group.keepSession(group.members.get(request.memberId) as ClassicMember);
  const rebalancing = group.state === 'PreparingRebalance';
  return answered({ errorCode: rebalancing ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE });
}
