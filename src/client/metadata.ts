import { ErrorCode } from '../base/errors.ts';
import { type Uuid, ZERO_UUID } from '../base/uuid.ts';
import type { MetadataResponse } from '../protocol/messages/metadata.ts';

/** A broker's address. */
export interface BrokerAddress {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** A partition as the last answer described it. */
export interface PartitionInfo {
  readonly partition: number;
  readonly errorCode: ErrorCode;
  /** Broker id, -1 while there is none. */
  readonly leader: number;
  /** -1 when the broker did not say. */
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
}

/** A topic as the last answer described it. */
export interface TopicInfo {
  readonly name: string;
  /** Zero uuid when the broker did not say. */
  readonly topicId: Uuid;
  readonly errorCode: ErrorCode;
  readonly isInternal: boolean;
  /** By partition number. */
  readonly partitions: readonly PartitionInfo[];
}

/** What a client knows of brokers and topics; filled by answers, never by guesses. */
export class MetadataCache {
  /** Empty until the first answer. */
  clusterId: string | null = null;
  /** Broker that takes controller requests, -1 if unknown. */
  controllerId = -1;
  readonly brokers = new Map<number, BrokerAddress>();
  readonly #topics = new Map<string, TopicInfo>();
  /** Name by id, of topics whose id is known. */
  readonly #names = new Map<Uuid, string>();

  /** Takes over an answer: all brokers, and the topics in it. */
  apply(answer: MetadataResponse): void {
    this.clusterId = answer.clusterId;
    this.controllerId = answer.controllerId;
    this.brokers.clear();
    for (const { nodeId, host, port, rack } of answer.brokers) {
      this.brokers.set(nodeId, { nodeId, host, port, rack });
    }
    for (const topic of answer.topics) {
      if (topic.name === null) continue;
      const partitions: PartitionInfo[] = topic.partitions.map((partition) => ({
        partition: partition.partitionIndex,
        errorCode: partition.errorCode,
        leader: partition.leaderId,
        leaderEpoch: partition.leaderEpoch,
        replicas: partition.replicaNodes,
        isr: partition.isrNodes,
      }));
      partitions.sort((a, b) => a.partition - b.partition);
      const { name, topicId, errorCode, isInternal } = topic;
      if (topicId !== ZERO_UUID) this.#names.set(topicId, name);
      this.#topics.set(name, { name, topicId, errorCode, isInternal, partitions });
    }
  }

  /** The topic with its error, undefined when it was never asked for. */
  topic(name: string): TopicInfo | undefined {
    return this.#topics.get(name);
  }

  /** Id of a topic, the zero uuid while it is not known. */
  topicId(name: string): Uuid {
    return this.#topics.get(name)?.topicId ?? ZERO_UUID;
  }

  /** True if the broker said which id the topic has. */
  hasTopicId(name: string): boolean {
    return this.topicId(name) !== ZERO_UUID;
  }

  /** Name of the topic with this id, also of one that has been created anew since; undefined when no answer named it. */
  nameOf(topicId: Uuid): string | undefined {
    return this.#names.get(topicId);
  }

  /** Every topic that was asked for. */
  topics(): Iterable<TopicInfo> {
    return this.#topics.values();
  }

  /** Drops what is known of a topic, so that nothing is sent on the strength of it. */
  forget(name: string): void {
    this.#topics.delete(name);
  }

  /** Broker id of a partition's leader; -1 when it is not known, has none, or its broker is not known. */
  leader(topic: string, partition: number): number {
    const info = this.#topics.get(topic);
    if (info === undefined || info.errorCode !== ErrorCode.NONE) return -1;
    const leader = info.partitions[partition]?.leader ?? -1;
    return this.brokers.has(leader) ? leader : -1;
  }

  /** Leader epoch of a partition, -1 when it is not known. */
  leaderEpoch(topic: string, partition: number): number {
    return this.#topics.get(topic)?.partitions[partition]?.leaderEpoch ?? -1;
  }
}
