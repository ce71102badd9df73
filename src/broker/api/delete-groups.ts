/** DeleteGroups, versions 0–2. */
import { ErrorCode } from '../../base/errors.ts';
import type { DeletedGroup } from '../../coordinator/group/group-administration.ts';
import { appendErrorToAnswer } from '../../coordinator/runtime/append-error.ts';
import { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/delete-groups.ts';
import type { GroupCoordinator } from '../coordinators/group-coordinator.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import { replyOnce, whenAll } from './group-reply.ts';

/** The handler of DeleteGroups. */
export function deleteGroupsApi(services: Services, groups: GroupCoordinator): ApiHandler {
  return api({
    apiKey: 42,
    minVersion: 0,
    maxVersion: 2,
    request: DeleteGroupsRequest,
    response: DeleteGroupsResponse,
    handle(context, request) {
      const plain = context as unknown as RequestContext;
      const reply = replyOnce(context);
      const refused: DeletedGroup[] = [];
      const byPartition = new Map<number, string[]>();
      for (const groupId of new Set(request.groupsNames)) {
        if (!services.authorizer.authorize(plain, AclOperation.DELETE, ResourceType.GROUP, groupId)) {
          refused.push({ groupId, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED });
          continue;
        }
        const partition = groups.partitionFor(groupId);
        const sharing = byPartition.get(partition);
        if (sharing === undefined) byPartition.set(partition, [groupId]);
        else sharing.push(groupId);
      }
      const results: DeletedGroup[] = [];
      const done = whenAll(byPartition.size, () =>
        reply({ throttleTimeMs: 0, results: [...results, ...refused] }),
      );
      for (const [partition, groupIds] of byPartition) {
        groups.writeTo(
          partition,
          (shard) => shard.delete(groupIds),
          (errorCode, deleted) => {
            const told = appendErrorToAnswer(errorCode);
            results.push(...(deleted ?? groupIds.map((groupId) => ({ groupId, errorCode: told }))));
            done();
          },
        );
      }
    },
  });
}
