/** LeaveGroup, versions 0–5; from v3 many members at once. */
import { ErrorCode } from '../../base/errors.ts';
import type { LeaveAnswer } from '../../coordinator/group/classic/classic-leave.ts';
import { appendErrorToAnswer } from '../../coordinator/runtime/append-error.ts';
import { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/leave-group.ts';
import type { GroupCoordinator } from '../coordinators/group-coordinator.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import { replyOnce } from './group-reply.ts';

const FIRST_VERSION_WITH_MEMBERS = 3;

/** The handler of LeaveGroup. */
export function leaveGroupApi(services: Services, groups: GroupCoordinator): ApiHandler {
  return api({
    apiKey: 13,
    minVersion: 0,
    maxVersion: 5,
    request: LeaveGroupRequest,
    response: LeaveGroupResponse,
    handle(context, request) {
      const plain = context as unknown as RequestContext;
      const reply = replyOnce(context);
      const answer = (response: LeaveAnswer): void => reply(inForm(context.apiVersion, response));
      const { groupId, memberId } = request;
      if (!services.authorizer.authorize(plain, AclOperation.READ, ResourceType.GROUP, groupId)) {
        return answer({ errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, members: [] });
      }
      const members =
        context.apiVersion >= FIRST_VERSION_WITH_MEMBERS
          ? request.members
          : [{ memberId, groupInstanceId: null, reason: null }];
      return groups.write(
        groupId,
        (shard) => shard.leave({ groupId, members }),
        (errorCode, response) =>
          answer(response ?? { errorCode: appendErrorToAnswer(errorCode), members: [] }),
      );
    },
  });
}

/** Before there were many members, the error of the one stood for the whole. */
function inForm(apiVersion: number, response: LeaveAnswer): LeaveAnswer {
  if (apiVersion >= FIRST_VERSION_WITH_MEMBERS) return response;
  const { errorCode, members } = response;
  return {
    errorCode: errorCode === ErrorCode.NONE ? (members?.[0]?.errorCode ?? errorCode) : errorCode,
    members: [],
  };
}
