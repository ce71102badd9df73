/** ListGroups, versions 0–5: those that this broker coordinates; filters by state (v4) and type (v5). */
import { ErrorCode } from '../../base/errors.ts';
import { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/list-groups.ts';
import type { GroupCoordinator } from '../coordinators/group-coordinator.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, CLUSTER_RESOURCE, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';

/** The handler of ListGroups. */
export function listGroupsApi(services: Services, groups: GroupCoordinator): ApiHandler {
  return api({
    apiKey: 16,
    minVersion: 0,
    maxVersion: 5,
    request: ListGroupsRequest,
    response: ListGroupsResponse,
    handle(context, request) {
      const plain = context as unknown as RequestContext;
      const { authorizer } = services;
      const { DESCRIBE } = AclOperation;
      const all = authorizer.authorize(plain, DESCRIBE, ResourceType.CLUSTER, CLUSTER_RESOURCE);
      const { errorCode, found } = groups.readAll((shard) => shard.list(request));
      if (errorCode !== ErrorCode.NONE) {
        context.respond({ errorCode, groups: [] });
        return;
      }
      const visible = found
        .flat()
        .filter(({ groupId }) => all || authorizer.authorize(plain, DESCRIBE, ResourceType.GROUP, groupId));
      context.respond({ errorCode, groups: visible });
    },
  });
}
