/** Castagnoli's polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78;
/** Bytes that one step of the loop takes in; each has a table of 256 words. */
const SLICES = 8;

/**
 * `TABLES[k * 256 + b]` is the crc of byte `b` followed by `k` zero bytes; so the effects of eight bytes at once are eight look-ups that do not wait for each other
 * (Intel's "slicing by eight").
 */
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const shorter = tables[i - 256] as number;
    tables[i] = (shorter >>> 8) ^ (tables[shorter & 0xff] as number);
  }
  return tables;
}

/** CRC-32C of `[start, end)`, continued from `seed`, a finished crc (0 to begin). Unsigned 32-bit. */
export function crc32c(buffer: Uint8Array, start: number, end: number, seed = 0): number {
  const t = TABLES;
  const b = buffer;
  let crc = ~seed;
  let i = start;
  for (const last = end - SLICES; i <= last; i += SLICES) {
    const low = crc ^ (b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24));
    crc =
      t[1792 + (low & 0xff)]! ^
      t[1536 + ((low >>> 8) & 0xff)]! ^
      t[1280 + ((low >>> 16) & 0xff)]! ^
      t[1024 + (low >>> 24)]! ^
      t[768 + b[i + 4]!]! ^
      t[512 + b[i + 5]!]! ^
      t[256 + b[i + 6]!]! ^
      t[b[i + 7]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ b[i]!) & 0xff]!;
  return ~crc >>> 0;
}
