import { BrokerError } from '../base/broker-error.ts';
import { AbortTransactionRecord } from '../protocol/records/abort-transaction-record.ts';
import { AccessControlEntryRecord } from '../protocol/records/access-control-entry-record.ts';
import { BeginTransactionRecord } from '../protocol/records/begin-transaction-record.ts';
import { BrokerRegistrationChangeRecord } from '../protocol/records/broker-registration-change-record.ts';
import { ClearElrRecord } from '../protocol/records/clear-elr-record.ts';
import { ClientQuotaRecord } from '../protocol/records/client-quota-record.ts';
import { ConfigRecord } from '../protocol/records/config-record.ts';
import { DelegationTokenRecord } from '../protocol/records/delegation-token-record.ts';
import { EndTransactionRecord } from '../protocol/records/end-transaction-record.ts';
import { FeatureLevelRecord } from '../protocol/records/feature-level-record.ts';
import { FenceBrokerRecord } from '../protocol/records/fence-broker-record.ts';
import { NoOpRecord } from '../protocol/records/no-op-record.ts';
import { PartitionRecord } from '../protocol/records/partition-record.ts';
import { PartitionChangeRecord } from '../protocol/records/partition-change-record.ts';
import { ProducerIdsRecord } from '../protocol/records/producer-ids-record.ts';
import { RegisterBrokerRecord } from '../protocol/records/register-broker-record.ts';
import { RegisterControllerRecord } from '../protocol/records/register-controller-record.ts';
import { RemoveAccessControlEntryRecord } from '../protocol/records/remove-access-control-entry-record.ts';
import { RemoveDelegationTokenRecord } from '../protocol/records/remove-delegation-token-record.ts';
import { RemoveTopicRecord } from '../protocol/records/remove-topic-record.ts';
import { RemoveUserScramCredentialRecord } from '../protocol/records/remove-user-scram-credential-record.ts';
import { TopicRecord } from '../protocol/records/topic-record.ts';
import { UnfenceBrokerRecord } from '../protocol/records/unfence-broker-record.ts';
import { UnregisterBrokerRecord } from '../protocol/records/unregister-broker-record.ts';
import { UserScramCredentialRecord } from '../protocol/records/user-scram-credential-record.ts';
import { ZkMigrationStateRecord } from '../protocol/records/zk-migration-state-record.ts';
import type { MessageSpec } from '../protocol/schema.ts';

/** Kafka's metadata records by name: the schema under which each is written. */
const SCHEMAS = {
  RegisterBrokerRecord,
  UnregisterBrokerRecord,
  TopicRecord,
  PartitionRecord,
  ConfigRecord,
  PartitionChangeRecord,
  FenceBrokerRecord,
  UnfenceBrokerRecord,
  RemoveTopicRecord,
  DelegationTokenRecord,
  UserScramCredentialRecord,
  FeatureLevelRecord,
  ClientQuotaRecord,
  ProducerIdsRecord,
  BrokerRegistrationChangeRecord,
  AccessControlEntryRecord,
  RemoveAccessControlEntryRecord,
  NoOpRecord,
  ZkMigrationStateRecord,
  RemoveUserScramCredentialRecord,
  BeginTransactionRecord,
  EndTransactionRecord,
  AbortTransactionRecord,
  RemoveDelegationTokenRecord,
  RegisterControllerRecord,
  ClearElrRecord,
} as const;

/** The record types by name, with the form of their values. */
interface ValueTypes {
  RegisterBrokerRecord: RegisterBrokerRecord;
  UnregisterBrokerRecord: UnregisterBrokerRecord;
  TopicRecord: TopicRecord;
  PartitionRecord: PartitionRecord;
  ConfigRecord: ConfigRecord;
  PartitionChangeRecord: PartitionChangeRecord;
  FenceBrokerRecord: FenceBrokerRecord;
  UnfenceBrokerRecord: UnfenceBrokerRecord;
  RemoveTopicRecord: RemoveTopicRecord;
  DelegationTokenRecord: DelegationTokenRecord;
  UserScramCredentialRecord: UserScramCredentialRecord;
  FeatureLevelRecord: FeatureLevelRecord;
  ClientQuotaRecord: ClientQuotaRecord;
  ProducerIdsRecord: ProducerIdsRecord;
  BrokerRegistrationChangeRecord: BrokerRegistrationChangeRecord;
  AccessControlEntryRecord: AccessControlEntryRecord;
  RemoveAccessControlEntryRecord: RemoveAccessControlEntryRecord;
  NoOpRecord: NoOpRecord;
  ZkMigrationStateRecord: ZkMigrationStateRecord;
  RemoveUserScramCredentialRecord: RemoveUserScramCredentialRecord;
  BeginTransactionRecord: BeginTransactionRecord;
  EndTransactionRecord: EndTransactionRecord;
  AbortTransactionRecord: AbortTransactionRecord;
  RemoveDelegationTokenRecord: RemoveDelegationTokenRecord;
  RegisterControllerRecord: RegisterControllerRecord;
  ClearElrRecord: ClearElrRecord;
}

/** Name of a metadata record type that this version understands. */
export type MetadataRecordType = keyof ValueTypes;

/** A metadata record of one type. `version` is the schema version it is written at or was read at. Immutable: images keep parts of it. */
export interface MetadataRecordOf<T extends MetadataRecordType> {
  readonly type: T;
  readonly version: number;
  readonly value: Readonly<ValueTypes[T]>;
}

/** One record of the metadata log. `switch (record.type)` narrows `value`. */
export type MetadataRecord = { [T in MetadataRecordType]: MetadataRecordOf<T> }[MetadataRecordType];

/** A record; `version` is 0 unless given. */
export function metadataRecord<T extends MetadataRecordType>(
  type: T,
  value: ValueTypes[T],
  version = 0,
): MetadataRecordOf<T> {
  return { type, version, value };
}

/** The schema a record is encoded with. */
export function schemaOf(type: MetadataRecordType): MessageSpec {
  return SCHEMAS[type];
}

/**
 * A record as the image takes it, from what the record framing gave.
 * @throws BrokerError `METADATA_UNSUPPORTED` for a schema that is no metadata record of this version.
 */
export function fromDecoded(schema: MessageSpec, version: number, value: unknown): MetadataRecord {
  if (!Object.hasOwn(SCHEMAS, schema.name)) {
    throw new BrokerError(
      'METADATA_UNSUPPORTED',
      `the metadata log holds a ${schema.name} (type ${schema.apiKey}), which this version cannot apply; it was written by a newer one`,
    );
  }
  // The framing decoded the value with this very schema.
  return { type: schema.name, version, value } as MetadataRecord;
}
