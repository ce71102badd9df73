import type { ProducerIdsRecord } from '../protocol/records/producer-ids-record.ts';
import { ClusterImage } from './cluster-image.ts';
import { ConfigurationsImage } from './configurations-image.ts';
import { FeaturesImage } from './features-image.ts';
import { type MetadataRecord, metadataRecord } from './metadata-record.ts';
import { RecordTable } from './record-table.ts';
import { TopicsImage } from './topics-image.ts';

/** Up to where in the metadata log an image reaches. */
export interface MetadataProvenance {
  /** Offset of the last record it contains (inclusive), -1 for none. */
  readonly offset: number;
  /** Leader epoch of that record, -1 for none. */
  readonly epoch: number;
  /** Timestamp of that record's batch, ms since the Unix epoch; -1 for none. */
  readonly timestampMs: number;
}

/** Provenance of an image of no records. */
export const NO_PROVENANCE: MetadataProvenance = { offset: -1, epoch: -1, timestampMs: -1 };

/** The producer ids given out, as the last record says; null before the first. */
export type ProducerIdsImage = Readonly<ProducerIdsRecord> | null;

/** The parts of an image. */
export interface MetadataParts {
  readonly features: FeaturesImage;
  readonly cluster: ClusterImage;
  readonly topics: TopicsImage;
  readonly configs: ConfigurationsImage;
  readonly producerIds: ProducerIdsImage;
  readonly clientQuotas: RecordTable<'ClientQuotaRecord'>;
  readonly acls: RecordTable<'AccessControlEntryRecord'>;
  readonly scram: RecordTable<'UserScramCredentialRecord'>;
  readonly delegationTokens: RecordTable<'DelegationTokenRecord'>;
}

/**
 * The state of the cluster at one offset of the metadata log, immutable and sharing with its predecessors all that did not change. Made by
 * `MetadataDelta.apply`.
 */
export class MetadataImage implements MetadataParts {
  /** The state before the first record. */
  static readonly EMPTY = new MetadataImage(NO_PROVENANCE, {
    features: FeaturesImage.EMPTY,
    cluster: ClusterImage.EMPTY,
    topics: TopicsImage.EMPTY,
    configs: ConfigurationsImage.EMPTY,
    producerIds: null,
    clientQuotas: RecordTable.empty(),
    acls: RecordTable.empty(),
    scram: RecordTable.empty(),
    delegationTokens: RecordTable.empty(),
  });

  readonly provenance: MetadataProvenance;
  readonly features: FeaturesImage;
  readonly cluster: ClusterImage;
  readonly topics: TopicsImage;
  readonly configs: ConfigurationsImage;
  readonly producerIds: ProducerIdsImage;
  readonly clientQuotas: RecordTable<'ClientQuotaRecord'>;
  readonly acls: RecordTable<'AccessControlEntryRecord'>;
  readonly scram: RecordTable<'UserScramCredentialRecord'>;
  readonly delegationTokens: RecordTable<'DelegationTokenRecord'>;

  constructor(provenance: MetadataProvenance, parts: MetadataParts) {
    this.provenance = provenance;
    this.features = parts.features;
    this.cluster = parts.cluster;
    this.topics = parts.topics;
    this.configs = parts.configs;
    this.producerIds = parts.producerIds;
    this.clientQuotas = parts.clientQuotas;
    this.acls = parts.acls;
    this.scram = parts.scram;
    this.delegationTokens = parts.delegationTokens;
  }

  /**
   * Records that, applied to the empty image, make this one (but for its provenance), at the record versions of its own `metadata.version`. The order is
   * the same for equal images.
   */
  *toRecords(): IterableIterator<MetadataRecord> {
    const metadataVersion = this.features.metadataVersion;
    yield* this.features.toRecords();
    yield* this.cluster.toRecords(metadataVersion);
    yield* this.topics.toRecords(metadataVersion);
    yield* this.configs.toRecords();
    yield* this.clientQuotas.toRecords();
    if (this.producerIds !== null) yield metadataRecord('ProducerIdsRecord', this.producerIds);
    yield* this.acls.toRecords();
    yield* this.scram.toRecords();
    yield* this.delegationTokens.toRecords();
  }
}
