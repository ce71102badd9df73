import { assert } from '../base/assert.ts';
import { unsignedVarintSize, varintEnd, writeUnsignedVarint } from '../base/varint.ts';
import { codecOf } from './codec.ts';
import { readLength } from './decoding.ts';
import { ProtocolError } from './protocol-error.ts';
import { AbortTransactionRecord } from './records/abort-transaction-record.ts';
import { AccessControlEntryRecord } from './records/access-control-entry-record.ts';
import { BeginTransactionRecord } from './records/begin-transaction-record.ts';
import { BrokerRegistrationChangeRecord } from './records/broker-registration-change-record.ts';
import { ClearElrRecord } from './records/clear-elr-record.ts';
import { ClientQuotaRecord } from './records/client-quota-record.ts';
import { ConfigRecord } from './records/config-record.ts';
import { DelegationTokenRecord } from './records/delegation-token-record.ts';
import { EndTransactionRecord } from './records/end-transaction-record.ts';
import { FeatureLevelRecord } from './records/feature-level-record.ts';
import { FenceBrokerRecord } from './records/fence-broker-record.ts';
import { NoOpRecord } from './records/no-op-record.ts';
import { PartitionChangeRecord } from './records/partition-change-record.ts';
import { PartitionRecord } from './records/partition-record.ts';
import { ProducerIdsRecord } from './records/producer-ids-record.ts';
import { RegisterBrokerRecord } from './records/register-broker-record.ts';
import { RegisterControllerRecord } from './records/register-controller-record.ts';
import { RemoveAccessControlEntryRecord } from './records/remove-access-control-entry-record.ts';
import { RemoveDelegationTokenRecord } from './records/remove-delegation-token-record.ts';
import { RemoveTopicRecord } from './records/remove-topic-record.ts';
import { RemoveUserScramCredentialRecord } from './records/remove-user-scram-credential-record.ts';
import { TopicRecord } from './records/topic-record.ts';
import { UnfenceBrokerRecord } from './records/unfence-broker-record.ts';
import { UnregisterBrokerRecord } from './records/unregister-broker-record.ts';
import { UserScramCredentialRecord } from './records/user-scram-credential-record.ts';
import { ZkMigrationStateRecord } from './records/zk-migration-state-record.ts';
import type { InputOf, MessageOf, MessageSpec } from './schema.ts';

/**
 * The framing of the records in `__cluster_metadata-0` and its snapshots. The key is null; the value is
 *
 *     frame version  unsigned varint, 1
 *     type           unsigned varint, the schema's `apiKey`
 *     version        unsigned varint
 *     message        at that version; nothing follows it
 *
 * Source: `AbstractApiMessageSerde.java`.
 */
const FRAME_VERSION = 1;

/** Every type of metadata record by its name. */
export const METADATA_RECORDS = {
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

const BY_TYPE: ReadonlyMap<number, MessageSpec> = new Map(
  Object.values(METADATA_RECORDS).map((schema: MessageSpec) => [schema.apiKey ?? -1, schema]),
);

/** A record as it was read. */
export interface DecodedMetadataRecord<S extends MessageSpec = MessageSpec> {
  readonly schema: S;
  readonly version: number;
  readonly value: MessageOf<S>;
}

/** The type of metadata record with this number, or null when there is none. */
export function metadataRecordSchema(type: number): MessageSpec | null {
  return BY_TYPE.get(type) ?? null;
}

/**
 * The value of a record: frame and message in one buffer.
 * @throws ProtocolError when this version of the record cannot carry the value.
 */
export function encodeMetadataRecord<S extends MessageSpec>(
  schema: S,
  version: number,
  value: InputOf<S>,
): Buffer {
  const type = schema.apiKey;
  assert(type !== undefined && schema.kind === 'metadata', `${schema.name} is no metadata record`);
  const headroomBytes = 1 + unsignedVarintSize(type) + unsignedVarintSize(version);
  const buffer = codecOf(schema, version).encode(value, headroomBytes);
  let position = writeUnsignedVarint(buffer, 0, FRAME_VERSION);
  position = writeUnsignedVarint(buffer, position, type);
  position = writeUnsignedVarint(buffer, position, version);
  assert(position === headroomBytes, 'the frame does not fit its headroom');
  return buffer;
}

/**
 * Reads the value of a record in `[start, end)`.
 * @throws ProtocolError for another frame version, a type or version that is not known, a damaged message, or
 * bytes after it.
 */
export function decodeMetadataRecord(
  buffer: Buffer,
  start = 0,
  end: number = buffer.length,
): DecodedMetadataRecord {
  const frameVersion = readLength(buffer, start, end, 'frame version of a metadata record');
  if (frameVersion !== FRAME_VERSION) {
    throw new ProtocolError(
      'version',
      `metadata record with frame version ${frameVersion}, not ${FRAME_VERSION}`,
    );
  }
  const type = readLength(buffer, varintEnd(), end, 'type of a metadata record');
  const version = readLength(buffer, varintEnd(), end, 'version of a metadata record');
  const bodyStart = varintEnd();
  const schema = metadataRecordSchema(type);
  if (schema === null) throw new ProtocolError('version', `no metadata record has type ${type}`);
  const codec = codecOf(schema, version);
  const value = codec.decode(buffer, bodyStart, end);
  if (codec.lastEnd !== end) {
    throw new ProtocolError('length', `${schema.name} v${version}: ${end - codec.lastEnd} bytes follow it`);
  }
  return { schema, version, value };
}
