import { assert, unreachable } from '../base/assert.ts';
import { BrokerError } from '../base/broker-error.ts';
import { ClusterDelta } from './cluster-image.ts';
import { ConfigurationsDelta } from './configurations-image.ts';
import { FeaturesDelta } from './features-image.ts';
import { MetadataImage, type MetadataProvenance, type ProducerIdsImage } from './metadata-image.ts';
import type { MetadataRecord } from './metadata-record.ts';
import { RecordTableDelta, type TableRecord, clientQuotaKey, scramKey } from './record-table.ts';
import { TopicsDelta } from './topics-delta.ts';

/**
 * The way from one image to the next: takes records in log order, says what they change, and makes the next image at a cost of what
 * changed. A part that no record touched is null. Transactions are not its business: see `MetadataLoader`.
 */
export class MetadataDelta {
  /** The image it starts from. */
  readonly image: MetadataImage;
  #features: FeaturesDelta | null = null;
  #cluster: ClusterDelta | null = null;
  #topics: TopicsDelta | null = null;
  #configs: ConfigurationsDelta | null = null;
  #producerIds: ProducerIdsImage = null;
  #clientQuotas: RecordTableDelta<'ClientQuotaRecord'> | null = null;
  #acls: RecordTableDelta<'AccessControlEntryRecord'> | null = null;
  #scram: RecordTableDelta<'UserScramCredentialRecord'> | null = null;
  #delegationTokens: RecordTableDelta<'DelegationTokenRecord'> | null = null;
  #recordCount = 0;
  #applied = false;

  constructor(image: MetadataImage) {
    this.image = image;
  }

  /** A delta from nothing to `image`, for a subscriber that comes late; apply it to get an equal image. */
  static fromNothing(image: MetadataImage): MetadataDelta {
    const delta = new MetadataDelta(MetadataImage.EMPTY);
    for (const record of image.toRecords()) delta.replay(record);
    return delta;
  }

  /** Number of records taken. */
  get recordCount(): number {
    return this.#recordCount;
  }

  get features(): FeaturesDelta | null {
    return this.#features;
  }
  get cluster(): ClusterDelta | null {
    return this.#cluster;
  }
  get topics(): TopicsDelta | null {
    return this.#topics;
  }
  get configs(): ConfigurationsDelta | null {
    return this.#configs;
  }
  /** The producer ids as changed, or null. */
  get producerIds(): ProducerIdsImage {
    return this.#producerIds;
  }
  get clientQuotas(): RecordTableDelta<'ClientQuotaRecord'> | null {
    return this.#clientQuotas;
  }
  get acls(): RecordTableDelta<'AccessControlEntryRecord'> | null {
    return this.#acls;
  }
  get scram(): RecordTableDelta<'UserScramCredentialRecord'> | null {
    return this.#scram;
  }
  get delegationTokens(): RecordTableDelta<'DelegationTokenRecord'> | null {
    return this.#delegationTokens;
  }

  /**
   * Takes one record. It must not be changed afterwards: the image keeps parts of it.
   * @throws BrokerError `METADATA_INCONSISTENT` when it does not fit the state, `METADATA_UNSUPPORTED` for what this version cannot apply.
   */
  replay(record: MetadataRecord): void {
    assert(!this.#applied, 'a delta takes no records once it was applied');
    this.#recordCount++;
    switch (record.type) {
      case 'FeatureLevelRecord':
        return this.#featuresDelta().replay(record.value);
      case 'ConfigRecord':
        return this.#configsDelta().replay(record.value);
      case 'ProducerIdsRecord':
        this.#producerIds = record.value;
        return;
      case 'NoOpRecord':
      case 'ZkMigrationStateRecord': // Says how far a migration from ZooKeeper had come; nothing depends on it since Kafka 4.0.
        return;
      case 'BeginTransactionRecord':
      case 'EndTransactionRecord':
      case 'AbortTransactionRecord':
        return assert(false, `${record.type} is for the loader`);
      case 'TopicRecord':
      case 'PartitionRecord':
      case 'PartitionChangeRecord':
      case 'RemoveTopicRecord':
      case 'ClearElrRecord':
        return this.#replayTopics(record);
      case 'RegisterBrokerRecord':
      case 'UnregisterBrokerRecord':
      case 'FenceBrokerRecord':
      case 'UnfenceBrokerRecord':
      case 'BrokerRegistrationChangeRecord':
      case 'RegisterControllerRecord':
        return this.#replayCluster(record);
      default:
        return this.#replayTables(record);
    }
  }

  /** The image with all records taken; called once. */
  apply(provenance: MetadataProvenance): MetadataImage {
    assert(!this.#applied, 'a delta is applied once');
    this.#applied = true;
    const image = this.image;
    return new MetadataImage(provenance, {
      features: this.#features?.apply() ?? image.features,
      cluster: this.#cluster?.apply() ?? image.cluster,
      topics: this.#topics?.apply() ?? image.topics,
      configs: this.#configs?.apply() ?? image.configs,
      producerIds: this.#producerIds ?? image.producerIds,
      clientQuotas: this.#clientQuotas?.apply() ?? image.clientQuotas,
      acls: this.#acls?.apply() ?? image.acls,
      scram: this.#scram?.apply() ?? image.scram,
      delegationTokens: this.#delegationTokens?.apply() ?? image.delegationTokens,
    });
  }

  #replayTopics(
    record: TableRecord<
      'TopicRecord' | 'PartitionRecord' | 'PartitionChangeRecord' | 'RemoveTopicRecord' | 'ClearElrRecord'
    >,
  ): void {
    const topics = this.#topicsDelta();
    switch (record.type) {
      case 'TopicRecord':
        return topics.replayTopic(record.value);
      case 'PartitionRecord':
        return topics.replayPartition(record.value);
      case 'PartitionChangeRecord':
        return topics.replayPartitionChange(record.value);
      case 'RemoveTopicRecord':
        return this.#configsDelta().removeTopic(topics.replayRemove(record.value.topicId));
      case 'ClearElrRecord':
        return topics.replayClearElr(record.value.topicName);
      default:
        return unreachable(record);
    }
  }

  #replayCluster(
    record: TableRecord<
      | 'RegisterBrokerRecord'
      | 'UnregisterBrokerRecord'
      | 'FenceBrokerRecord'
      | 'UnfenceBrokerRecord'
      | 'BrokerRegistrationChangeRecord'
      | 'RegisterControllerRecord'
    >,
  ): void {
    this.#cluster ??= new ClusterDelta(this.image.cluster);
    switch (record.type) {
      case 'RegisterBrokerRecord':
        return this.#cluster.replayRegister(record.value);
      case 'UnregisterBrokerRecord':
        return this.#cluster.replayUnregister(record.value);
      case 'FenceBrokerRecord':
        return this.#cluster.replayFence(record.value, true);
      case 'UnfenceBrokerRecord':
        return this.#cluster.replayFence(record.value, false);
      case 'BrokerRegistrationChangeRecord':
        return this.#cluster.replayChange(record.value);
      case 'RegisterControllerRecord':
        return this.#cluster.replayController(record.value);
      default:
        return unreachable(record);
    }
  }

  #replayTables(
    record: TableRecord<
      | 'ClientQuotaRecord'
      | 'AccessControlEntryRecord'
      | 'RemoveAccessControlEntryRecord'
      | 'UserScramCredentialRecord'
      | 'RemoveUserScramCredentialRecord'
      | 'DelegationTokenRecord'
      | 'RemoveDelegationTokenRecord'
    >,
  ): void {
    switch (record.type) {
      case 'ClientQuotaRecord': {
        this.#clientQuotas ??= new RecordTableDelta(this.image.clientQuotas);
        if (record.value.remove) this.#clientQuotas.remove(clientQuotaKey(record.value));
        else this.#clientQuotas.set(clientQuotaKey(record.value), record);
        return;
      }
      case 'AccessControlEntryRecord':
        return this.#aclsDelta().set(record.value.id, record);
      case 'RemoveAccessControlEntryRecord':
        return expectRemoved(this.#aclsDelta().remove(record.value.id), record.type, record.value.id);
      case 'UserScramCredentialRecord':
        return this.#scramDelta().set(scramKey(record.value), record);
      case 'RemoveUserScramCredentialRecord': {
        const key = scramKey(record.value);
        return expectRemoved(this.#scramDelta().remove(key), record.type, key);
      }
      case 'DelegationTokenRecord':
        return this.#delegationTokensDelta().set(record.value.tokenId, record);
      case 'RemoveDelegationTokenRecord': {
        const id = record.value.tokenId;
        return expectRemoved(this.#delegationTokensDelta().remove(id), record.type, id);
      }
      default:
        return unreachable(record);
    }
  }

  #featuresDelta(): FeaturesDelta {
    return (this.#features ??= new FeaturesDelta(this.image.features));
  }
  #topicsDelta(): TopicsDelta {
    return (this.#topics ??= new TopicsDelta(this.image.topics));
  }
  #configsDelta(): ConfigurationsDelta {
    return (this.#configs ??= new ConfigurationsDelta(this.image.configs));
  }
  #aclsDelta(): RecordTableDelta<'AccessControlEntryRecord'> {
    return (this.#acls ??= new RecordTableDelta(this.image.acls));
  }
  #scramDelta(): RecordTableDelta<'UserScramCredentialRecord'> {
    return (this.#scram ??= new RecordTableDelta(this.image.scram));
  }
  #delegationTokensDelta(): RecordTableDelta<'DelegationTokenRecord'> {
    return (this.#delegationTokens ??= new RecordTableDelta(this.image.delegationTokens));
  }
}

function expectRemoved(removed: boolean, type: string, what: string): void {
  if (removed) return;
  throw new BrokerError('METADATA_INCONSISTENT', `a ${type} removes ${what}, which is not there`);
}
