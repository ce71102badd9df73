/**
 * 64-bit integers as two halves: the high one signed, the low one unsigned. Offsets and ids are safe integers and read as plain numbers;
 * record timestamps may be any int64, so they are compared, copied and written as halves.
 */

const TWO_32 = 0x1_0000_0000;

/** Reads an int64 as a number: exact within ±2^53, else the nearest double (which keeps the order). */
export function readInt64(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * TWO_32 + buffer.readUInt32BE(position + 4);
}

/** Writes a whole number as an int64; past the range of an int64 the nearest one. Exact for everything a double holds exactly. */
export function writeInt64(buffer: Buffer, position: number, value: number): void {
  if (value >= 2 ** 63) {
    buffer.writeInt32BE(0x7fffffff, position);
    buffer.writeUInt32BE(0xffffffff, position + 4);
    return;
  }
  const high = Math.max(Math.floor(value / TWO_32), -0x80000000);
  buffer.writeInt32BE(high, position);
  buffer.writeUInt32BE(value - high * TWO_32, position + 4);
}

/** The number that two halves stand for; see `readInt64`. */
export function numberOfHalves(high: number, low: number): number {
  return high * TWO_32 + low;
}

/** The high half of a whole number within the range of an int64. */
export function highHalf(value: number): number {
  return Math.floor(value / TWO_32);
}

/** The low half of a whole number within the range of an int64. */
export function lowHalf(value: number): number {
  return value - Math.floor(value / TWO_32) * TWO_32;
}

/** Negative, 0 or positive as `(aHigh, aLow)` is below, equal to or above `(bHigh, bLow)`. */
export function compareHalves(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  return aHigh !== bHigh ? aHigh - bHigh : aLow - bLow;
}
