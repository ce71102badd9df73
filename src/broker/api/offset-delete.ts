/** OffsetDelete, version 0. */
import { ErrorCode } from '../../base/errors.ts';
import { appendErrorToAnswer } from '../../coordinator/runtime/append-error.ts';
import { OffsetDeleteRequest, OffsetDeleteResponse } from '../../protocol/messages/offset-delete.ts';
import type { InputOf } from '../../protocol/schema.ts';
import type { GroupCoordinator } from '../coordinators/group-coordinator.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import { replyOnce } from './group-reply.ts';

type Topic = OffsetDeleteRequest['topics'][number];
type TopicAnswer = InputOf<typeof OffsetDeleteResponse>['topics'][number];

/** The handler of OffsetDelete. */
export function offsetDeleteApi(services: Services, groups: GroupCoordinator): ApiHandler {
  return api({
    apiKey: 47,
    minVersion: 0,
    maxVersion: 0,
    request: OffsetDeleteRequest,
    response: OffsetDeleteResponse,
    handle(context, request) {
      const plain = context as unknown as RequestContext;
      const reply = replyOnce(context);
      const { groupId } = request;
      if (!services.authorizer.authorize(plain, AclOperation.DELETE, ResourceType.GROUP, groupId)) {
        reply({ errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, topics: [] });
        return;
      }
      if (groupId === '') {
        reply({ errorCode: ErrorCode.INVALID_GROUP_ID, topics: [] });
        return;
      }
      const { allowed, refused } = sort(services, plain, request.topics);
      groups.write(
        groupId,
        (shard) => shard.deleteOffsets({ groupId, topics: allowed }),
        (errorCode, response) => {
          if (response === null) reply({ errorCode: appendErrorToAnswer(errorCode), topics: [] });
          else reply({ ...response, topics: merge(refused, response.topics) });
        },
      );
    },
  });
}

function sort(services: Services, context: RequestContext, topics: readonly Topic[]) {
  const { view, authorizer } = services;
  const allowed: Topic[] = [];
  const refused: TopicAnswer[] = [];
  for (const { name, partitions } of topics) {
    const mayRead = authorizer.authorize(context, AclOperation.READ, ResourceType.TOPIC, name);
    const code = mayRead ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    const exists = mayRead
      ? partitions.filter(({ partitionIndex }) => view.hasPartition(name, partitionIndex))
      : [];
    const missing = partitions.filter((partition) => !exists.includes(partition));
    if (exists.length > 0) allowed.push({ name, partitions: exists });
    if (missing.length === 0 && exists.length > 0) continue;
    refused.push({
      name,
      partitions: missing.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code })),
    });
  }
  return { allowed, refused };
}

function merge(refused: readonly TopicAnswer[], answers: readonly TopicAnswer[]): TopicAnswer[] {
  const merged = new Map<string, TopicAnswer>();
  for (const topic of [...refused, ...answers]) {
    const known = merged.get(topic.name);
    merged.set(
      topic.name,
      known === undefined ? topic : { ...topic, partitions: [...known.partitions, ...topic.partitions] },
    );
  }
  return [...merged.values()];
}
