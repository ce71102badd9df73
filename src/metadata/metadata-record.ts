import { BrokerError } from '../base/broker-error.ts';
import {
  type DecodedMetadataRecord,
  METADATA_RECORDS,
  decodeMetadataRecord,
  encodeMetadataRecord,
} from '../protocol/metadata-record.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { InputOf, MessageOf, MessageSpec } from '../protocol/schema.ts';

/** Name of a type of metadata record. */
export type MetadataRecordType = keyof typeof METADATA_RECORDS;

/** The form of a record's value. */
type ValueOf<T extends MetadataRecordType> = MessageOf<(typeof METADATA_RECORDS)[T]>;

/** A metadata record of one type. `version` is the schema version it is written at or was read at. Immutable: images keep parts of it. */
export interface MetadataRecordOf<T extends MetadataRecordType> {
  readonly type: T;
  readonly version: number;
  readonly value: Readonly<ValueOf<T>>;
}

/** One record of the metadata log. `switch (record.type)` narrows `value`. */
export type MetadataRecord = { [T in MetadataRecordType]: MetadataRecordOf<T> }[MetadataRecordType];

/** A record; `version` is 0 unless given. */
export function metadataRecord<T extends MetadataRecordType>(
  type: T,
  value: ValueOf<T>,
  version = 0,
): MetadataRecordOf<T> {
  return { type, version, value };
}

/** The bytes of a record as the metadata log and its snapshots have them. */
export function encodeRecord(record: MetadataRecord): Buffer {
  const schema: MessageSpec = METADATA_RECORDS[record.type];
  // A record pairs a type with its value; the compiler cannot follow that over a union of 26.
  return encodeMetadataRecord(schema, record.version, record.value as InputOf<typeof schema>);
}

/**
 * The record with these bytes; `offset` is for the message only.
 * @throws BrokerError `METADATA_UNSUPPORTED` for a type or version that this version cannot apply, `METADATA_CORRUPT` for malformed bytes.
 */
export function decodeRecord(bytes: Buffer, offset: number): MetadataRecord {
  let decoded: DecodedMetadataRecord;
  try {
    decoded = decodeMetadataRecord(bytes);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    const isNewer = cause.reason === 'version';
    throw new BrokerError(
      isNewer ? 'METADATA_UNSUPPORTED' : 'METADATA_CORRUPT',
      `the metadata record at offset ${offset} cannot be read: ${cause.message}${isNewer ? '; a newer version wrote it' : ''}`,
      { cause },
    );
  }
  const { schema, version, value } = decoded;
  return { type: schema.name, version, value } as unknown as MetadataRecord;
}
