/** OffsetCommit, versions 2–10; from v10 topics are named by their ids. */
import { ErrorCode } from '../../base/errors.ts';
import { appendErrorToAnswer } from '../../coordinator/runtime/append-error.ts';
import { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/offset-commit.ts';
import type { InputOf } from '../../protocol/schema.ts';
import type { GroupCoordinator } from '../coordinators/group-coordinator.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import { replyOnce } from './group-reply.ts';

const FIRST_VERSION_WITH_TOPIC_IDS = 10;

type Topic = OffsetCommitRequest['topics'][number];
type TopicAnswer = InputOf<typeof OffsetCommitResponse>['topics'][number];

/** The handler of OffsetCommit. */
export function offsetCommitApi(services: Services, groups: GroupCoordinator): ApiHandler {
  return api({
    apiKey: 8,
    minVersion: 2,
    maxVersion: 10,
    request: OffsetCommitRequest,
    response: OffsetCommitResponse,
    handle(context, request) {
      const plain = context as unknown as RequestContext;
      const { groupId } = request;
      const reply = replyOnce(context);
      if (!services.authorizer.authorize(plain, AclOperation.READ, ResourceType.GROUP, groupId)) {
        reply({ topics: request.topics.map((topic) => refuse(topic, ErrorCode.GROUP_AUTHORIZATION_FAILED)) });
        return;
      }
      const { allowed, refused } = sort(services, plain, request.topics);
      if (allowed.length === 0) {
        reply({ topics: refused });
        return;
      }
      groups.write(
        groupId,
        (shard) => shard.commitOffsets({ ...request, topics: allowed }, context.apiVersion),
        (errorCode, response) => {
          const told = appendErrorToAnswer(errorCode);
          reply({ topics: merge(refused, response?.topics ?? allowed.map((topic) => refuse(topic, told))) });
        },
      );
    },
  });
}

/** Topics and partitions that may be committed, with their names; and the answers for all others. */
function sort(services: Services, context: RequestContext, topics: readonly Topic[]) {
  const { view, authorizer } = services;
  const allowed: Topic[] = [];
  const refused: TopicAnswer[] = [];
  for (const given of topics) {
    const byId = context.apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS;
    const name = byId ? (view.image.topics.byId(given.topicId)?.name ?? '') : given.name;
    const topic = { ...given, name };
    if (byId && name === '') refused.push(refuse(topic, ErrorCode.UNKNOWN_TOPIC_ID));
    else if (!authorizer.authorize(context, AclOperation.READ, ResourceType.TOPIC, name)) {
      refused.push(refuse(topic, ErrorCode.TOPIC_AUTHORIZATION_FAILED));
    } else {
      const exists = topic.partitions.filter(({ partitionIndex }) => view.hasPartition(name, partitionIndex));
      const missing = topic.partitions.filter((partition) => !exists.includes(partition));
      if (exists.length > 0) allowed.push({ ...topic, partitions: exists });
      if (missing.length > 0 || exists.length === 0) {
        refused.push(refuse({ ...topic, partitions: missing }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
      }
    }
  }
  return { allowed, refused };
}

function refuse({ name, topicId, partitions }: Topic, errorCode: ErrorCode): TopicAnswer {
  return {
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  };
}

/** A topic that is in both has one entry, with the partitions that exist behind those that do not. */
function merge(refused: readonly TopicAnswer[], answers: readonly TopicAnswer[]): TopicAnswer[] {
  if (refused.length === 0) return [...answers];
  const merged = new Map<string, TopicAnswer>();
  for (const topic of [...refused, ...answers]) {
    const key = `${topic.name ?? ''}\0${topic.topicId ?? ''}`;
    const known = merged.get(key);
    merged.set(
      key,
      known === undefined ? topic : { ...topic, partitions: [...known.partitions, ...topic.partitions] },
    );
  }
  return [...merged.values()];
}
