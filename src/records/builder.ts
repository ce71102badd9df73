import { assert } from '../base/assert.ts';
import { varintSize, varlongSize, writeVarint, writeVarlong } from '../base/varint.ts';
import type { Compute, ComputeError, CompressionCodec } from '../io/compute.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  BatchAttribute,
  BatchField,
  computeBatchCrc,
  CURRENT_MAGIC,
  NONE,
} from './batch.ts';
import { writeInt64 } from './int64.ts';

/** A record to be written. */
export interface RecordInput {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: readonly { readonly key: string; readonly value: Buffer | null }[];
  /** ms since the epoch, -1 for none; a safe integer. */
  readonly timestampMs: number;
}

/** A batch to be written; what is left out takes the value a client sends. */
export interface BatchInput {
  /** At least one; offsets count from `baseOffset`. */
  readonly records: readonly RecordInput[];
  readonly baseOffset?: number;
  readonly partitionLeaderEpoch?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
  /** Makes a LogAppendTime batch with this timestamp, ms. */
  readonly logAppendTimeMs?: number;
}

/** Builds an uncompressed batch of magic 2 with its crc, in a buffer of just its size that the caller owns. */
export function buildBatch(input: BatchInput, compute: Compute): Buffer {
  const first = input.records[0];
  assert(first !== undefined, 'a batch has at least one record');
  const baseTimestamp = first.timestampMs;
  let sizeBytes = BATCH_HEADER_BYTES;
  for (let i = 0; i < input.records.length; i++) {
    const length = bodySize(input.records[i] as RecordInput, i, baseTimestamp);
    sizeBytes += varintSize(length) + length;
  }
  const out = Buffer.allocUnsafe(sizeBytes);
  let position = BATCH_HEADER_BYTES;
  for (let i = 0; i < input.records.length; i++) {
    position = writeRecord(out, position, input.records[i] as RecordInput, i, baseTimestamp);
  }
  assert(position === sizeBytes, 'records take the bytes that were counted');
  writeHeader(out, input, 0);
  sealBatch(out, compute);
  return out;
}

/**
 * Builds a compressed batch; `level` null takes the codec's default. `done` is called once, before the call returns or later, with exactly one
 * argument that is not null.
 */
export function buildCompressedBatch(
  input: BatchInput,
  compression: { readonly codec: CompressionCodec; readonly level: number | null },
  compute: Compute,
  done: (error: ComputeError | null, batch: Buffer | null) => void,
): void {
  const plain = buildBatch(input, compute);
  if (compression.codec === 0) return done(null, plain);
  return compute.compress(
    compression.codec,
    plain.subarray(BATCH_HEADER_BYTES),
    compression.level,
    (error, block) => {
      if (block === null) return done(error, null);
      return done(null, replaceBlock(plain, 0, block, compression.codec, compute));
    },
  );
}

/** A new batch with the header of the one at `start`, another block of records and another codec; crc and length are made to fit. */
export function replaceBlock(
  buffer: Buffer,
  start: number,
  block: Buffer,
  codec: CompressionCodec,
  compute: Compute,
): Buffer {
  const out = Buffer.allocUnsafe(BATCH_HEADER_BYTES + block.length);
  buffer.copy(out, 0, start, start + BATCH_HEADER_BYTES);
  block.copy(out, BATCH_HEADER_BYTES);
  const attributes = (out.readInt16BE(BatchField.attributes) & ~BatchAttribute.codecMask) | codec;
  out.writeInt16BE(attributes, BatchField.attributes);
  sealBatch(out, compute);
  return out;
}

/** Sets length and crc of a batch that fills `batch`. */
function sealBatch(batch: Buffer, compute: Compute): void {
  batch.writeInt32BE(batch.length - BATCH_OVERHEAD_BYTES, BatchField.batchLength);
  batch.writeUInt32BE(computeBatchCrc(compute, batch, 0, batch.length), BatchField.crc);
}

function writeHeader(out: Buffer, input: BatchInput, codec: CompressionCodec): void {
  const { records, logAppendTimeMs } = input;
  let maxTimestamp = NONE;
  for (const record of records) maxTimestamp = Math.max(maxTimestamp, record.timestampMs);
  let attributes: number = codec;
  if (logAppendTimeMs !== undefined) attributes |= BatchAttribute.logAppendTime;
  if (input.transactional) attributes |= BatchAttribute.transactional;
  if (input.control) attributes |= BatchAttribute.control;
  writeInt64(out, BatchField.baseOffset, input.baseOffset ?? 0);
  out.writeInt32BE(input.partitionLeaderEpoch ?? NONE, BatchField.partitionLeaderEpoch);
  out.writeInt8(CURRENT_MAGIC, BatchField.magic);
  out.writeInt16BE(attributes, BatchField.attributes);
  out.writeInt32BE(records.length - 1, BatchField.lastOffsetDelta);
  writeInt64(out, BatchField.baseTimestamp, records[0]?.timestampMs ?? NONE);
  writeInt64(out, BatchField.maxTimestamp, logAppendTimeMs ?? maxTimestamp);
  writeInt64(out, BatchField.producerId, input.producerId ?? NONE);
  out.writeInt16BE(input.producerEpoch ?? NONE, BatchField.producerEpoch);
  out.writeInt32BE(input.baseSequence ?? NONE, BatchField.baseSequence);
  out.writeInt32BE(records.length, BatchField.recordCount);
}

/** Bytes of a record after its length. */
function bodySize(record: RecordInput, offsetDelta: number, baseTimestamp: number): number {
  const headers = record.headers ?? [];
  let size = 1 + varlongSize(record.timestampMs - baseTimestamp) + varintSize(offsetDelta);
  size += nullableSize(record.key) + nullableSize(record.value) + varintSize(headers.length);
  for (const header of headers) {
    const keyLength = Buffer.byteLength(header.key);
    size += varintSize(keyLength) + keyLength + nullableSize(header.value);
  }
  return size;
}

function nullableSize(bytes: Buffer | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length;
}

function writeRecord(
  out: Buffer,
  start: number,
  record: RecordInput,
  offsetDelta: number,
  baseTimestamp: number,
): number {
  const headers = record.headers ?? [];
  let position = writeVarint(out, start, bodySize(record, offsetDelta, baseTimestamp));
  out[position++] = 0;
  position = writeVarlong(out, position, record.timestampMs - baseTimestamp);
  position = writeVarint(out, position, offsetDelta);
  position = writeNullable(out, position, record.key);
  position = writeNullable(out, position, record.value);
  position = writeVarint(out, position, headers.length);
  for (const header of headers) {
    position = writeNullable(out, position, Buffer.from(header.key));
    position = writeNullable(out, position, header.value);
  }
  return position;
}

function writeNullable(out: Buffer, position: number, bytes: Buffer | null): number {
  if (bytes === null) return writeVarint(out, position, NONE);
  const start = writeVarint(out, position, bytes.length);
  bytes.copy(out, start);
  return start + bytes.length;
}
