/**
 * DescribeTopicPartitions, version 0 (KIP-966): topics by name, or all, in order of their names and in pages of at most
 * `responsePartitionLimit` partitions (bounded by `max.request.partition.size.limit`); `nextCursor` says where the next page begins.
 */
import { ErrorCode } from '../../base/errors.ts';
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../../protocol/messages/describe-topic-partitions.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import { isInternalTopic, isValidTopicName } from '../internal-topics.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import { Reachability } from './topic-description.ts';

type Response = InputOf<typeof DescribeTopicPartitionsResponse>;
type TopicAnswer = Response['topics'][number];
type Cursor = NonNullable<Response['nextCursor']>;

/** The handler of DescribeTopicPartitions. */
export function describeTopicPartitionsApi(services: Services): ApiHandler {
  return api({
    apiKey: 75,
    minVersion: 0,
    maxVersion: 0,
    request: DescribeTopicPartitionsRequest,
    response: DescribeTopicPartitionsResponse,
    handle(context, request) {
      const { cursor } = request;
      const all = request.topics.length === 0;
      const named = request.topics.map(({ name }) => name);
      if (cursor !== null && (cursor.partitionIndex < 0 || (!all && !named.includes(cursor.topicName)))) {
        const topics = named.map((name) => ({ errorCode: ErrorCode.INVALID_REQUEST, name, partitions: [] }));
        context.respond({ topics });
        return;
      }
      const existing = (): string[] => [...services.view.image.topics.all()].map(({ name }) => name);
      const from = cursor?.topicName ?? '';
      const names = [...new Set(all ? existing() : named)].filter((name) => name >= from).sort();
      const page = new Page(services, context as unknown as RequestContext, request, cursor);
      for (const name of names) if (!page.add(name, all)) break;
      context.respond({ topics: page.topics, nextCursor: page.nextCursor });
    },
  });
}

/** One answer, until it is full. */
class Page {
  readonly topics: TopicAnswer[] = [];
  nextCursor: Cursor | null = null;
  readonly #services: Services;
  readonly #context: RequestContext;
  readonly #reachability: Reachability;
  readonly #cursor: Cursor | null;
  #remaining: number;

  constructor(
    services: Services,
    context: RequestContext,
    request: DescribeTopicPartitionsRequest,
    cursor: Cursor | null,
  ) {
    this.#services = services;
    this.#context = context;
    this.#reachability = new Reachability(services.view, context.connection.listener);
    this.#cursor = cursor;
    this.#remaining = Math.max(
      1,
      Math.min(request.responsePartitionLimit, services.limits.maxPartitionsPerAnswer),
    );
  }

  /** Adds a topic, as far as there is room; returns false when the page is full. */
  add(name: string, all: boolean): boolean {
    const { authorizer, view } = this.#services;
    if (!authorizer.authorize(this.#context, AclOperation.DESCRIBE, ResourceType.TOPIC, name)) {
      if (!all) this.topics.push(failed(name, ErrorCode.TOPIC_AUTHORIZATION_FAILED));
      return true;
    }
    const topic = view.image.topics.byName(name);
    if (topic === undefined) {
      const errorCode = isValidTopicName(name)
        ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        : ErrorCode.INVALID_TOPIC_EXCEPTION;
      this.topics.push(failed(name, errorCode));
      return true;
    }
    if (this.#remaining <= 0) {
      this.nextCursor = { topicName: name, partitionIndex: 0 };
      return false;
    }
    const first = this.#cursor?.topicName === name ? this.#cursor.partitionIndex : 0;
    const end = Math.min(topic.partitionCount, first + this.#remaining);
    const partitions: TopicAnswer['partitions'][number][] = [];
    for (let index = first; index < end; index++) {
      const registration = topic.partition(index);
      if (registration === undefined) continue;
      partitions.push({
        ...this.#reachability.describe(index, registration, true),
        eligibleLeaderReplicas: registration.elr,
        lastKnownElr: registration.lastKnownElr,
      });
    }
    this.#remaining -= partitions.length;
    this.topics.push({
      errorCode: ErrorCode.NONE,
      name,
      topicId: topic.id,
      isInternal: isInternalTopic(name),
      partitions,
      topicAuthorizedOperations: authorizer.authorizedOperations(this.#context, ResourceType.TOPIC, name),
    });
    if (end >= topic.partitionCount) return true;
    this.nextCursor = { topicName: name, partitionIndex: end };
    return false;
  }
}

function failed(name: string, errorCode: ErrorCode): TopicAnswer {
  return { errorCode, name, isInternal: isInternalTopic(name), partitions: [] };
}
