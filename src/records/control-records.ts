import { readUnsignedVarint, unsignedVarintSize, varintEnd, writeUnsignedVarint } from '../base/varint.ts';
import { UUID_BYTES, uuidFromBytes, writeUuid, type Uuid } from '../base/uuid.ts';
import type { Compute } from '../io/compute.ts';
import { NONE } from './batch.ts';
import { buildBatch } from './builder.ts';
import { readInt64, writeInt64 } from './int64.ts';
import { RecordFormatError } from './reader.ts';

/**
 * Control records (formats §7). Key: version int16 (0), type int16. Values of types 2–6 begin with a version of their own and have the flexible form of schema
 * version 0; the values of transaction markers are an int16 version and the coordinator's epoch.
 */
export const ControlType = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const;

/** A voter of the metadata quorum as KRAFT_VOTERS has it. */
export interface VoterEntry {
  readonly voterId: number;
  readonly voterDirectoryId: Uuid;
  readonly endpoints: readonly { readonly name: string; readonly host: string; readonly port: number }[];
  readonly minSupportedVersion: number;
  readonly maxSupportedVersion: number;
}

/** A control record, decoded. Types this program does not know must be ignored: `UNKNOWN` stands for them. */
export type ControlRecord =
  | { readonly type: 'ABORT' | 'COMMIT'; readonly coordinatorEpoch: number }
  | {
      readonly type: 'LEADER_CHANGE';
      readonly leaderId: number;
      readonly voterIds: readonly number[];
      readonly grantingVoterIds: readonly number[];
    }
  | { readonly type: 'SNAPSHOT_HEADER'; readonly lastContainedLogTimestampMs: number }
  | { readonly type: 'SNAPSHOT_FOOTER' }
  | { readonly type: 'KRAFT_VERSION'; readonly kraftVersion: number }
  | { readonly type: 'KRAFT_VOTERS'; readonly voters: readonly VoterEntry[] }
  | { readonly type: 'UNKNOWN'; readonly typeId: number };

/** A control batch to be written. */
export interface ControlBatchInput {
  readonly records: readonly Exclude<ControlRecord, { type: 'UNKNOWN' }>[];
  readonly timestampMs: number;
  readonly baseOffset?: number;
  readonly partitionLeaderEpoch?: number;
  /** For transaction markers: the transaction's producer. */
  readonly producerId?: number;
  readonly producerEpoch?: number;
}

/** Builds a control batch; markers make it transactional. */
export function buildControlBatch(input: ControlBatchInput, compute: Compute): Buffer {
  const { producerId = NONE, producerEpoch = NONE } = input;
  return buildBatch(
    {
      records: input.records.map((record) => ({
        key: controlKey(ControlType[record.type]),
        value: encodeControlValue(record),
        timestampMs: input.timestampMs,
      })),
      baseOffset: input.baseOffset ?? 0,
      partitionLeaderEpoch: input.partitionLeaderEpoch ?? NONE,
      producerId,
      producerEpoch,
      control: true,
      transactional: input.records.some((record) => record.type === 'ABORT' || record.type === 'COMMIT'),
    },
    compute,
  );
}

/** Decodes a record of a control batch. @throws RecordFormatError when the bytes are not what the type says. */
export function decodeControlRecord(key: Buffer | null, value: Buffer | null): ControlRecord {
  if (key === null || key.length < 4 || key.readInt16BE(0) < 0) throw malformed();
  const typeId = key.readInt16BE(2);
  const reader = new ValueReader(value ?? Buffer.alloc(0));
  switch (typeId) {
    case ControlType.ABORT:
    case ControlType.COMMIT:
      reader.int16();
      return { type: typeId === ControlType.ABORT ? 'ABORT' : 'COMMIT', coordinatorEpoch: reader.int32() };
    case ControlType.LEADER_CHANGE:
      reader.int16();
      return {
        type: 'LEADER_CHANGE',
        leaderId: reader.int32(),
        voterIds: reader.array(readVoterId),
        grantingVoterIds: reader.array(readVoterId),
      };
    case ControlType.SNAPSHOT_HEADER:
      reader.int16();
      return { type: 'SNAPSHOT_HEADER', lastContainedLogTimestampMs: reader.int64() };
    case ControlType.SNAPSHOT_FOOTER:
      reader.int16();
      return { type: 'SNAPSHOT_FOOTER' };
    case ControlType.KRAFT_VERSION:
      reader.int16();
      return { type: 'KRAFT_VERSION', kraftVersion: reader.int16() };
    case ControlType.KRAFT_VOTERS:
      reader.int16();
      return { type: 'KRAFT_VOTERS', voters: reader.array(readVoterEntry) };
    default:
      return { type: 'UNKNOWN', typeId };
  }
}

function controlKey(typeId: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(typeId, 2);
  return key;
}

function encodeControlValue(record: Exclude<ControlRecord, { type: 'UNKNOWN' }>): Buffer {
  const writer = new ValueWriter();
  writer.int16(0);
  switch (record.type) {
    case 'ABORT':
    case 'COMMIT':
      writer.int32(record.coordinatorEpoch);
      return writer.bytes();
    case 'LEADER_CHANGE':
      writer.int32(record.leaderId);
      writer.array(record.voterIds, writeVoterId);
      writer.array(record.grantingVoterIds, writeVoterId);
      break;
    case 'SNAPSHOT_HEADER':
      writer.int64(record.lastContainedLogTimestampMs);
      break;
    case 'SNAPSHOT_FOOTER':
      break;
    case 'KRAFT_VERSION':
      writer.int16(record.kraftVersion);
      break;
    case 'KRAFT_VOTERS':
      writer.array(record.voters, writeVoterEntry);
      break;
  }
  writer.noTags();
  return writer.bytes();
}

function writeVoterId(writer: ValueWriter, voterId: number): void {
  writer.int32(voterId);
  writer.noTags();
}

function readVoterId(reader: ValueReader): number {
  const voterId = reader.int32();
  reader.skipTags();
  return voterId;
}

function writeVoterEntry(writer: ValueWriter, voter: VoterEntry): void {
  writer.int32(voter.voterId);
  writer.uuid(voter.voterDirectoryId);
  writer.array(voter.endpoints, (w, endpoint) => {
    w.string(endpoint.name);
    w.string(endpoint.host);
    w.int16(endpoint.port);
    w.noTags();
  });
  writer.int16(voter.minSupportedVersion);
  writer.int16(voter.maxSupportedVersion);
  writer.noTags();
  writer.noTags();
}

function readVoterEntry(reader: ValueReader): VoterEntry {
  const voterId = reader.int32();
  const voterDirectoryId = reader.uuid();
  const endpoints = reader.array((r) => {
    const endpoint = { name: r.string(), host: r.string(), port: r.int16() & 0xffff };
    r.skipTags();
    return endpoint;
  });
  const minSupportedVersion = reader.int16();
  const maxSupportedVersion = reader.int16();
  reader.skipTags();
  reader.skipTags();
  return { voterId, voterDirectoryId, endpoints, minSupportedVersion, maxSupportedVersion };
}

function malformed(): RecordFormatError {
  return new RecordFormatError('malformed control record');
}

/** Collects the few primitive types that control records use. */
class ValueWriter {
  readonly #parts: Buffer[] = [];

  int16(value: number): void {
    const part = Buffer.alloc(2);
    part.writeUInt16BE(value & 0xffff);
    this.#parts.push(part);
  }

  int32(value: number): void {
    const part = Buffer.alloc(4);
    part.writeInt32BE(value);
    this.#parts.push(part);
  }

  int64(value: number): void {
    const part = Buffer.alloc(8);
    writeInt64(part, 0, value);
    this.#parts.push(part);
  }

  uuid(value: Uuid): void {
    const part = Buffer.alloc(UUID_BYTES);
    writeUuid(part, 0, value);
    this.#parts.push(part);
  }

  unsignedVarint(value: number): void {
    const part = Buffer.alloc(unsignedVarintSize(value));
    writeUnsignedVarint(part, 0, value);
    this.#parts.push(part);
  }

  string(value: string): void {
    const bytes = Buffer.from(value);
    this.unsignedVarint(bytes.length + 1);
    this.#parts.push(bytes);
  }

  array<T>(items: readonly T[], writeItem: (writer: ValueWriter, item: T) => void): void {
    this.unsignedVarint(items.length + 1);
    for (const item of items) writeItem(this, item);
  }

  noTags(): void {
    this.unsignedVarint(0);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** Reads them back; every read past the end is a RecordFormatError. */
class ValueReader {
  readonly #buffer: Buffer;
  #position = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#take(4));
  }

  int64(): number {
    return readInt64(this.#buffer, this.#take(8));
  }

  uuid(): Uuid {
    return uuidFromBytes(this.#buffer, this.#take(UUID_BYTES));
  }

  unsignedVarint(): number {
    const value = readUnsignedVarint(this.#buffer, this.#position, this.#buffer.length);
    if (Number.isNaN(value)) throw malformed();
    this.#position = varintEnd();
    return value;
  }

  string(): string {
    const length = this.unsignedVarint() - 1;
    if (length < 0) throw malformed();
    const start = this.#take(length);
    return this.#buffer.toString('utf8', start, start + length);
  }

  array<T>(readItem: (reader: ValueReader) => T): T[] {
    const count = this.unsignedVarint() - 1;
    // Every item takes a byte at least: an absurd count is refused before anything is made for it.
    if (count < 0 || count > this.#buffer.length - this.#position) throw malformed();
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(readItem(this));
    return items;
  }

  skipTags(): void {
    for (let left = this.unsignedVarint(); left > 0; left--) {
      this.unsignedVarint();
      this.#take(this.unsignedVarint());
    }
  }

  #take(lengthBytes: number): number {
    const start = this.#position;
    if (lengthBytes > this.#buffer.length - start) throw malformed();
    this.#position = start + lengthBytes;
    return start;
  }
}
