/** Batches as no client would build them. */
import { writeVarint } from '../../src/base/varint.ts';
import type { CompressionCodec } from '../../src/io/compute.ts';
import { compressNow } from '../../src/io/node/compression.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  BatchField,
  computeBatchCrc,
} from '../../src/records/batch.ts';
import type { BatchInput } from '../../src/records/builder.ts';
import { batchOf, compute } from './records.ts';

/** A changed batch whose checksum fits again. */
export function sealed(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  change(batch);
  batch.writeUInt32BE(computeBatchCrc(compute, batch, 0, batch.length), BatchField.crc);
  return batch;
}

/** A batch with the header of `batchOf(['x'])`, whose records block is whatever is given. The block is compressed by `codec`, unless `raw`. */
export function forged(
  block: Buffer,
  options: {
    readonly codec?: CompressionCodec;
    readonly raw?: boolean;
    readonly count?: number;
    readonly input?: Partial<BatchInput>;
    readonly timestampMs?: number;
  } = {},
): Buffer {
  const { codec = 0, count = 1, raw = false, input = {}, timestampMs } = options;
  const header = batchOf(['x'], input, timestampMs).subarray(0, BATCH_HEADER_BYTES);
  const packed = raw ? block : compressNow(codec, block, null);
  return sealed(Buffer.concat([header, packed]), (batch) => {
    batch.writeInt32BE(batch.length - BATCH_OVERHEAD_BYTES, BatchField.batchLength);
    batch.writeInt16BE(codec, BatchField.attributes);
    batch.writeInt32BE(count - 1, BatchField.lastOffsetDelta);
    batch.writeInt32BE(count, BatchField.recordCount);
  });
}

/** The records block of an uncompressed batch. */
export function blockOf(batch: Buffer): Buffer {
  return batch.subarray(BATCH_HEADER_BYTES);
}

/** Varints one after the other; a `Buffer` is taken as it is. */
export function bytesOf(...parts: readonly (number | Buffer)[]): Buffer {
  const out = Buffer.alloc(10);
  return Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? Buffer.from(out.subarray(0, writeVarint(out, 0, part))) : part,
    ),
  );
}

/** Puts its length before the body of a record. */
export function recordOf(...body: readonly (number | Buffer)[]): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(1), bytesOf(...body)]);
  return bytesOf(bytes.length, bytes);
}
