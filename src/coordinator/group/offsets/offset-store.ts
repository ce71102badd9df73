import { assert } from '../../../base/assert.ts';
import { PersistentMap } from '../../../base/timeline-map.ts';
import { PersistentSet } from '../../../base/timeline-set.ts';
import type { Timeline, TimelineMap, TimelineValue } from '../../../base/timeline.ts';
import type { OffsetKey } from '../group-records.ts';
import type { OffsetAndMetadata } from './offset-and-metadata.ts';

/** Offsets of one group by topic and partition. */
export type GroupOffsets = PersistentMap<string, TopicOffsets>;
/** Offsets of one topic by partition. */
export type TopicOffsets = PersistentMap<number, OffsetAndMetadata>;
/** Producers with an open transaction that commits an offset, by topic and partition. */
type OpenTransactions = PersistentMap<string, PersistentMap<number, PersistentSet<number>>>;

/**
 * The committed offsets of a shard, and those of transactions that have not ended. A transactional offset waits under its producer's id; COMMIT moves it to the
 * others unless a later commit is there already (by the offset of its record, since compaction may have changed what lies between), ABORT drops it.
 */
export class OffsetStore {
  readonly #offsets: TimelineMap<string, GroupOffsets>;
  readonly #pending: TimelineMap<number, PersistentMap<string, GroupOffsets>>;
  readonly #open: TimelineMap<string, OpenTransactions>;
  readonly #count: TimelineValue<number>;

  constructor(timeline: Timeline) {
    this.#offsets = timeline.createMap();
    this.#pending = timeline.createMap();
    this.#open = timeline.createMap();
    this.#count = timeline.createValue(0);
  }

  /** Offsets committed, over all groups. */
  get size(): number {
    return this.#count.value;
  }

  /** The map of all offsets by group, for reading what of it is committed. */
  get byGroup(): TimelineMap<string, GroupOffsets> {
    return this.#offsets;
  }

  /** Offsets of a group, with what is not committed yet. */
  ofGroup(groupId: string): GroupOffsets | undefined {
    return this.#offsets.get(groupId);
  }

  /** An offset, or undefined. */
  get({ groupId, topic, partition }: OffsetKey): OffsetAndMetadata | undefined {
    return this.#offsets.get(groupId)?.get(topic)?.get(partition);
  }

  /** True if a transaction that has not ended commits an offset there. */
  hasPending({ groupId, topic, partition }: OffsetKey): boolean {
    return this.#open.get(groupId)?.get(topic)?.has(partition) ?? false;
  }

  /** True if a transaction that has not ended commits an offset of the group. */
  hasPendingOfGroup(groupId: string): boolean {
    return this.#open.has(groupId);
  }

  /** Where transactions that have not ended commit offsets of the group. */
  *pendingOfGroup(groupId: string): IterableIterator<OffsetKey> {
    for (const [topic, partitions] of this.#open.get(groupId) ?? []) {
      for (const partition of partitions.keys()) yield { groupId, topic, partition };
    }
  }

  /** Where any transaction that has not ended commits an offset. */
  *pending(): IterableIterator<OffsetKey> {
    for (const groupId of this.#open.view().keys()) yield* this.pendingOfGroup(groupId);
  }

  /** Takes an offset over. */
  put(key: OffsetKey, offset: OffsetAndMetadata): void {
    const { groupId, topic, partition } = key;
    const group = this.#offsets.get(groupId) ?? PersistentMap.empty<string, TopicOffsets>();
    const partitions = group.get(topic) ?? PersistentMap.empty<number, OffsetAndMetadata>();
    const changed = partitions.set(partition, offset);
    if (changed.size > partitions.size) this.#count.value++;
    this.#offsets.set(groupId, group.set(topic, changed));
  }

  /** Keeps an offset until its producer's transaction ends. */
  putPending(producerId: number, key: OffsetKey, offset: OffsetAndMetadata): void {
    const { groupId, topic, partition } = key;
    const groups = this.#pending.get(producerId) ?? PersistentMap.empty<string, GroupOffsets>();
    const group = groups.get(groupId) ?? PersistentMap.empty<string, TopicOffsets>();
    const partitions = (group.get(topic) ?? PersistentMap.empty<number, OffsetAndMetadata>()).set(
      partition,
      offset,
    );
    this.#pending.set(producerId, groups.set(groupId, group.set(topic, partitions)));
    const open: OpenTransactions = this.#open.get(groupId) ?? PersistentMap.empty();
    const ofTopic = open.get(topic) ?? PersistentMap.empty<number, PersistentSet<number>>();
    const producers = (ofTopic.get(partition) ?? PersistentSet.empty<number>()).add(producerId);
    this.#open.set(groupId, open.set(topic, ofTopic.set(partition, producers)));
  }

  /** Deletes an offset, and what open transactions would make of it. */
  remove(key: OffsetKey): void {
    const { groupId, topic, partition } = key;
    const group = this.#offsets.get(groupId);
    if (group !== undefined) {
      const without = removeFrom(group, topic, partition);
      if (without !== group) this.#count.value--;
      setOrDelete(this.#offsets, groupId, without);
    }
    const producers = this.#open.get(groupId)?.get(topic)?.get(partition);
    if (producers === undefined) return;
    for (const producerId of producers) this.#removePending(producerId, key);
    this.#close(key, null);
  }

  /** Ends a producer's transaction. */
  endTransaction(producerId: number, committed: boolean): void {
    const groups = this.#pending.get(producerId);
    if (groups === undefined) return;
    this.#pending.delete(producerId);
    for (const [groupId, topics] of groups) {
      for (const [topic, partitions] of topics) {
        for (const [partition, offset] of partitions) {
          const key = { groupId, topic, partition };
          this.#close(key, producerId);
          const present = this.get(key);
          if (committed && (present === undefined || offset.recordOffset > present.recordOffset))
            this.put(key, offset);
        }
      }
    }
  }

  #removePending(producerId: number, { groupId, topic, partition }: OffsetKey): void {
    const groups = this.#pending.get(producerId);
    const group = groups?.get(groupId);
    if (groups === undefined || group === undefined) return;
    const without = removeFrom(group, topic, partition);
    const left = without.size === 0 ? groups.delete(groupId) : groups.set(groupId, without);
    setOrDelete(this.#pending, producerId, left);
  }

  /** Takes one producer, or all, off the list of those whose transactions are open there. */
  #close({ groupId, topic, partition }: OffsetKey, producerId: number | null): void {
    const open = this.#open.get(groupId);
    const ofTopic = open?.get(topic);
    const producers = ofTopic?.get(partition);
    if (open === undefined || ofTopic === undefined || producers === undefined) return;
    const left = producerId === null ? PersistentSet.empty<number>() : producers.delete(producerId);
    const partitions = left.size === 0 ? ofTopic.delete(partition) : ofTopic.set(partition, left);
    const topics = partitions.size === 0 ? open.delete(topic) : open.set(topic, partitions);
    setOrDelete(this.#open, groupId, topics);
  }

  /** Asserts what must hold between two events. Costs O(groups). */
  checkInvariants(): void {
    let count = 0;
    this.#offsets.view().forEach((topics) => {
      assert(topics.size > 0, 'a group without offsets has no entry');
      topics.forEach((partitions) => {
        count += partitions.size;
      });
    });
    assert(count === this.#count.value, 'offsets are counted');
  }
}

function removeFrom(group: GroupOffsets, topic: string, partition: number): GroupOffsets {
  const partitions = group.get(topic);
  if (partitions === undefined) return group;
  const without = partitions.delete(partition);
  if (without === partitions) return group;
  return without.size === 0 ? group.delete(topic) : group.set(topic, without);
}

function setOrDelete<K extends string | number, V extends { readonly size: number }>(
  map: TimelineMap<K, V>,
  key: K,
  value: V,
): void {
  if (value.size === 0) map.delete(key);
  else map.set(key, value);
}
