import type { Uuid } from '../base/uuid.ts';
import type { BrokerRegistrationChangeRecord } from '../protocol/records/broker-registration-change-record.ts';
import type { RegisterBrokerRecord } from '../protocol/records/register-broker-record.ts';
import { type MetadataRecordOf, metadataRecord } from './metadata-record.ts';
import { type MetadataVersion, registerBrokerRecordVersion } from './metadata-version.ts';

/** An address a node is reached at. */
export interface NodeEndpoint {
  /** Listener name. */
  readonly name: string;
  readonly host: string;
  /** 0..65535. */
  readonly port: number;
  /** formats §30: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
  readonly securityProtocol: number;
}

/** Levels of a feature that a node can run with, both inclusive. */
export interface SupportedFeature {
  readonly name: string;
  readonly minSupportedVersion: number;
  readonly maxSupportedVersion: number;
}

/** A registered broker, immutable. */
export interface BrokerRegistration {
  readonly id: number;
  /** Random per start of the broker's process. */
  readonly incarnationId: Uuid;
  /** Offset that the RegisterBrokerRecord of this incarnation was given. */
  readonly epoch: number;
  readonly endpoints: readonly NodeEndpoint[];
  readonly features: readonly SupportedFeature[];
  readonly rack: string | null;
  /** A fenced broker leads nothing and is not shown to clients. */
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly isMigratingZkBroker: boolean;
  /** Ids of its online log directories, sorted; empty when unknown (metadata.version below 17). */
  readonly logDirs: readonly Uuid[];
}

/** The state that a RegisterBrokerRecord sets. */
export function brokerFromRecord(record: Readonly<RegisterBrokerRecord>): BrokerRegistration {
  return {
    id: record.brokerId,
    incarnationId: record.incarnationId,
    epoch: record.brokerEpoch,
    endpoints: record.endPoints,
    features: record.features,
    rack: record.rack,
    fenced: record.fenced,
    inControlledShutdown: record.inControlledShutdown,
    isMigratingZkBroker: record.isMigratingZkBroker,
    logDirs: record.logDirs,
  };
}

/** The state after a BrokerRegistrationChangeRecord: `fenced` 1 fences, -1 unfences, `inControlledShutdown` 1 begins it, 0 leaves each as it is. */
export function mergeBroker(
  broker: BrokerRegistration,
  record: Readonly<BrokerRegistrationChangeRecord>,
): BrokerRegistration {
  return {
    ...broker,
    fenced: record.fenced === 0 ? broker.fenced : record.fenced > 0,
    inControlledShutdown: record.inControlledShutdown > 0 || broker.inControlledShutdown,
    logDirs: record.logDirs.length === 0 ? broker.logDirs : record.logDirs,
  };
}

/** The record that sets a broker to this state, for registration and snapshots. */
export function brokerToRecord(
  broker: BrokerRegistration,
  metadataVersion: MetadataVersion,
): MetadataRecordOf<'RegisterBrokerRecord'> {
  const version = registerBrokerRecordVersion(metadataVersion);
  return metadataRecord(
    'RegisterBrokerRecord',
    {
      brokerId: broker.id,
      isMigratingZkBroker: version >= 2 && broker.isMigratingZkBroker,
      incarnationId: broker.incarnationId,
      brokerEpoch: broker.epoch,
      endPoints: broker.endpoints.map((endpoint) => ({ ...endpoint })),
      features: broker.features.map((feature) => ({ ...feature })),
      rack: broker.rack,
      fenced: broker.fenced,
      inControlledShutdown: broker.inControlledShutdown,
      logDirs: version >= 3 ? [...broker.logDirs] : [],
    },
    version,
  );
}
