/** The compute port: work on bytes that a native implementation does faster, or that leaves the thread when it is large. */

/** Codec ids of the record batch attributes (bits 0–2). */
export type CompressionCodec = 0 | 1 | 2 | 3 | 4;

/** A decompression or compression that failed: corrupt input, or output over the bound (`bounded`). */
export class ComputeError extends Error {
  override readonly name = 'ComputeError';
  readonly reason: 'corrupt' | 'bounded' | 'unsupported';

  constructor(reason: 'corrupt' | 'bounded' | 'unsupported', message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}

/** Called exactly once, before the call returns or in a later turn. Exactly one of the two is null. */
export type ComputeCallback = (error: ComputeError | null, output: Buffer | null) => void;

/**
 * What `walkRecords` found; the fields of one shared object that the next call overwrites. Timestamps are given as deltas from the batch's
 * base, as two signed halves would be: `maxTimestampDelta` is exact up to 2^53, beyond that `status` is `overflow`.
 */
export interface RecordWalk {
  /** `ok`, or what is wrong with the first bad record. */
  status: 'ok' | 'corrupt' | 'overflow';
  /** Records seen. */
  count: number;
  /** Largest timestamp delta, and the offset delta of the first record that has it. */
  maxTimestampDelta: number;
  offsetDeltaOfMaxTimestamp: number;
  minTimestampDelta: number;
  /** True if the offset deltas are the first one asked for (0 in general), and then each one more. */
  sequentialOffsets: boolean;
  /** True if some record has a null key. */
  hasNullKey: boolean;
  /** Index of the first record with a null key, -1 if none. */
  firstNullKeyIndex: number;
}

/** Native or portable work on bytes. */
export interface Compute {
  /** CRC-32C (Castagnoli) of `[start, end)`, continued from `seed` (a finished crc; 0 to begin). Unsigned 32-bit. */
  crc32c(buffer: Buffer, start: number, end: number, seed?: number): number;
  /**
   * Walks uncompressed records (magic 2) in `[start, end)` and checks the form of each: lengths inside bounds, varints well formed, header keys not
   * null, exactly `expectedCount` records that fill the range. `firstOffsetDelta`, 0 when left out, is what the first record is expected to have where the range is a
   * part of a block.
   */
  walkRecords(
    buffer: Buffer,
    start: number,
    end: number,
    expectedCount: number,
    firstOffsetDelta?: number,
  ): RecordWalk;
  /**
   * Decompresses `[start, end)`; output is at most `maxOutputBytes`. Inline when small; when large, off the thread or in turns on it, a few such jobs at a time. The input must stay
   * untouched until then.
   */
  decompress(
    codec: CompressionCodec,
    buffer: Buffer,
    start: number,
    end: number,
    maxOutputBytes: number,
    done: ComputeCallback,
  ): void;
  /** Compresses a whole buffer in Kafka's framing, as `decompress` where it is large; `level` null takes the codec's default, snappy has none. */
  compress(codec: CompressionCodec, input: Buffer, level: number | null, done: ComputeCallback): void;
}
