import { readVarint, varintEnd } from '../base/varint.ts';
import type { Compute } from '../io/compute.ts';
import { BATCH_HEADER_BYTES, BatchView, isKnownCodec } from './batch.ts';
import { RecordCursor } from './record-cursor.ts';

/** A header of a record; names may repeat. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/** One record as applications see it. Key, value and header values are views of the batch's bytes (or of the decompressed block). */
export interface RecordView {
  readonly offset: number;
  /** ms since the epoch, -1 for none; the nearest double beyond 2^53. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/** The bytes of a batch do not have the form they should. */
export class RecordFormatError extends Error {
  override readonly name = 'RecordFormatError';
}

/** Largest block of records that is decompressed for reading. */
export const MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024;

/**
 * The records of an uncompressed batch that lies whole at `start`.
 * @throws RecordFormatError when a record is malformed or the count is wrong.
 */
export function readRecords(buffer: Buffer, start: number): RecordView[] {
  const view = new BatchView().at(buffer, start);
  if (view.codec !== 0) throw new RecordFormatError('the batch is compressed: openRecords can read it');
  return readBlock(view, buffer, start + BATCH_HEADER_BYTES, start + view.sizeBytes);
}

/**
 * The records of a batch of any codec. `done` is called once, before the call returns or later; the bytes must stay until then. Exactly one
 * of its arguments is null.
 */
export function openRecords(
  buffer: Buffer,
  start: number,
  compute: Compute,
  done: (error: Error | null, records: RecordView[] | null) => void,
): void {
  openBlock(buffer, start, compute, (error, block) => {
    if (error !== null || block === null) return done(error, null);
    const view = new BatchView().at(buffer, start);
    let records: RecordView[];
    try {
      records = readBlock(view, block.buffer, block.start, block.end);
    } catch (cause) {
      if (!(cause instanceof RecordFormatError)) throw cause;
      return done(cause, null);
    }
    return done(null, records);
  });
}

/** Uncompressed records of one batch. */
export interface RecordBlock {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Gives the uncompressed records of a batch: where they lie, or a new buffer. `done` is called once, inline if the batch is not compressed. */
export function openBlock(
  buffer: Buffer,
  start: number,
  compute: Compute,
  done: (error: Error | null, block: RecordBlock | null) => void,
): void {
  const view = new BatchView().at(buffer, start);
  const codec = view.codec;
  const end = start + view.sizeBytes;
  if (codec === 0) return done(null, { buffer, start: start + BATCH_HEADER_BYTES, end });
  if (!isKnownCodec(codec)) return done(new RecordFormatError(`unknown compression codec ${codec}`), null);
  // A compacted batch may hold no records, and then not even the frame of its codec.
  if (start + BATCH_HEADER_BYTES === end) return done(null, { buffer, start: end, end });
  return compute.decompress(
    codec,
    buffer,
    start + BATCH_HEADER_BYTES,
    end,
    MAX_DECOMPRESSED_BYTES,
    (error, output) =>
      output === null ? done(error, null) : done(null, { buffer: output, start: 0, end: output.length }),
  );
}

/** Reads the records of a block with the header `batch`. @throws RecordFormatError */
export function readBlock(batch: BatchView, block: Buffer, start: number, end: number): RecordView[] {
  const { baseOffset, baseTimestamp, maxTimestamp, isLogAppendTime, recordCount } = batch;
  const cursor = new RecordCursor().over(block, start, end);
  const records: RecordView[] = [];
  while (cursor.next()) {
    records.push({
      offset: baseOffset + cursor.offsetDelta,
      timestampMs: isLogAppendTime ? maxTimestamp : baseTimestamp + cursor.timestampDelta,
      key: cursor.key(),
      value: cursor.value(),
      headers: readHeaders(cursor),
    });
  }
  if (cursor.corrupt)
    throw new RecordFormatError(`record ${records.length} of the batch at offset ${baseOffset} is malformed`);
  if (records.length !== recordCount) {
    throw new RecordFormatError(
      `the batch at offset ${baseOffset} has ${records.length} records and says ${recordCount}`,
    );
  }
  return records;
}

const NO_HEADERS: readonly RecordHeader[] = [];

function readHeaders(cursor: RecordCursor): readonly RecordHeader[] {
  if (cursor.headerCount === 0) return NO_HEADERS;
  const { buffer, recordEnd } = cursor;
  const headers: RecordHeader[] = [];
  let position = cursor.headersStart;
  for (let i = 0; i < cursor.headerCount; i++) {
    const keyLength = readVarint(buffer, position, recordEnd);
    const keyStart = varintEnd();
    const valueLength = readVarint(buffer, keyStart + keyLength, recordEnd);
    const valueStart = varintEnd();
    position = valueStart + Math.max(valueLength, 0);
    headers.push({
      key: buffer.toString('utf8', keyStart, keyStart + keyLength),
      value: valueLength < 0 ? null : buffer.subarray(valueStart, position),
    });
  }
  return headers;
}
