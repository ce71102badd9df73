/**
 * DescribeProducers, version 0 (KIP-664): the producers that a partition's log knows, and their open transactions. Any replica answers, not only the leader.
 */
import { ErrorCode } from '../../base/errors.ts';
import { topicNameProblem } from '../../controller/topic-names.ts';
import type { ProducerEntry } from '../../log/producer-entry.ts';
import {
  DescribeProducersRequest,
  DescribeProducersResponse,
} from '../../protocol/messages/describe-producers.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';

type PartitionAnswer = InputOf<typeof DescribeProducersResponse>['topics'][number]['partitions'][number];
type ProducerAnswer = NonNullable<PartitionAnswer['activeProducers']>[number];

/** What is wrong with a topic as a whole. */
interface TopicProblem {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string;
}

/** The handler of DescribeProducers. */
export function describeProducersApi(services: Services): ApiHandler {
  return api({
    apiKey: 61,
    minVersion: 0,
    maxVersion: 0,
    request: DescribeProducersRequest,
    response: DescribeProducersResponse,
    handle(context, request) {
      const topics = request.topics.map(({ name, partitionIndexes }) => {
        const problem = problemOf(services, context as unknown as RequestContext, name);
        const partitions = partitionIndexes.map((partitionIndex) =>
          problem === null
            ? describe(services, name, partitionIndex)
            : { partitionIndex, ...problem, activeProducers: [] },
        );
        return { name, partitions };
      });
      context.respond({ throttleTimeMs: 0, topics });
    },
  });
}

function problemOf(services: Services, context: RequestContext, topic: string): TopicProblem | null {
  const malformed = topicNameProblem(topic);
  if (malformed !== null) return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage: malformed };
  if (!services.authorizer.authorize(context, AclOperation.READ, ResourceType.TOPIC, topic)) {
    return { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, errorMessage: 'Topic authorization failed.' };
  }
  if (services.view.image.topics.byName(topic) !== undefined) return null;
  const errorMessage = 'This server does not host this topic-partition.';
  return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage };
}

function describe({ partitions }: Services, topic: string, partitionIndex: number): PartitionAnswer {
  const partition = partitions.find(topic, partitionIndex);
  const log = partition?.log ?? null;
  if (partition === null || log === null || log.offline) {
    const missing =
      partition === null ? partitions.whyMissing(topic, partitionIndex) : partition.checkLeader(-1);
    return { partitionIndex, errorCode: missing, activeProducers: [] };
  }
  const activeProducers = Array.from(log.producers(), producerOf);
  return { partitionIndex, errorCode: ErrorCode.NONE, activeProducers };
}

function producerOf(entry: ProducerEntry): ProducerAnswer {
  return {
    producerId: entry.producerId,
    producerEpoch: entry.epoch,
    lastSequence: entry.lastSequence,
    lastTimestamp: BigInt(entry.lastTimestampMs),
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTxnStartOffset: entry.currentTxnFirstOffset,
  };
}
