/** DescribeGroups, versions 0–6: classic groups. */
import { ErrorCode } from '../../base/errors.ts';
import type { DescribedGroup } from '../../coordinator/group/group-administration.ts';
import { appendErrorToAnswer } from '../../coordinator/runtime/append-error.ts';
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/describe-groups.ts';
import type { GroupCoordinator } from '../coordinators/group-coordinator.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';

/** The handler of DescribeGroups. */
export function describeGroupsApi(services: Services, groups: GroupCoordinator): ApiHandler {
  return api({
    apiKey: 15,
    minVersion: 0,
    maxVersion: 6,
    request: DescribeGroupsRequest,
    response: DescribeGroupsResponse,
    handle(context, request) {
      const plain = context as unknown as RequestContext;
      const { authorizer } = services;
      const refused: DescribedGroup[] = [];
      const described: DescribedGroup[] = [];
      for (const groupId of request.groups) {
        if (!authorizer.authorize(plain, AclOperation.DESCRIBE, ResourceType.GROUP, groupId)) {
          refused.push(failed(groupId, ErrorCode.GROUP_AUTHORIZATION_FAILED));
          continue;
        }
        groups.read(
          groupId,
          (shard) => shard.describe(groupId, context.apiVersion),
          (errorCode, group) => {
            if (group === null) described.push(failed(groupId, appendErrorToAnswer(errorCode)));
            else if (!request.includeAuthorizedOperations || group.errorCode !== ErrorCode.NONE)
              described.push(group);
            else {
              const authorizedOperations = authorizer.authorizedOperations(
                plain,
                ResourceType.GROUP,
                groupId,
              );
              described.push({ ...group, authorizedOperations });
            }
          },
        );
      }
      context.respond({ groups: [...refused, ...described] });
    },
  });
}

function failed(groupId: string, errorCode: ErrorCode): DescribedGroup {
  return { errorCode, groupId, groupState: '', protocolType: '', protocolData: '', members: [] };
}
