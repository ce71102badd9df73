/** SyncGroup, versions 0–5. */
import { ErrorCode } from '../../base/errors.ts';
import { NO_ASSIGNMENT, type SyncAnswer } from '../../coordinator/group/classic/classic-member.ts';
import { appendErrorToAnswer } from '../../coordinator/runtime/append-error.ts';
import { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/sync-group.ts';
import type { GroupCoordinator } from '../coordinators/group-coordinator.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import { replyOnce } from './group-reply.ts';

const FIRST_VERSION_WITH_PROTOCOL = 5;

/** The handler of SyncGroup. */
export function syncGroupApi(services: Services, groups: GroupCoordinator): ApiHandler {
  return api({
    apiKey: 14,
    minVersion: 0,
    maxVersion: 5,
    request: SyncGroupRequest,
    response: SyncGroupResponse,
    handle(context, request) {
      const plain = context as unknown as RequestContext;
      const reply: (answer: SyncAnswer) => void = replyOnce(context);
      const fail = (errorCode: ErrorCode): void => reply({ errorCode, assignment: NO_ASSIGNMENT });
      const { groupId, protocolType, protocolName } = request;
      const namesProtocol = protocolType !== null && protocolName !== null;
      if (context.apiVersion >= FIRST_VERSION_WITH_PROTOCOL && !namesProtocol) {
        return fail(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
      }
      if (!services.authorizer.authorize(plain, AclOperation.READ, ResourceType.GROUP, groupId)) {
        return fail(ErrorCode.GROUP_AUTHORIZATION_FAILED);
      }
      return groups.write(
        groupId,
        (shard) => shard.sync(request, reply),
        (errorCode) => {
          if (errorCode !== ErrorCode.NONE) fail(appendErrorToAnswer(errorCode));
        },
      );
    },
  });
}
