import { assert } from '../../base/assert.ts';
import { codecOf } from '../../protocol/codec.ts';
import { ProtocolError } from '../../protocol/protocol-error.ts';
import type { MessageOf, MessageSpec } from '../../protocol/schema.ts';

/**
 * Records of the internal topics that coordinators keep their state in (formats §18):
 *
 *     key    int16 type (the key schema's `apiKey`), key message at version 0
 *     value  int16 version, value message at that version; null is a tombstone
 *
 * Source: `CoordinatorRecordSerde.java`.
 */
export interface CoordinatorRecord<K extends MessageSpec = MessageSpec, V extends MessageSpec = MessageSpec> {
  readonly type: RecordType<K, V>;
  readonly key: MessageOf<K>;
  /** Null deletes what the key names. */
  readonly value: MessageOf<V> | null;
  /** Version that the value is written in. */
  readonly version: number;
}

/** A kind of record: its number, its schemas, and the version that is written unless a record says otherwise. */
export interface RecordType<K extends MessageSpec = MessageSpec, V extends MessageSpec = MessageSpec> {
  readonly keySchema: K;
  readonly valueSchema: V;
  readonly writtenVersion: number;
}

/** Key and value as bytes. */
export interface EncodedRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

const TYPE_BYTES = 2;
const VERSION_BYTES = 2;

/** Makes a kind of record. */
export function recordType<K extends MessageSpec, V extends MessageSpec>(
  keySchema: K,
  valueSchema: V,
  writtenVersion: number,
): RecordType<K, V> {
  assert(keySchema.apiKey === valueSchema.apiKey, `${keySchema.name} is the key of ${valueSchema.name}`);
  return { keySchema, valueSchema, writtenVersion };
}

/** A record that binds `key` to `value`; null makes a tombstone. */
export function coordinatorRecord<K extends MessageSpec, V extends MessageSpec>(
  type: RecordType<K, V>,
  key: MessageOf<K>,
  value: MessageOf<V> | null,
  version: number = type.writtenVersion,
): CoordinatorRecord {
  return { type, key, value, version } as unknown as CoordinatorRecord;
}

/** The bytes of a record; the buffers are the caller's. */
export function encodeCoordinatorRecord(record: CoordinatorRecord): EncodedRecord {
  const { keySchema, valueSchema } = record.type;
  const key = codecOf(keySchema, 0).encode(record.key as never, TYPE_BYTES);
  key.writeInt16BE(keySchema.apiKey as number, 0);
  if (record.value === null) return { key, value: null };
  const value = codecOf(valueSchema, record.version).encode(record.value as never, VERSION_BYTES);
  value.writeInt16BE(record.version, 0);
  return { key, value };
}

/** The kinds of record of one internal topic, by their numbers. */
export class RecordTypes {
  readonly #byNumber = new Map<number, RecordType>();

  constructor(types: readonly RecordType[]) {
    for (const type of types) {
      const number = type.keySchema.apiKey as number;
      assert(!this.#byNumber.has(number), `type ${number} is there once`);
      this.#byNumber.set(number, type);
    }
  }

  /**
   * Reads a record. Null for a type that is not known: a newer broker wrote it, and it is skipped, as Kafka does.
   * @throws ProtocolError when key or value is malformed, or the value's version is not known
   */
  decode(key: Buffer, value: Buffer | null): CoordinatorRecord | null {
    if (key.length < TYPE_BYTES)
      throw new ProtocolError('length', 'the key of a coordinator record has no type');
    const type = this.#byNumber.get(key.readInt16BE(0));
    if (type === undefined) return null;
    const decodedKey = codecOf(type.keySchema, 0).decode(key, TYPE_BYTES);
    if (value === null) return { type, key: decodedKey, value: null, version: type.writtenVersion };
    if (value.length < VERSION_BYTES) {
      throw new ProtocolError('length', `the value of ${type.valueSchema.name} has no version`);
    }
    const version = value.readInt16BE(0);
    return {
      type,
      key: decodedKey,
      value: codecOf(type.valueSchema, version).decode(value, VERSION_BYTES),
      version,
    };
  }
}
