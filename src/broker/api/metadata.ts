/**
 * Metadata, versions 0–13: brokers of the client's listener and topics, by name, by id (v12) or all.
 *
 * A topic that does not exist is made when client and broker allow it (`allowAutoTopicCreation`, `auto.create.topics.enable`); the answer then
 * waits until its leaders are there, as far as they are on this broker, but no longer than `MAX_CREATION_WAIT_MS`. An answer with very many partitions is built in steps.
 */
import { ErrorCode } from '../../base/errors.ts';
import { CallbackTimer } from '../../base/timer-wheel.ts';
import { ZERO_UUID } from '../../base/uuid.ts';
import type { PartitionRegistration } from '../../metadata/partition-registration.ts';
import { TopicImage } from '../../metadata/topics-image.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/metadata.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { createMissingTopics } from '../auto-creation.ts';
import { StepRunner } from '../../log/step-runner.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, CLUSTER_RESOURCE, ResourceType } from '../hooks.ts';
import { isInternalTopic, isValidTopicName } from '../internal-topics.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import { encodeInSteps, MAX_PARTITIONS_AT_ONCE } from './metadata-pieces.ts';
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

/** A topic there is, or the answer for one that there is not. */
type Item = TopicImage | TopicAnswer;

/** The handler of Metadata. */
export function metadataApi(services: Services): ApiHandler {
  // All large answers together keep the loop no longer than one.
  const runner = new StepRunner(services.clock);
  return api({
    apiKey: 3,
    minVersion: 0,
    maxVersion: 13,
    request: MetadataRequest,
    response: MetadataResponse,
    handle(context, request) {
      new MetadataCall(services, runner, context, request).start();
    },
  });
}

/** One request on its way. */
class MetadataCall {
  readonly #services: Services;
  readonly #runner: StepRunner;
  readonly #context: Context;
  readonly #anonymous: RequestContext;
  readonly #request: MetadataRequest;
  readonly #reachability: Reachability;
  /** Why a topic could not be made, by name. */
  readonly #creationErrors = new Map<string, ErrorCode>();

  constructor(services: Services, runner: StepRunner, context: Context, request: MetadataRequest) {
    this.#services = services;
    this.#runner = runner;
    this.#context = context;
    this.#anonymous = context as unknown as RequestContext;
    this.#request = request;
    this.#reachability = new Reachability(services.view, context.connection.listener);
  }

  start(): void {
    const topics = this.#wanted();
    if (topics === null) {
      this.#answer(this.#allTopics());
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
    if (missing.length === 0) this.#answer(this.#describe(topics));
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
      if (!context.cancelled) context.guard(() => this.#answer(this.#describe(topics)));
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

  #allTopics(): Item[] {
    const items: Item[] = [];
    for (const topic of this.#services.view.image.topics.all()) {
      if (this.#mayDescribe(topic.name)) items.push(topic);
    }
    return items;
  }

  #describe(topics: readonly RequestTopic[]): Item[] {
    const answers: Item[] = [];
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

  #byId(topicId: string): Item {
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
    if (this.#mayDescribe(topic.name)) return topic;
    return { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, name: null, topicId, partitions: [] };
  }

  #byName(name: string): Item {
    if (!this.#mayDescribe(name)) {
      return { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, name, partitions: [] };
    }
    const topic = this.#services.view.image.topics.byName(name);
    if (topic !== undefined) return topic;
    const errorCode =
      this.#creationErrors.get(name) ??
      (isValidTopicName(name) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION);
    return { errorCode, name, isInternal: isInternalTopic(name), partitions: [] };
  }

  /** What is said of a topic, with its partitions of `[from, end)`. */
  readonly #topic = (topic: TopicImage, from: number, end: number): TopicAnswer => {
    const knowsListenerError = this.#context.apiVersion >= FIRST_VERSION_WITH_LISTENER_ERROR;
    const partitions = [];
    for (let index = from; index < end; index++) {
      const registration = topic.partition(index) as PartitionRegistration;
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
  };

  /** Answers now, or in steps if that is much. */
  #answer(items: readonly Item[]): void {
    let partitions = items.length;
    for (const item of items) if (item instanceof TopicImage) partitions += item.partitionCount;
    if (partitions > MAX_PARTITIONS_AT_ONCE) return this.#answerInSteps(items);
    return this.#respond(
      items.map((item) => (item instanceof TopicImage ? this.#topic(item, 0, item.partitionCount) : item)),
    );
  }

  #answerInSteps(items: readonly Item[]): void {
    const context = this.#context;
    // Brokers come and go meanwhile: all of the answer is of this moment.
    for (const id of this.#services.view.image.cluster.brokers.keys()) this.#reachability.reaches(id);
    const steps = encodeInSteps({
      envelope: this.#body([]),
      version: context.apiVersion,
      correlationId: context.correlationId,
      items,
      describe: this.#topic,
      isCancelled: () => context.cancelled,
    });
    this.#runner.run(steps, (error, parts) => {
      if (error !== null) return context.fail(error);
      return parts === null || parts === undefined ? undefined : context.respondEncoded(parts);
    });
  }

  #respond(topics: readonly TopicAnswer[]): void {
    this.#context.respond(this.#body(topics));
  }

  #body(topics: readonly TopicAnswer[]): Response {
    const { view, clusterId } = this.#services;
    const { listener } = this.#context.connection;
    return {
      throttleTimeMs: 0,
      brokers: view.nodes(listener),
      clusterId,
      controllerId: controllerIdFor(this.#services, listener),
      topics,
      clusterAuthorizedOperations: this.#clusterOperations(),
    };
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
