/**
 * Metadata, versions 0–13: brokers of the client's listener and topics, by name, by id (v12) or all.
 *
 * A topic that does not exist is made when client and broker allow it (`allowAutoTopicCreation`, `auto.create.topics.enable`); the answer then
 * waits until its leaders are there, as far as they are on this broker, but no longer than `MAX_CREATION_WAIT_MS`.
 */
import { ErrorCode } from '../../base/errors.ts';
import { CallbackTimer } from '../../base/timer-wheel.ts';
import { ZERO_UUID } from '../../base/uuid.ts';
import type { TopicImage } from '../../metadata/topics-image.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/metadata.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { createMissingTopics } from '../auto-creation.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, CLUSTER_RESOURCE, ResourceType } from '../hooks.ts';
import { isInternalTopic, isValidTopicName } from '../internal-topics.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import { controllerIdFor, Reachability } from './topic-description.ts';

/** How long an answer waits for topics that it had made; clients ask again when they get LEADER_NOT_AVAILABLE. */
const MAX_CREATION_WAIT_MS = 3000;
const FIRST_VERSION_WITH_TOPIC_IDS = 12;
const FIRST_VERSION_WITH_LISTENER_ERROR = 6;
const NO_OPERATIONS = -2147483648;

type Response = InputOf<typeof MetadataResponse>;
type Context = RequestContext<Response>;
type TopicAnswer = Response['topics'][number];
type RequestTopic = NonNullable<MetadataRequest['topics']>[number];

/** The handler of Metadata. */
export function metadataApi(services: Services): ApiHandler {
  return api({
    apiKey: 3,
    minVersion: 0,
    maxVersion: 13,
    request: MetadataRequest,
    response: MetadataResponse,
    handle(context, request) {
      new MetadataCall(services, context, request).start();
    },
  });
}

/** One request on its way. */
class MetadataCall {
  readonly #services: Services;
  readonly #context: Context;
  readonly #anonymous: RequestContext;
  readonly #request: MetadataRequest;
  readonly #reachability: Reachability;
  /** Why a topic could not be made, by name. */
  readonly #creationErrors = new Map<string, ErrorCode>();

  constructor(services: Services, context: Context, request: MetadataRequest) {
    this.#services = services;
    this.#context = context;
    this.#anonymous = context as unknown as RequestContext;
    this.#request = request;
    this.#reachability = new Reachability(services.view, context.connection.listener);
  }

  start(): void {
    const topics = this.#wanted();
    if (topics === null) {
      this.#respond(this.#allTopics());
      return;
    }
    if (topics.some((topic) => this.#isInvalid(topic))) {
      const errorCode = ErrorCode.INVALID_REQUEST;
      this.#respond(
        topics.map(({ name, topicId }) => ({ errorCode, name: name ?? '', topicId, partitions: [] })),
      );
      return;
    }
    const missing = this.#missing(topics);
    if (missing.length === 0) this.#respond(this.#describe(topics));
    else this.#createAndRespond(topics, missing);
  }

  /** The topics asked for; null for all. */
  #wanted(): readonly RequestTopic[] | null {
    const { topics } = this.#request;
    return topics === null || (this.#context.apiVersion === 0 && topics.length === 0) ? null : topics;
  }

  #isInvalid({ name, topicId }: RequestTopic): boolean {
    return (
      this.#context.apiVersion < FIRST_VERSION_WITH_TOPIC_IDS && (name === null || topicId !== ZERO_UUID)
    );
  }

  /** Names of topics to be made before the answer. */
  #missing(topics: readonly RequestTopic[]): string[] {
    const { limits, view, authorizer } = this.#services;
    if (!limits.autoCreateTopics || !this.#request.allowAutoTopicCreation) return [];
    const missing = new Set<string>();
    for (const { name, topicId } of topics) {
      if (name === null || topicId !== ZERO_UUID || view.image.topics.byName(name) !== undefined) continue;
      if (!isValidTopicName(name) || isInternalTopic(name) || !this.#mayDescribe(name)) continue;
      const mayCreate =
        authorizer.authorize(this.#anonymous, AclOperation.CREATE, ResourceType.CLUSTER, CLUSTER_RESOURCE) ||
        authorizer.authorize(this.#anonymous, AclOperation.CREATE, ResourceType.TOPIC, name);
      if (mayCreate) missing.add(name);
      else this.#creationErrors.set(name, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    }
    return [...missing];
  }

  #createAndRespond(topics: readonly RequestTopic[], missing: readonly string[]): void {
    const services = this.#services;
    const context = this.#context;
    let waiting = true;
    const answer = (): void => {
      if (!waiting) return;
      waiting = false;
      services.wheel.cancel(timer);
      if (!context.cancelled) context.guard(() => this.#respond(this.#describe(topics)));
    };
    const timer = new CallbackTimer(answer);
    const deadlineMs = Math.min(context.deadlineMs, context.receivedMs + MAX_CREATION_WAIT_MS);
    services.wheel.schedule(timer, deadlineMs);
    createMissingTopics(services, this.#anonymous, missing, (errors) => {
      for (const [name, errorCode] of errors) this.#creationErrors.set(name, errorCode);
      services.view.wait(() => {
        if (waiting && !missing.every((name) => this.#creationErrors.has(name) || this.#isServed(name)))
          return false;
        answer();
        return true;
      });
    });
  }

  /** True when every partition of the topic has a leader, and those led here are led. */
  #isServed(name: string): boolean {
    const { view, partitions, nodeId } = this.#services;
    const topic = view.image.topics.byName(name);
    if (topic === undefined) return false;
    for (const [index, { leader }] of topic.partitions) {
      if (leader < 0) return false;
      if (leader === nodeId && !partitions.find(name, index)?.isLeader) return false;
    }
    return true;
  }

  #mayDescribe(name: string): boolean {
    return this.#services.authorizer.authorize(
      this.#anonymous,
      AclOperation.DESCRIBE,
      ResourceType.TOPIC,
      name,
    );
  }

  #allTopics(): TopicAnswer[] {
    const answers: TopicAnswer[] = [];
    for (const topic of this.#services.view.image.topics.all()) {
      if (this.#mayDescribe(topic.name)) answers.push(this.#topic(topic));
    }
    return answers;
  }

  #describe(topics: readonly RequestTopic[]): TopicAnswer[] {
    const answers: TopicAnswer[] = [];
    const seen = new Set<string>();
    // If any topic is named by id, names are not looked at.
    const byId = topics.some(({ topicId }) => topicId !== ZERO_UUID);
    for (const { name, topicId } of topics) {
      const key = byId ? topicId : (name ?? '');
      if (seen.has(key) || (byId && topicId === ZERO_UUID)) continue;
      seen.add(key);
      answers.push(byId || name === null ? this.#byId(topicId) : this.#byName(name));
    }
    return answers;
  }

  #byId(topicId: string): TopicAnswer {
    const topic = this.#services.view.image.topics.byId(topicId);
    if (topic === undefined) {
      return {
        errorCode: ErrorCode.UNKNOWN_TOPIC_ID,
        name: null,
        topicId,
        isInternal: false,
        partitions: [],
      };
    }
    if (this.#mayDescribe(topic.name)) return this.#topic(topic);
    return { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, name: null, topicId, partitions: [] };
  }

  #byName(name: string): TopicAnswer {
    if (!this.#mayDescribe(name)) {
      return { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, name, partitions: [] };
    }
    const topic = this.#services.view.image.topics.byName(name);
    if (topic !== undefined) return this.#topic(topic);
    const errorCode =
      this.#creationErrors.get(name) ??
      (isValidTopicName(name) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION);
    return { errorCode, name, isInternal: isInternalTopic(name), partitions: [] };
  }

  #topic(topic: TopicImage): TopicAnswer {
    const knowsListenerError = this.#context.apiVersion >= FIRST_VERSION_WITH_LISTENER_ERROR;
    const partitions = [];
    for (const [index, registration] of topic.inOrder()) {
      partitions.push(this.#reachability.describe(index, registration, knowsListenerError));
    }
    return {
      errorCode: ErrorCode.NONE,
      name: topic.name,
      topicId: topic.id,
      isInternal: isInternalTopic(topic.name),
      partitions,
      topicAuthorizedOperations: this.#request.includeTopicAuthorizedOperations
        ? this.#services.authorizer.authorizedOperations(this.#anonymous, ResourceType.TOPIC, topic.name)
        : NO_OPERATIONS,
    };
  }

  #respond(topics: readonly TopicAnswer[]): void {
    const { view, clusterId } = this.#services;
    const { listener } = this.#context.connection;
    this.#context.respond({
      throttleTimeMs: 0,
      brokers: view.nodes(listener),
      clusterId,
      controllerId: controllerIdFor(this.#services, listener),
      topics,
      clusterAuthorizedOperations: this.#clusterOperations(),
    });
  }

  #clusterOperations(): number {
    const { authorizer } = this.#services;
    if (!this.#request.includeClusterAuthorizedOperations) return NO_OPERATIONS;
    return authorizer.authorize(
      this.#anonymous,
      AclOperation.DESCRIBE,
      ResourceType.CLUSTER,
      CLUSTER_RESOURCE,
    )
      ? authorizer.authorizedOperations(this.#anonymous, ResourceType.CLUSTER, CLUSTER_RESOURCE)
      : 0;
  }
}
