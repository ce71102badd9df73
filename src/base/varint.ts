/**
 * Kafka's variable-length integers: 7 bits a byte, low group first, high bit set on all but the last byte.
 * Unsigned varints carry lengths and tags of flexible messages; zigzag varints and varlongs are in record
 * batches.
 *
 * Readers return the value and leave the position after it in `varintEnd()`; they never allocate. A value that
 * runs past `end` or has too many bytes gives NaN, so that each caller can raise its own kind of error.
 */

/** Most bytes a varint of 32 bits takes. */
export const MAX_VARINT_BYTES = 5;
/** Most bytes a varlong of 64 bits takes. */
export const MAX_VARLONG_BYTES = 10;

let endPosition = 0;

/** The position after the last byte of the number read last; undefined in meaning after a NaN. */
export function varintEnd(): number {
  return endPosition;
}

/**
 * Reads an unsigned varint of up to 32 bits at `position`; 0..2^32-1, or NaN when it is cut short or longer
 * than 5 bytes.
 */
export function readUnsignedVarint(buffer: Uint8Array, position: number, end: number): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    if (position >= end) return Number.NaN;
    const byte = buffer[position++] as number;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      endPosition = position;
      return value >>> 0;
    }
  }
  return Number.NaN;
}

/** Reads a zigzag varint: an int32, or NaN when it is cut short or too long. */
export function readVarint(buffer: Uint8Array, position: number, end: number): number {
  const raw = readUnsignedVarint(buffer, position, end);
  return Number.isNaN(raw) ? raw : (raw >>> 1) ^ -(raw & 1);
}

/**
 * Reads a zigzag varlong as a number: NaN when it is cut short or too long, or when the value is not a safe integer
 * (`readVarlongWide` reads those).
 */
export function readVarlong(buffer: Uint8Array, position: number, end: number): number {
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (position >= end) return Number.NaN;
    const byte = buffer[position++] as number;
    const bits = byte & 0x7f;
    if (shift < 28) low += bits * 2 ** shift;
    else if (shift < 56) high += bits * 2 ** (shift - 28);
    else if (bits !== 0) return Number.NaN;
    if (byte < 0x80) {
      endPosition = position;
      return unzigzag(high, low);
    }
  }
  return Number.NaN;
}

/** Undoes the zigzag of `high * 2^28 + low` (56 bits); NaN when the result is not a safe integer. */
function unzigzag(high: number, low: number): number {
  const negative = (low & 1) === 1;
  const magnitude = high * 0x8000000 + (low - (low & 1)) / 2;
  const value = negative ? -magnitude - 1 : magnitude;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

/** Reads a zigzag varlong of the full 64 bits, or null when it is cut short or longer than 10 bytes. */
export function readVarlongWide(buffer: Uint8Array, position: number, end: number): bigint | null {
  let raw = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    if (position >= end) return null;
    const byte = buffer[position++] as number;
    raw |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) {
      endPosition = position;
      raw = BigInt.asUintN(64, raw);
      return BigInt.asIntN(64, (raw >> 1n) ^ -(raw & 1n));
    }
  }
  return null;
}

/** Bytes that `writeUnsignedVarint` takes for `value` (0..2^32-1). */
export function unsignedVarintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

/** Bytes that `writeVarint` takes for an int32. */
export function varintSize(value: number): number {
  return unsignedVarintSize(((value << 1) ^ (value >> 31)) >>> 0);
}

/** Bytes that `writeVarlong` takes for a safe integer. */
export function varlongSize(value: number): number {
  let groups = value < 0 ? -(value + 1) : value;
  let size = 1;
  for (groups = Math.floor(groups / 64); groups > 0; groups = Math.floor(groups / 128)) size++;
  return size;
}

/** Writes `value` (0..2^32-1); returns the position after it. The caller has made room. */
export function writeUnsignedVarint(buffer: Uint8Array, position: number, value: number): number {
  while (value > 0x7f) {
    buffer[position++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  buffer[position++] = value;
  return position;
}

/** Writes an int32 in zigzag; returns the position after it. */
export function writeVarint(buffer: Uint8Array, position: number, value: number): number {
  return writeUnsignedVarint(buffer, position, ((value << 1) ^ (value >> 31)) >>> 0);
}

/** Writes a safe integer in zigzag; returns the position after it. */
export function writeVarlong(buffer: Uint8Array, position: number, value: number): number {
  const negative = value < 0;
  const magnitude = negative ? -(value + 1) : value;
  // The first group holds the sign and six bits, so that no intermediate value leaves the safe integers.
  let rest = Math.floor(magnitude / 64);
  const first = (magnitude % 64) * 2 + (negative ? 1 : 0);
  buffer[position++] = rest > 0 ? first | 0x80 : first;
  while (rest > 0) {
    const group = rest % 128;
    rest = Math.floor(rest / 128);
    buffer[position++] = rest > 0 ? group | 0x80 : group;
  }
  return position;
}

/** Writes any int64 in zigzag; returns the position after it. */
export function writeVarlongWide(buffer: Uint8Array, position: number, value: bigint): number {
  let raw = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  while (raw > 0x7fn) {
    buffer[position++] = Number(raw & 0x7fn) | 0x80;
    raw >>= 7n;
  }
  buffer[position++] = Number(raw);
  return position;
}
