import { BrokerError } from '../base/broker-error.ts';
import { type MutableMap, PersistentMap } from '../base/timeline-map.ts';
import type { Uuid } from '../base/uuid.ts';
import type { PartitionChangeRecord } from '../protocol/records/partition-change-record.ts';
import type { PartitionRecord } from '../protocol/records/partition-record.ts';
import type { TopicRecord } from '../protocol/records/topic-record.ts';
import { type PartitionRegistration, mergePartition, partitionFromRecord } from './partition-registration.ts';
import { TopicImage, TopicsImage } from './topics-image.ts';

/** What changed of one topic. */
export class TopicDelta {
  /** The topic before; null for a new one. */
  readonly before: TopicImage | null;
  readonly name: string;
  readonly id: Uuid;
  /** New state of each changed or new partition. */
  readonly changedPartitions = new Map<number, PartitionRegistration>();
  readonly #partitions: MutableMap<number, PartitionRegistration>;

  constructor(before: TopicImage | null, name: string, id: Uuid) {
    this.before = before;
    this.name = name;
    this.id = id;
    this.#partitions = (
      before?.partitions ?? PersistentMap.empty<number, PartitionRegistration>()
    ).toMutable();
  }

  /** The partition with the changes so far, or undefined. */
  partition(partitionId: number): PartitionRegistration | undefined {
    return this.#partitions.get(partitionId);
  }

  /** Sets a partition. */
  set(partitionId: number, partition: PartitionRegistration): void {
    this.#partitions.set(partitionId, partition);
    this.changedPartitions.set(partitionId, partition);
  }

  /** Drops the eligible leader replicas of all partitions (ClearElrRecord). */
  clearElr(): void {
    for (const [id, partition] of this.#partitions.freeze()) {
      if (partition.elr.length === 0 && partition.lastKnownElr.length === 0) continue;
      this.set(id, { ...partition, elr: [], lastKnownElr: [] });
    }
  }

  /** The topic with the changes. */
  apply(): TopicImage {
    return new TopicImage(this.name, this.id, this.#partitions.freeze());
  }
}

/** What changed of the topics. */
export class TopicsDelta {
  /** New and changed topics by id; a topic that was made and removed meanwhile is not here. */
  readonly changedTopics = new Map<Uuid, TopicDelta>();
  /** Topics that are gone, by id, as they were before. */
  readonly deletedTopics = new Map<Uuid, TopicImage>();
  readonly #image: TopicsImage;
  readonly #idOf: MutableMap<string, Uuid>;

  constructor(image: TopicsImage) {
    this.#image = image;
    this.#idOf = image.maps.idOf.toMutable();
  }

  /** Id of the topic of that name with the changes so far. */
  idOf(name: string): Uuid | undefined {
    return this.#idOf.get(name);
  }

  /** Name of the topic with the changes so far. */
  nameOf(id: Uuid): string | undefined {
    if (this.deletedTopics.has(id)) return undefined;
    return this.changedTopics.get(id)?.name ?? this.#image.byId(id)?.name;
  }

  /** A partition with the changes so far. */
  partition(topicId: Uuid, partitionId: number): PartitionRegistration | undefined {
    if (this.deletedTopics.has(topicId)) return undefined;
    const changed = this.changedTopics.get(topicId);
    return changed === undefined
      ? this.#image.partition(topicId, partitionId)
      : changed.partition(partitionId);
  }

  /** A topic was made. @throws BrokerError when its name or id is taken. */
  replayTopic(record: Readonly<TopicRecord>): void {
    if (this.#idOf.has(record.name) || this.nameOf(record.topicId) !== undefined) {
      throw inconsistent(`a TopicRecord makes topic ${record.name} (${record.topicId}), which is there`);
    }
    this.#idOf.set(record.name, record.topicId);
    this.changedTopics.set(record.topicId, new TopicDelta(null, record.name, record.topicId));
  }

  /** A partition was made or set whole. @throws BrokerError when there is no such topic. */
  replayPartition(record: Readonly<PartitionRecord>): void {
    this.#topic(record.topicId, 'PartitionRecord').set(record.partitionId, partitionFromRecord(record));
  }

  /** @throws BrokerError when there is no such partition. */
  replayPartitionChange(record: Readonly<PartitionChangeRecord>): void {
    const topic = this.#topic(record.topicId, 'PartitionChangeRecord');
    const partition = topic.partition(record.partitionId);
    if (partition === undefined) {
      throw inconsistent(
        `a PartitionChangeRecord names ${topic.name}-${record.partitionId}, which is not there`,
      );
    }
    topic.set(record.partitionId, mergePartition(partition, record));
  }

  /** Returns the name of the topic removed. @throws BrokerError when there is none of that id. */
  replayRemove(topicId: Uuid): string {
    const topic = this.#topic(topicId, 'RemoveTopicRecord');
    this.changedTopics.delete(topicId);
    if (topic.before !== null) this.deletedTopics.set(topicId, topic.before);
    this.#idOf.delete(topic.name);
    return topic.name;
  }

  /** Clears eligible leader replicas of the named topic, or of all when the name is empty. */
  replayClearElr(topicName: string): void {
    const names = topicName === '' ? [...this.#idOf.freeze().keys()] : [topicName];
    for (const name of names) {
      const id = this.#idOf.get(name);
      if (id === undefined) throw inconsistent(`a ClearElrRecord names topic ${name}, which is not there`);
      this.#topic(id, 'ClearElrRecord').clearElr();
    }
  }

  /** The topics with the changes. */
  apply(): TopicsImage {
    const byId = this.#image.maps.byId.toMutable();
    for (const id of this.deletedTopics.keys()) byId.delete(id);
    for (const [id, topic] of this.changedTopics) byId.set(id, topic.apply());
    return new TopicsImage(byId.freeze(), this.#idOf.freeze());
  }

  #topic(id: Uuid, type: string): TopicDelta {
    const known = this.changedTopics.get(id);
    if (known !== undefined) return known;
    const before = this.deletedTopics.has(id) ? undefined : this.#image.byId(id);
    if (before === undefined) throw inconsistent(`a ${type} names topic ${id}, which is not there`);
    const delta = new TopicDelta(before, before.name, id);
    this.changedTopics.set(id, delta);
    return delta;
  }
}

function inconsistent(what: string): BrokerError {
  return new BrokerError('METADATA_INCONSISTENT', what);
}
