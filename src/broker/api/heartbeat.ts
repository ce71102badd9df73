/** Heartbeat, versions 0–4. */
import { ErrorCode } from '../../base/errors.ts';
import { appendErrorToAnswer } from '../../coordinator/runtime/append-error.ts';
import { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/heartbeat.ts';
import type { GroupCoordinator } from '../coordinators/group-coordinator.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import { replyOnce } from './group-reply.ts';

/** The handler of Heartbeat. */
export function heartbeatApi(services: Services, groups: GroupCoordinator): ApiHandler {
  return api({
    apiKey: 12,
    minVersion: 0,
    maxVersion: 4,
    request: HeartbeatRequest,
    response: HeartbeatResponse,
    handle(context, request) {
      const plain = context as unknown as RequestContext;
      const reply = replyOnce(context);
      if (!services.authorizer.authorize(plain, AclOperation.READ, ResourceType.GROUP, request.groupId)) {
        return reply({ errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED });
      }
      return groups.write(
        request.groupId,
        (shard) => shard.heartbeat(request),
        (errorCode, response) => {
          // A member of a group that is still being loaded is to stay as it is.
          const loading = errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
          reply(response ?? { errorCode: loading ? ErrorCode.NONE : appendErrorToAnswer(errorCode) });
        },
      );
    },
  });
}
