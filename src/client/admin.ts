import { ErrorCode } from '../base/errors.ts';
import type { Uuid } from '../base/uuid.ts';
import type { CreateTopicsResponse } from '../protocol/messages/create-topics.ts';
import type { DeleteTopicsResponse } from '../protocol/messages/delete-topics.ts';
import { CREATE_TOPICS, DELETE_TOPICS } from './apis.ts';
import { brokerAnswer, ClientError, type Done, promised } from './client-error.ts';
import { type ClientOptions, type ClientPorts, Cluster } from './cluster.ts';
import { type FoundOffset, listOffsets, needsMetadata, type OffsetQuery } from './list-offsets.ts';
import type { BrokerAddress, TopicInfo } from './metadata.ts';

/** How an admin behaves. */
export interface AdminOptions extends ClientOptions {
  /** How long something is tried before its last error counts; default one minute. */
  readonly timeoutMs?: number;
}

/** A topic to be made. */
export interface NewTopic {
  readonly name: string;
  /** Left out: the broker's default. */
  readonly numPartitions?: number;
  /** Left out: the broker's default. */
  readonly replicationFactor?: number;
  readonly configs?: Readonly<Record<string, string>>;
  /** Broker ids per partition, instead of a number of partitions and replicas. */
  readonly assignments?: readonly {
    readonly partitionIndex: number;
    readonly brokerIds: readonly number[];
  }[];
}

/** What became of one topic. */
export interface TopicOutcome {
  readonly name: string;
  /** Zero uuid when the broker did not say. */
  readonly topicId: Uuid;
  /** Null when it was done. */
  readonly error: ClientError | null;
}

/** The brokers of a cluster. */
export interface ClusterInfo {
  readonly clusterId: string | null;
  readonly controllerId: number;
  readonly brokers: readonly BrokerAddress[];
}

/** Topics and offsets, asked for and changed. Every method tries again what may pass by itself, until the deadline. */
export class Admin {
  readonly #cluster: Cluster;
  readonly #timeoutMs: number;

  constructor(ports: ClientPorts, options: AdminOptions) {
    this.#cluster = new Cluster(ports, options);
    this.#timeoutMs = options.timeoutMs ?? 60_000;
  }

  /** Makes topics; each has its own outcome, in order. @throws ClientError when no broker answers. */
  async createTopics(
    topics: readonly NewTopic[],
    options: { readonly validateOnly?: boolean } = {},
  ): Promise<TopicOutcome[]> {
    const request = {
      topics: topics.map((topic) => ({
        name: topic.name,
        numPartitions: topic.assignments === undefined ? (topic.numPartitions ?? -1) : -1,
        replicationFactor: topic.assignments === undefined ? (topic.replicationFactor ?? -1) : -1,
        assignments: topic.assignments ?? [],
        configs: Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value })),
      })),
      timeoutMs: this.#timeoutMs,
      validateOnly: options.validateOnly ?? false,
    };
    const answer = await this.#retrying((done: Done<CreateTopicsResponse>) =>
      this.#cluster.send('any', CREATE_TOPICS, () => request, { timeoutMs: this.#timeoutMs }, done),
    );
    return topics.map(({ name }) => {
      const result = answer.topics.find((topic) => topic.name === name);
      return outcomeOf(`create topic ${name}`, name, result);
    });
  }

  /** Deletes topics by name; each has its own outcome, in order. @throws ClientError when no broker answers. */
  async deleteTopics(names: readonly string[]): Promise<TopicOutcome[]> {
    const request = (version: number) => ({
      topics: version >= 6 ? names.map((name) => ({ name })) : [],
      topicNames: version >= 6 ? [] : names,
      timeoutMs: this.#timeoutMs,
    });
    const answer = await this.#retrying((done: Done<DeleteTopicsResponse>) =>
      this.#cluster.send('any', DELETE_TOPICS, request, { timeoutMs: this.#timeoutMs }, done),
    );
    return names.map((name) => {
      const result = answer.responses.find((topic) => topic.name === name);
      return outcomeOf(`delete topic ${name}`, name, result);
    });
  }

  /** Describes topics, null for all; a topic that is not there has its error code. @throws ClientError */
  async describeTopics(names: readonly string[] | null): Promise<TopicInfo[]> {
    await this.#refresh(names);
    const { metadata } = this.#cluster;
    if (names === null) return [...metadata.topics()];
    return names.map((name) => metadata.topic(name)).filter((topic) => topic !== undefined);
  }

  /** Describes brokers. @throws ClientError */
  async describeCluster(): Promise<ClusterInfo> {
    await this.#refresh([]);
    const { clusterId, controllerId, brokers } = this.#cluster.metadata;
    return { clusterId, controllerId, brokers: [...brokers.values()] };
  }

  /** Finds offsets, in the order of the queries. @throws ClientError the first one that does not pass by itself. */
  async listOffsets(queries: readonly OffsetQuery[]): Promise<FoundOffset[]> {
    const topics = [...new Set(queries.map(({ topic }) => topic))];
    let refresh = topics.some((topic) => this.#cluster.metadata.topic(topic)?.errorCode !== ErrorCode.NONE);
    return await this.#retrying((done: Done<FoundOffset[]>) => {
      const ask = () =>
        listOffsets(this.#cluster, queries, (found) => {
          const error = found.find((outcome) => outcome.error !== null)?.error ?? null;
          refresh = error !== null && needsMetadata(error);
          done(error ?? found);
        });
      if (!refresh) ask();
      else this.#cluster.refresh(topics, false, (error) => (error === null ? ask() : done(error)));
    });
  }

  /** Closes at once; what is under way fails. */
  close(): void {
    this.#cluster.close();
  }

  async #refresh(names: readonly string[] | null): Promise<void> {
    if (names === null)
      for (const { name } of this.#cluster.metadata.topics()) this.#cluster.metadata.forget(name);
    await this.#retrying((done: Done<true>) =>
      this.#cluster.refresh(names, false, (error) => done(error ?? true)),
    );
  }

  /** Tries until it succeeds, fails for good, or the deadline has passed. */
  #retrying<T>(attempt: (done: Done<T>) => void): Promise<T> {
    const { clock } = this.#cluster.ports;
    const deadlineMs = clock.monotonicMs() + this.#timeoutMs;
    return promised((done) => {
      const again = () =>
        attempt((outcome) => {
          const retryAtMs = clock.monotonicMs() + this.#cluster.retryBackoffMs;
          const retries = outcome instanceof ClientError && outcome.retriable && !this.#cluster.closed;
          if (retries && retryAtMs < deadlineMs) clock.schedule(retryAtMs, again);
          else done(outcome);
        });
      again();
    });
  }
}

interface AnsweredTopic {
  readonly topicId: Uuid;
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

function outcomeOf(what: string, name: string, answer: AnsweredTopic | undefined): TopicOutcome {
  if (answer === undefined)
    throw new ClientError('MALFORMED_RESPONSE', `${what}: the answer does not name it`);
  const { topicId, errorCode, errorMessage } = answer;
  const error = errorCode === ErrorCode.NONE ? null : brokerAnswer(what, errorCode, errorMessage);
  return { name, topicId, error };
}
