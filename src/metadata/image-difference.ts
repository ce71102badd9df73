import type { ClusterImage } from './cluster-image.ts';
import { ConfigResourceType, parseConfigResourceKey } from './configurations-image.ts';
import type { FeaturesImage } from './features-image.ts';
import type { MetadataImage } from './metadata-image.ts';
import { type MetadataRecord, metadataRecord } from './metadata-record.ts';
import type { MetadataVersion } from './metadata-version.ts';
import { type PartitionRegistration, partitionToRecord, sameList } from './partition-registration.ts';
import type { RecordTable, TableRecord } from './record-table.ts';
import type { TopicsImage } from './topics-image.ts';

/**
 * Records that lead from one image to another (but for its provenance), for a node that loads a snapshot while it runs: its subscribers then see what changed, instead of
 * everything. Nothing is said of what is the same on both sides. Removals of a part come before what is new in it.
 */
export function* recordsBetween(from: MetadataImage, to: MetadataImage): IterableIterator<MetadataRecord> {
  const { metadataVersion } = to.features;
  yield* featuresBetween(from.features, to.features);
  yield* clusterBetween(from.cluster, to.cluster, metadataVersion);
  yield* topicsBetween(from.topics, to.topics, metadataVersion);
  yield* configsBetween(from, to);
  if (to.producerIds !== null && to.producerIds.nextProducerId !== from.producerIds?.nextProducerId) {
    yield metadataRecord('ProducerIdsRecord', to.producerIds);
  }
  yield* tableBetween(from.clientQuotas, to.clientQuotas, ({ value }) =>
    metadataRecord('ClientQuotaRecord', { ...value, remove: true }),
  );
  yield* tableBetween(from.acls, to.acls, ({ value }) =>
    metadataRecord('RemoveAccessControlEntryRecord', { id: value.id }),
  );
  yield* tableBetween(from.scram, to.scram, ({ value: { name, mechanism } }) =>
    metadataRecord('RemoveUserScramCredentialRecord', { name, mechanism }),
  );
  yield* tableBetween(from.delegationTokens, to.delegationTokens, ({ value: { tokenId } }) =>
    metadataRecord('RemoveDelegationTokenRecord', { tokenId }),
  );
}

function* featuresBetween(from: FeaturesImage, to: FeaturesImage): IterableIterator<MetadataRecord> {
  for (const name of from.levels.keys()) {
    if (!to.levels.has(name)) yield metadataRecord('FeatureLevelRecord', { name, featureLevel: 0 });
  }
  for (const record of to.toRecords()) {
    const { name, featureLevel } = (record as TableRecord<'FeatureLevelRecord'>).value;
    if (from.level(name) !== featureLevel) yield record;
  }
}

/** Controllers are never removed: no record says so. */
function* clusterBetween(
  from: ClusterImage,
  to: ClusterImage,
  metadataVersion: MetadataVersion,
): IterableIterator<MetadataRecord> {
  for (const broker of from.brokers.values()) {
    if (to.broker(broker.id) === undefined) {
      yield metadataRecord('UnregisterBrokerRecord', { brokerId: broker.id, brokerEpoch: broker.epoch });
    }
  }
  const before = new Set([...from.toRecords(metadataVersion)].map((record) => JSON.stringify(record)));
  for (const record of to.toRecords(metadataVersion)) if (!before.has(JSON.stringify(record))) yield record;
}

function* topicsBetween(
  from: TopicsImage,
  to: TopicsImage,
  metadataVersion: MetadataVersion,
): IterableIterator<MetadataRecord> {
  for (const { id } of from.all()) {
    if (to.byId(id) === undefined) yield metadataRecord('RemoveTopicRecord', { topicId: id });
  }
  for (const topic of to.all()) {
    const before = from.byId(topic.id);
    if (before === topic) continue;
    if (before === undefined) {
      yield* topic.toRecords(metadataVersion);
      continue;
    }
    for (const [id, partition] of topic.inOrder()) {
      const old = before.partition(id);
      if (old === undefined || !samePartition(old, partition)) {
        yield partitionToRecord(topic.id, id, partition, metadataVersion);
      }
    }
  }
}

function samePartition(a: PartitionRegistration, b: PartitionRegistration): boolean {
  if (a === b) return true;
  return (
    a.partitionEpoch === b.partitionEpoch &&
    a.leaderEpoch === b.leaderEpoch &&
    a.leader === b.leader &&
    a.leaderRecoveryState === b.leaderRecoveryState &&
    sameList(a.replicas, b.replicas) &&
    sameList(a.isr, b.isr) &&
    sameList(a.directories, b.directories) &&
    sameList(a.addingReplicas, b.addingReplicas) &&
    sameList(a.removingReplicas, b.removingReplicas) &&
    sameList(a.elr, b.elr) &&
    sameList(a.lastKnownElr, b.lastKnownElr)
  );
}

/** Configs of a topic that is removed go with it. */
function* configsBetween(from: MetadataImage, to: MetadataImage): IterableIterator<MetadataRecord> {
  const kept = configsAfterRemovals(from, to);
  for (const [key, entries] of from.configs.resources) {
    if (!kept(key)) continue;
    const { type: resourceType, name: resourceName } = parseConfigResourceKey(key);
    const after = to.configs.of(resourceType, resourceName);
    for (const name of entries.keys()) {
      if (!after.has(name))
        yield metadataRecord('ConfigRecord', { resourceType, resourceName, name, value: null });
    }
  }
  for (const [key, entries] of to.configs.resources) {
    const { type: resourceType, name: resourceName } = parseConfigResourceKey(key);
    const before = kept(key) ? from.configs.of(resourceType, resourceName) : null;
    for (const [name, value] of entries) {
      if (before?.get(name) !== value)
        yield metadataRecord('ConfigRecord', { resourceType, resourceName, name, value });
    }
  }
}

/** Tells whether the configs under a key survive the removal of topics: those of a topic do if the topic of that name and id does. */
function configsAfterRemovals(from: MetadataImage, to: MetadataImage): (key: string) => boolean {
  return (key) => {
    const { type, name } = parseConfigResourceKey(key);
    const id = type === ConfigResourceType.TOPIC ? from.topics.byName(name)?.id : undefined;
    return id === undefined || to.topics.byId(id) !== undefined;
  };
}

function* tableBetween<
  T extends
    | 'ClientQuotaRecord'
    | 'AccessControlEntryRecord'
    | 'UserScramCredentialRecord'
    | 'DelegationTokenRecord',
>(
  from: RecordTable<T>,
  to: RecordTable<T>,
  removal: (record: TableRecord<T>) => MetadataRecord,
): IterableIterator<MetadataRecord> {
  for (const [key, record] of from.records) if (!to.records.has(key)) yield removal(record);
  for (const [key, record] of to.records) {
    const before = from.records.get(key);
    if (before !== record && JSON.stringify(before) !== JSON.stringify(record)) yield record;
  }
}
