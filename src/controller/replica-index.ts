import { type MutableMap, PersistentMap } from '../base/timeline-map.ts';
import type { Timeline, TimelineMap } from '../base/timeline.ts';
import type { Uuid } from '../base/uuid.ts';
import type { MetadataDelta } from '../metadata/metadata-delta.ts';
import { NO_LEADER, type PartitionRegistration } from '../metadata/partition-registration.ts';
import type { TopicsImage } from '../metadata/topics-image.ts';
import { isEmpty, type MemberSet, NO_MEMBERS, withMember, withoutMember } from './member-set.ts';

/** A partition by topic id and number. */
export interface TopicIdPartition {
  readonly topicId: Uuid;
  readonly partitionId: number;
}

type PartitionsByTopic = PersistentMap<Uuid, MemberSet>;

const NO_PARTITIONS: PartitionsByTopic = PersistentMap.empty();

/**
 * Which partitions a broker matters to, kept beside the image so that fencing a broker costs what it holds and not what the
 * cluster holds. Rolls back with its timeline.
 */
export class ReplicaIndex {
  /** Partitions by the brokers in their ISR; those without a leader under `NO_LEADER`. */
  readonly #isr: TimelineMap<number, PartitionsByTopic>;
  /** Partitions by their eligible leader replicas. */
  readonly #elr: TimelineMap<number, PartitionsByTopic>;
  /** How many partitions a broker leads; brokers that lead none are not here. */
  readonly #ledCount: TimelineMap<number, number>;

  constructor(timeline: Timeline) {
    this.#isr = timeline.createMap();
    this.#elr = timeline.createMap();
    this.#ledCount = timeline.createMap();
  }

  /** Partitions that have the broker in their ISR. */
  withIsrMember(brokerId: number): TopicIdPartition[] {
    return flattened(this.#isr.get(brokerId));
  }

  /** Partitions that have the broker among their eligible leader replicas. */
  withElrMember(brokerId: number): TopicIdPartition[] {
    return flattened(this.#elr.get(brokerId));
  }

  /** Partitions that have no leader. */
  withoutLeader(): TopicIdPartition[] {
    return flattened(this.#isr.get(NO_LEADER));
  }

  /** True if the broker leads a partition. */
  leadsAny(brokerId: number): boolean {
    return this.#ledCount.has(brokerId);
  }

  /** Takes over what an applied delta changed. */
  apply(delta: MetadataDelta): void {
    if (delta.topics === null) return;
    const edit = { isr: new MembershipEdit(this.#isr), elr: new MembershipEdit(this.#elr) };
    for (const topic of delta.topics.deletedTopics.values()) {
      for (const [partitionId, partition] of topic.partitions) {
        this.#change(edit, { topicId: topic.id, partitionId }, partition, null);
      }
    }
    for (const topic of delta.topics.changedTopics.values()) {
      for (const [partitionId, partition] of topic.changedPartitions) {
        const before = topic.before?.partition(partitionId) ?? null;
        this.#change(edit, { topicId: topic.id, partitionId }, before, partition);
      }
    }
    edit.isr.finish();
    edit.elr.finish();
  }

  /** Everything the index says, to compare with `expectedIndex`. */
  describe(): ReadonlySet<string> {
    const facts = new Set<string>();
    for (const [kind, map] of [
      ['isr', this.#isr],
      ['elr', this.#elr],
    ] as const) {
      for (const [brokerId, partitions] of map.view()) {
        for (const { topicId, partitionId } of flattened(partitions)) {
          facts.add(`${kind} ${brokerId} ${topicId} ${partitionId}`);
        }
      }
    }
    for (const [brokerId, count] of this.#ledCount.view()) facts.add(`leads ${brokerId} ${count}`);
    return facts;
  }

  #change(
    edit: { readonly isr: MembershipEdit; readonly elr: MembershipEdit },
    at: TopicIdPartition,
    before: PartitionRegistration | null,
    after: PartitionRegistration | null,
  ): void {
    edit.isr.move(at, isrKeys(before), isrKeys(after));
    edit.elr.move(at, before?.elr ?? NO_KEYS, after?.elr ?? NO_KEYS);
    const oldLeader = before?.leader ?? NO_LEADER;
    const newLeader = after?.leader ?? NO_LEADER;
    if (oldLeader === newLeader) return;
    if (oldLeader !== NO_LEADER) this.#addLed(oldLeader, -1);
    if (newLeader !== NO_LEADER) this.#addLed(newLeader, 1);
  }

  #addLed(brokerId: number, change: number): void {
    const count = (this.#ledCount.get(brokerId) ?? 0) + change;
    if (count === 0) this.#ledCount.delete(brokerId);
    else this.#ledCount.set(brokerId, count);
  }
}

/** What `ReplicaIndex.describe` must give for these topics. */
export function expectedIndex(topics: TopicsImage): ReadonlySet<string> {
  const facts = new Set<string>();
  const led = new Map<number, number>();
  for (const topic of topics.all()) {
    for (const [partitionId, partition] of topic.partitions) {
      for (const key of isrKeys(partition)) facts.add(`isr ${key} ${topic.id} ${partitionId}`);
      for (const key of partition.elr) facts.add(`elr ${key} ${topic.id} ${partitionId}`);
      if (partition.leader !== NO_LEADER) led.set(partition.leader, (led.get(partition.leader) ?? 0) + 1);
    }
  }
  for (const [brokerId, count] of led) facts.add(`leads ${brokerId} ${count}`);
  return facts;
}

/** Under which keys a partition stands in the ISR index. */
function isrKeys(partition: PartitionRegistration | null): readonly number[] {
  if (partition === null) return [];
  return partition.leader === NO_LEADER ? [...partition.isr, NO_LEADER] : partition.isr;
}

/** Changes of one map of memberships, made in place and shared once at the end: a whole cluster may come in one delta. */
class MembershipEdit {
  readonly #map: TimelineMap<number, PartitionsByTopic>;
  readonly #open = new Map<number, MutableMap<Uuid, MemberSet>>();

  constructor(map: TimelineMap<number, PartitionsByTopic>) {
    this.#map = map;
  }

  /** The partition leaves the keys that are only in `before` and comes to those that are only in `after`. */
  move(
    { topicId, partitionId }: TopicIdPartition,
    before: readonly number[],
    after: readonly number[],
  ): void {
    if (before === after) return;
    for (const key of before) {
      if (after.includes(key)) continue;
      const topics = this.#topics(key);
      const left = withoutMember(topics.get(topicId) ?? NO_MEMBERS, partitionId);
      if (isEmpty(left)) topics.delete(topicId);
      else topics.set(topicId, left);
    }
    for (const key of after) {
      if (before.includes(key)) continue;
      const topics = this.#topics(key);
      topics.set(topicId, withMember(topics.get(topicId) ?? NO_MEMBERS, partitionId));
    }
  }

  finish(): void {
    for (const [key, topics] of this.#open) {
      if (topics.size === 0) this.#map.delete(key);
      else this.#map.set(key, topics.freeze());
    }
  }

  #topics(key: number): MutableMap<Uuid, MemberSet> {
    let topics = this.#open.get(key);
    if (topics === undefined) {
      topics = (this.#map.get(key) ?? NO_PARTITIONS).toMutable();
      this.#open.set(key, topics);
    }
    return topics;
  }
}

const NO_KEYS: readonly number[] = [];

function flattened(topics: PartitionsByTopic | undefined): TopicIdPartition[] {
  const out: TopicIdPartition[] = [];
  for (const [topicId, partitions] of topics ?? NO_PARTITIONS) {
    for (const partitionId of partitions) out.push({ topicId, partitionId });
  }
  return out;
}
