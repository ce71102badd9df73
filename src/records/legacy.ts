import { BATCH_OVERHEAD_BYTES } from './batch.ts';
import { readInt64 } from './int64.ts';

/**
 * Message sets of magic 0 and 1 (formats §6). They are neither accepted nor written; a log directory that is many years old may still
 * hold them, so that scanning and recovery must be able to step over them:
 *
 * ```
 *  0 offset int64 | 8 size int32 | 12 crc uint32 (CRC-32 from 16 to the end) | 16 magic int8 | 17 attributes int8 |
 * 18 timestamp int64 (magic 1) | key, value
 * ```
 */

/** One entry of a legacy message set; a compressed one is a wrapper whose offset is that of its last inner message. */
export interface LegacyEntry {
  readonly lastOffset: number;
  readonly sizeBytes: number;
  /** -1 with magic 0. */
  readonly maxTimestampMs: number;
}

/** The entry at `start`; at least 26 bytes must be there. */
export function legacyEntryAt(buffer: Buffer, start: number): LegacyEntry {
  return {
    lastOffset: readInt64(buffer, start),
    sizeBytes: buffer.readInt32BE(start + 8) + BATCH_OVERHEAD_BYTES,
    maxTimestampMs: buffer.readInt8(start + 16) === 0 ? -1 : readInt64(buffer, start + 18),
  };
}

/** True if the entry's CRC fits its bytes, which must all be in the buffer. */
export function isLegacyCrcValid(buffer: Buffer, start: number): boolean {
  const end = start + buffer.readInt32BE(start + 8) + BATCH_OVERHEAD_BYTES;
  let crc = -1;
  for (let i = start + 16; i < end; i++) {
    crc = (CRC_TABLE[(crc ^ (buffer[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return (crc ^ -1) >>> 0 === buffer.readUInt32BE(start + 12);
}

/** CRC-32 (IEEE 802.3), reflected. */
const CRC_TABLE = new Int32Array(256);
for (let n = 0; n < 256; n++) {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  CRC_TABLE[n] = value;
}
