const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

/** XXH32 with seed 0 (the xxHash specification, version 0.1.1), the checksum of LZ4 frames. Unsigned 32-bit. */
export function xxhash32(buffer: Buffer): number {
  let at = 0;
  let hash = PRIME_5;
  if (buffer.length >= 16) {
    const lanes: [number, number, number, number] = [(PRIME_1 + PRIME_2) | 0, PRIME_2, 0, -PRIME_1];
    for (; at + 16 <= buffer.length; at += 16) {
      for (let lane = 0; lane < 4; lane++) {
        lanes[lane] = round(lanes[lane] as number, buffer.readInt32LE(at + 4 * lane));
      }
    }
    hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
  }
  hash = (hash + buffer.length) | 0;
  for (; at + 4 <= buffer.length; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(buffer.readInt32LE(at), PRIME_3)) | 0, 17), PRIME_4);
  }
  for (; at < buffer.length; at++) {
    hash = Math.imul(rotate((hash + Math.imul(buffer[at] as number, PRIME_5)) | 0, 11), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
