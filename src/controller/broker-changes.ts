import { assert } from '../base/assert.ts';
import type { Uuid } from '../base/uuid.ts';
import type { BrokerRegistration } from '../metadata/broker-registration.ts';
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts';
import { hasEligibleLeaderReplicas } from '../metadata/metadata-version.ts';
import type { TopicImage } from '../metadata/topics-image.ts';
import { type ControllerContext, isActive, isDirectoryOnline, partitionRules } from './controller-context.ts';
import { changePartition } from './partition-change.ts';
import type { TopicIdPartition } from './replica-index.ts';

/** What happens to a broker, as far as the partitions are concerned; each is null when it is no broker's case. */
interface BrokerChange {
  /** Leaves every ISR and leads nothing. */
  readonly removed: number | null;
  /** Can lead from now on. */
  readonly added: number | null;
  /** As `removed`, and may have lost what it had acknowledged. */
  readonly unclean: number | null;
}

const NOTHING: BrokerChange = { removed: null, added: null, unclean: null };

/** Records that fence a broker: its leaders move first, while it is still the leader of record. */
export function fenceBroker(context: ControllerContext, broker: BrokerRegistration): MetadataRecord[] {
  return [
    ...moveLeaders(context, context.state.index.withIsrMember(broker.id), { ...NOTHING, removed: broker.id }),
    registrationChange(broker, { fenced: 1 }),
  ];
}

/** Records that unfence a broker: it takes over partitions that have no leader and that it may lead. */
export function unfenceBroker(context: ControllerContext, broker: BrokerRegistration): MetadataRecord[] {
  return [
    registrationChange(broker, { fenced: -1 }),
    ...moveLeaders(context, context.state.index.withoutLeader(), { ...NOTHING, added: broker.id }),
  ];
}

/** Records that begin, or go on with, the controlled shutdown of a broker. */
export function shutDownBroker(context: ControllerContext, broker: BrokerRegistration): MetadataRecord[] {
  const begin = broker.inControlledShutdown ? [] : [registrationChange(broker, { inControlledShutdown: 1 })];
  const partitions = context.state.index.withIsrMember(broker.id);
  return [...begin, ...moveLeaders(context, partitions, { ...NOTHING, removed: broker.id })];
}

/** Records that give a leader to partitions that have none but could: a controller may have stopped between two batches of one move. */
export function electMissingLeaders(context: ControllerContext): MetadataRecord[] {
  return moveLeaders(context, context.state.index.withoutLeader(), NOTHING);
}

/** Records that remove a broker's registration. */
export function removeBroker(context: ControllerContext, broker: BrokerRegistration): MetadataRecord[] {
  const { index } = context.state;
  const partitions = distinct([...index.withIsrMember(broker.id), ...index.withElrMember(broker.id)]);
  return [
    ...moveLeaders(context, partitions, { ...NOTHING, removed: broker.id }),
    metadataRecord('UnregisterBrokerRecord', { brokerId: broker.id, brokerEpoch: broker.epoch }),
  ];
}

/** Records for a new incarnation of a broker, whose predecessor stopped in good order or not. */
export function replaceIncarnation(
  context: ControllerContext,
  brokerId: number,
  wasClean: boolean,
): MetadataRecord[] {
  const { index, image } = context.state;
  const inIsr = index.withIsrMember(brokerId);
  if (wasClean || !hasEligibleLeaderReplicas(image.features.metadataVersion)) {
    return moveLeaders(context, inIsr, { ...NOTHING, removed: brokerId });
  }
  const partitions = distinct([...inIsr, ...index.withElrMember(brokerId)]);
  return moveLeaders(context, partitions, { ...NOTHING, unclean: brokerId });
}

/** Records for directories of a broker that went offline: it leaves the ISR of all that lay there. */
export function loseDirectories(
  context: ControllerContext,
  broker: BrokerRegistration,
  offline: readonly Uuid[],
): MetadataRecord[] {
  const left = broker.logDirs.filter((id) => !offline.includes(id));
  if (left.length === broker.logDirs.length) return [];
  const { topics } = context.state.image;
  const hit = context.state.index.withIsrMember(broker.id).filter(({ topicId, partitionId }) => {
    const partition = topics.partition(topicId, partitionId);
    const at = partition?.replicas.indexOf(broker.id) ?? -1;
    return at >= 0 && offline.includes(partition?.directories[at] as Uuid);
  });
  return [
    registrationChange(broker, { logDirs: left }),
    ...moveLeaders(context, hit, { ...NOTHING, removed: broker.id }),
  ];
}

/** Records that give each of these partitions the ISR and the leader that the change leaves it. */
function moveLeaders(
  context: ControllerContext,
  partitions: readonly TopicIdPartition[],
  { removed, added, unclean }: BrokerChange,
): MetadataRecord[] {
  const records: MetadataRecord[] = [];
  for (const { topicId, partitionId } of partitions) {
    const topic = context.state.image.topics.byId(topicId) as TopicImage;
    const partition = topic.partition(partitionId);
    assert(partition !== undefined, `the index names ${topic.name}-${partitionId}, which is not there`);
    const record = changePartition(
      topicId,
      partitionId,
      partition,
      {
        isr: partition.isr.filter((replica) => replica !== removed && replica !== unclean),
        uncleanShutdown: unclean === null ? [] : [unclean],
      },
      partitionRules(context, topic.name, partition, (brokerId) => {
        if (brokerId === removed || brokerId === unclean) return false;
        if (brokerId !== added && !isActive(context, brokerId)) return false;
        return isDirectoryOnline(context, partition, brokerId);
      }),
    );
    if (record !== null) records.push(record);
  }
  return records;
}

/** A partition may be in the ISR index and in the ELR index, never in both for one broker; kept safe for both. */
function distinct(partitions: readonly TopicIdPartition[]): TopicIdPartition[] {
  const seen = new Set<string>();
  return partitions.filter(({ topicId, partitionId }) => {
    const key = `${topicId}:${partitionId}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** A BrokerRegistrationChangeRecord at the lowest version that holds what changes. */
function registrationChange(
  broker: BrokerRegistration,
  change: { fenced?: number; inControlledShutdown?: number; logDirs?: Uuid[] },
): MetadataRecord {
  const version = change.logDirs !== undefined ? 2 : change.inControlledShutdown !== undefined ? 1 : 0;
  return metadataRecord(
    'BrokerRegistrationChangeRecord',
    {
      brokerId: broker.id,
      brokerEpoch: broker.epoch,
      fenced: change.fenced ?? 0,
      inControlledShutdown: change.inControlledShutdown ?? 0,
      logDirs: change.logDirs ?? [],
    },
    version,
  );
}
