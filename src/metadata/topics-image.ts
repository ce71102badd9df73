import { PersistentMap } from '../base/timeline-map.ts';
import type { Uuid } from '../base/uuid.ts';
import { type MetadataRecord, metadataRecord } from './metadata-record.ts';
import type { MetadataVersion } from './metadata-version.ts';
import { type PartitionRegistration, partitionToRecord } from './partition-registration.ts';

/** A topic and its partitions, immutable. */
export class TopicImage {
  readonly name: string;
  readonly id: Uuid;
  /** By partition number; numbers run from 0 without a gap. Iterates in no useful order: see `inOrder`. */
  readonly partitions: PersistentMap<number, PartitionRegistration>;

  constructor(name: string, id: Uuid, partitions: PersistentMap<number, PartitionRegistration>) {
    this.name = name;
    this.id = id;
    this.partitions = partitions;
  }

  /** Number of partitions. */
  get partitionCount(): number {
    return this.partitions.size;
  }

  /** The state of a partition, or undefined. */
  partition(partitionId: number): PartitionRegistration | undefined {
    return this.partitions.get(partitionId);
  }

  /** The partitions by rising number. */
  *inOrder(): IterableIterator<[number, PartitionRegistration]> {
    for (const id of [...this.partitions.keys()].sort((a, b) => a - b)) {
      yield [id, this.partitions.get(id) as PartitionRegistration];
    }
  }

  /** Records that make this topic. */
  *toRecords(metadataVersion: MetadataVersion): IterableIterator<MetadataRecord> {
    yield metadataRecord('TopicRecord', { name: this.name, topicId: this.id });
    for (const [id, partition] of this.inOrder()) {
      yield partitionToRecord(this.id, id, partition, metadataVersion);
    }
  }
}

/** All topics, immutable. */
export class TopicsImage {
  /** No topic. */
  static readonly EMPTY = new TopicsImage(PersistentMap.empty(), PersistentMap.empty());

  readonly #byId: PersistentMap<Uuid, TopicImage>;
  readonly #idOf: PersistentMap<string, Uuid>;

  constructor(byId: PersistentMap<Uuid, TopicImage>, idOf: PersistentMap<string, Uuid>) {
    this.#byId = byId;
    this.#idOf = idOf;
  }

  /** Number of topics. */
  get size(): number {
    return this.#byId.size;
  }

  /** The topic of that name, or undefined. */
  byName(name: string): TopicImage | undefined {
    const id = this.#idOf.get(name);
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** The topic of that id, or undefined. */
  byId(id: Uuid): TopicImage | undefined {
    return this.#byId.get(id);
  }

  /** A partition by topic id, or undefined. */
  partition(topicId: Uuid, partitionId: number): PartitionRegistration | undefined {
    return this.#byId.get(topicId)?.partition(partitionId);
  }

  /** All topics in an order that depends on the topics alone. */
  all(): IterableIterator<TopicImage> {
    return this.#byId.values();
  }

  /** The maps behind, for the delta. */
  get maps(): {
    readonly byId: PersistentMap<Uuid, TopicImage>;
    readonly idOf: PersistentMap<string, Uuid>;
  } {
    return { byId: this.#byId, idOf: this.#idOf };
  }

  /** Records that make this state. */
  *toRecords(metadataVersion: MetadataVersion): IterableIterator<MetadataRecord> {
    for (const topic of this.all()) yield* topic.toRecords(metadataVersion);
  }
}
