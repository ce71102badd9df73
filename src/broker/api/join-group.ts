/** JoinGroup, versions 0–9. */
import { ErrorCode } from '../../base/errors.ts';
import type { JoinAnswer } from '../../coordinator/group/classic/classic-member.ts';
import { appendErrorToAnswer } from '../../coordinator/runtime/append-error.ts';
import { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/join-group.ts';
import type { GroupCoordinator } from '../coordinators/group-coordinator.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import { replyOnce } from './group-reply.ts';

const FIRST_VERSION_WITH_NULL_PROTOCOL = 7;

/** The handler of JoinGroup. */
export function joinGroupApi(services: Services, groups: GroupCoordinator): ApiHandler {
  return api({
    apiKey: 11,
    minVersion: 0,
    maxVersion: 9,
    request: JoinGroupRequest,
    response: JoinGroupResponse,
    handle(context, request) {
      const plain = context as unknown as RequestContext;
      const { groupId, memberId } = request;
      const reply = replyOnce(context);
      const answer = (response: JoinAnswer): void => {
        const protocolName =
          context.apiVersion < FIRST_VERSION_WITH_NULL_PROTOCOL
            ? (response.protocolName ?? '')
            : response.protocolName;
        reply({ ...response, protocolName });
      };
      const fail = (errorCode: ErrorCode): void =>
        answer({ errorCode, generationId: -1, protocolName: null, leader: '', memberId, members: [] });
      if (!services.authorizer.authorize(plain, AclOperation.READ, ResourceType.GROUP, groupId)) {
        return fail(ErrorCode.GROUP_AUTHORIZATION_FAILED);
      }
      const { clientId, connection, apiVersion } = context;
      const caller = { clientId, clientHost: connection.peerHost, apiVersion };
      return groups.write(
        groupId,
        (shard) => shard.join(caller, request, answer),
        (errorCode) => {
          if (errorCode !== ErrorCode.NONE) fail(appendErrorToAnswer(errorCode));
        },
      );
    },
  });
}
