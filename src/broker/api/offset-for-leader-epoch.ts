/** OffsetForLeaderEpoch, versions 2–4: where an epoch ended, for clients that check for truncation (KIP-320). */
import { ErrorCode } from '../../base/errors.ts';
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../protocol/messages/offset-for-leader-epoch.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';

type Wanted = OffsetForLeaderEpochRequest['topics'][number]['partitions'][number];
type Result = InputOf<typeof OffsetForLeaderEpochResponse>['topics'][number]['partitions'][number];

/** The handler of OffsetForLeaderEpoch. */
export function offsetForLeaderEpochApi(services: Services): ApiHandler {
  return api({
    apiKey: 23,
    minVersion: 2,
    maxVersion: 4,
    request: OffsetForLeaderEpochRequest,
    response: OffsetForLeaderEpochResponse,
    handle(context, request) {
      const topics = request.topics.map(({ topic, partitions }) => {
        const allowed = services.authorizer.authorize(
          context as unknown as RequestContext,
          AclOperation.DESCRIBE,
          ResourceType.TOPIC,
          topic,
        );
        return {
          topic,
          partitions: partitions.map((wanted) =>
            allowed ? endOf(services, topic, wanted) : failed(wanted, ErrorCode.TOPIC_AUTHORIZATION_FAILED),
          ),
        };
      });
      context.respond({ topics });
    },
  });
}

function endOf(services: Services, topic: string, wanted: Wanted): Result {
  const { partitions } = services;
  const partition = partitions.find(topic, wanted.partition);
  if (partition === null) return failed(wanted, partitions.whyMissing(topic, wanted.partition));
  const errorCode = partition.checkLeader(wanted.currentLeaderEpoch);
  if (errorCode !== ErrorCode.NONE) return failed(wanted, errorCode);
  const end = partition.log?.endOffsetForEpoch(wanted.leaderEpoch) ?? null;
  return {
    partition: wanted.partition,
    errorCode: ErrorCode.NONE,
    leaderEpoch: end?.epoch ?? -1,
    endOffset: end?.endOffset ?? -1,
  };
}

function failed(wanted: Wanted, errorCode: ErrorCode): Result {
  return { partition: wanted.partition, errorCode };
}
