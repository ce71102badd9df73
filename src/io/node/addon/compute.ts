import type { CompressionCodec, Compute, ComputeCallback, RecordWalk } from '../../compute.ts';
import { compress, decompress } from '../compression.ts';
import { crc32c } from '../portable/crc32c.ts';
import { RecordWalker } from '../portable/record-walk.ts';
import type { ChecksumBinding, RecordsBinding } from './binding.ts';

/** Below this many bytes the tables in JavaScript are quicker than the call into the addon, which takes about 90 ns (measured). */
const NATIVE_CRC_BYTES = 96;
/** The same for a walk over records. */
const NATIVE_WALK_BYTES = 160;

/** Fields of the result in the order of native/records.c. */
const WalkField = {
  STATUS: 0,
  COUNT: 1,
  MAX_TIMESTAMP: 2,
  OFFSET_OF_MAX: 3,
  MIN_TIMESTAMP: 4,
  SEQUENTIAL: 5,
  FIRST_NULL_KEY: 6,
  FIELDS: 7,
} as const;
const STATUSES = ['ok', 'corrupt', 'overflow'] as const;

/** Checksums by the processor's instruction and record walks in C; compression as everywhere. */
export class AddonCompute implements Compute {
  readonly #binding: ChecksumBinding & RecordsBinding;
  readonly #walker = new RecordWalker();
  readonly #fields = new Float64Array(WalkField.FIELDS);

  constructor(binding: ChecksumBinding & RecordsBinding) {
    this.#binding = binding;
  }

  crc32c(buffer: Buffer, start: number, end: number, seed = 0): number {
    return end - start < NATIVE_CRC_BYTES
      ? crc32c(buffer, start, end, seed)
      : this.#binding.crc32c(buffer, start, end, seed);
  }

  walkRecords(
    buffer: Buffer,
    start: number,
    end: number,
    expectedCount: number,
    firstOffsetDelta = 0,
  ): RecordWalk {
    if (end - start < NATIVE_WALK_BYTES)
      return this.#walker.walk(buffer, start, end, expectedCount, firstOffsetDelta);
    const fields = this.#fields;
    const { result } = this.#walker;
    this.#binding.walkRecords(buffer, start, end, expectedCount, fields, firstOffsetDelta);
    result.status = STATUSES[fields[WalkField.STATUS] as number] as RecordWalk['status'];
    result.count = fields[WalkField.COUNT] as number;
    result.maxTimestampDelta = fields[WalkField.MAX_TIMESTAMP] as number;
    result.offsetDeltaOfMaxTimestamp = fields[WalkField.OFFSET_OF_MAX] as number;
    result.minTimestampDelta = fields[WalkField.MIN_TIMESTAMP] as number;
    result.sequentialOffsets = fields[WalkField.SEQUENTIAL] === 1;
    result.firstNullKeyIndex = fields[WalkField.FIRST_NULL_KEY] as number;
    result.hasNullKey = result.firstNullKeyIndex >= 0;
    return result;
  }

  decompress(
    codec: CompressionCodec,
    buffer: Buffer,
    start: number,
    end: number,
    maxOutputBytes: number,
    done: ComputeCallback,
  ): void {
    decompress(codec, buffer.subarray(start, end), maxOutputBytes, done);
  }

  compress(codec: CompressionCodec, input: Buffer, level: number | null, done: ComputeCallback): void {
    compress(codec, input, level, done);
  }
}
