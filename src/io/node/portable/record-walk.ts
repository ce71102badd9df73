import type { RecordWalk } from '../../compute.ts';

const MAX_VARINT_BYTES = 5;
const MAX_VARLONG_BYTES = 10;

/**
 * The walk over uncompressed records, magic 2, in JavaScript. Every length is checked against what is there before it is believed; bits of a varint beyond its type are dropped and negative lengths are
 * null, as Kafka has it.
 *
 *     record := length varint, attributes int8, timestampDelta varlong, offsetDelta varint,
 *               keyLength varint, key, valueLength varint, value, headerCount varint, headers
 *     header := keyLength varint (not negative), key, valueLength varint, value
 */
export class RecordWalker {
  /** What the last walk found; overwritten by the next. */
  readonly result: RecordWalk = {
    status: 'ok',
    count: 0,
    maxTimestampDelta: 0,
    offsetDeltaOfMaxTimestamp: -1,
    minTimestampDelta: 0,
    sequentialOffsets: true,
    hasNullKey: false,
    firstNullKeyIndex: -1,
  };
  #buffer: Uint8Array = new Uint8Array(0);
  #at = 0;
  #firstOffsetDelta = 0;
  /** Set when a read ran past its end or a varint did not end. */
  #bad = false;

  /** See `Compute.walkRecords`. */
  walk(
    buffer: Uint8Array,
    start: number,
    end: number,
    expectedCount: number,
    firstOffsetDelta = 0,
  ): RecordWalk {
    const { result } = this;
    this.#buffer = buffer;
    this.#at = start;
    this.#bad = false;
    this.#firstOffsetDelta = firstOffsetDelta;
    result.status = 'ok';
    result.count = 0;
    result.maxTimestampDelta = 0;
    result.offsetDeltaOfMaxTimestamp = -1;
    result.minTimestampDelta = 0;
    result.sequentialOffsets = true;
    result.hasNullKey = false;
    result.firstNullKeyIndex = -1;
    while (result.count < expectedCount && this.#record(end)) result.count++;
    if (result.count !== expectedCount || this.#at !== end || this.#bad) result.status = 'corrupt';
    else if (
      !Number.isSafeInteger(result.maxTimestampDelta) ||
      !Number.isSafeInteger(result.minTimestampDelta)
    ) {
      result.status = 'overflow';
    }
    return result;
  }

  /** Walks one record; false if it is malformed. */
  #record(limit: number): boolean {
    const length = this.#varint(limit);
    if (this.#bad || length < 1 || length > limit - this.#at) return false;
    const end = this.#at + length;
    this.#at++;
    const timestampDelta = this.#varlong(end);
    const offsetDelta = this.#varint(end);
    const keyLength = this.#varint(end);
    this.#skip(keyLength, end);
    this.#skip(this.#varint(end), end);
    this.#headers(end);
    if (this.#bad || this.#at !== end) return false;
    this.#note(timestampDelta, offsetDelta, keyLength);
    return true;
  }

  #headers(end: number): void {
    const count = this.#varint(end);
    if (count < 0) this.#bad = true;
    for (let i = 0; i < count && !this.#bad; i++) {
      const keyLength = this.#varint(end);
      if (keyLength < 0) this.#bad = true;
      this.#skip(keyLength, end);
      this.#skip(this.#varint(end), end);
    }
  }

  #note(timestampDelta: number, offsetDelta: number, keyLength: number): void {
    const { result } = this;
    if (result.count === 0 || timestampDelta > result.maxTimestampDelta) {
      result.maxTimestampDelta = timestampDelta;
      result.offsetDeltaOfMaxTimestamp = offsetDelta;
    }
    if (result.count === 0 || timestampDelta < result.minTimestampDelta)
      result.minTimestampDelta = timestampDelta;
    if (offsetDelta !== this.#firstOffsetDelta + result.count) result.sequentialOffsets = false;
    if (keyLength < 0 && !result.hasNullKey) {
      result.hasNullKey = true;
      result.firstNullKeyIndex = result.count;
    }
  }

  #skip(length: number, end: number): void {
    if (length <= 0 || this.#bad) return;
    if (length > end - this.#at) this.#bad = true;
    else this.#at += length;
  }

  #varint(end: number): number {
    const first = this.#at < end ? (this.#buffer[this.#at] as number) : 0x80;
    if (first < 0x80) {
      this.#at++;
      return (first >>> 1) ^ -(first & 1);
    }
    let value = 0;
    for (let i = 0; i < MAX_VARINT_BYTES && this.#at < end; i++) {
      const byte = this.#buffer[this.#at++] as number;
      value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    this.#bad = true;
    return 0;
  }

  /** Exact for values of up to 2^53 either way; larger ones are rounded, but stay larger. */
  #varlong(end: number): number {
    const first = this.#at < end ? (this.#buffer[this.#at] as number) : 0x80;
    if (first < 0x80) {
      this.#at++;
      return (first >>> 1) ^ -(first & 1);
    }
    // The sign is the lowest bit; the magnitude is summed without it, so that no bit of a 53-bit value is lost.
    let magnitude = 0;
    let unit = 0.5;
    for (let i = 0; i < MAX_VARLONG_BYTES && this.#at < end; i++) {
      const byte = this.#buffer[this.#at++] as number;
      const bits = i === 0 ? byte & 0x7e : i === MAX_VARLONG_BYTES - 1 ? byte & 1 : byte & 0x7f;
      magnitude += bits * unit;
      unit *= 128;
      if (byte < 0x80) return (first & 1) === 0 ? magnitude : -magnitude - 1;
    }
    this.#bad = true;
    return 0;
  }
}
