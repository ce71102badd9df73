import { readVarint, readVarlong, readVarlongWide, varintEnd } from '../base/varint.ts';

/**
 * Walks uncompressed records of magic 2, one at a time, and checks their form. A record (formats §5):
 *
 * ```
 * length varint | attributes int8 | timestampDelta varlong | offsetDelta varint | key: varint length (-1 null), bytes
 * value: varint length (-1 null), bytes | header count varint | headers: varint key length, key, varint value length (-1 null), value
 * ```
 *
 * Every negative length but that of a header's key stands for null. One object serves a whole block; positions are into the buffer it was given.
 */
export class RecordCursor {
  buffer: Buffer = EMPTY;
  /** True once a malformed record was met; `next` answers false from then on. */
  corrupt = false;
  /** First byte of the current record (its length), and the byte after it. */
  recordStart = 0;
  recordEnd = 0;
  /** Nearest double; exact when `wideTimestampDelta` is null. */
  timestampDelta = 0;
  /** The exact delta when it is no safe integer. */
  wideTimestampDelta: bigint | null = null;
  offsetDelta = 0;
  /** First byte of the encoded offset delta, and the byte after it. */
  offsetDeltaStart = 0;
  offsetDeltaEnd = 0;
  /** `[keyStart, keyEnd)`; `keyStart` is -1 for a null key. */
  keyStart = -1;
  keyEnd = -1;
  /** `[valueStart, valueEnd)`; `valueStart` is -1 for a null value. */
  valueStart = -1;
  valueEnd = -1;
  headerCount = 0;
  /** First byte of the first header. */
  headersStart = 0;
  #end = 0;
  #position = 0;

  /** Points the cursor before the first record of the block `[start, end)`. */
  over(buffer: Buffer, start: number, end: number): this {
    this.buffer = buffer;
    this.#position = start;
    this.#end = end;
    this.corrupt = false;
    return this;
  }

  /** Moves to the next record; false at the end of the block or at a malformed record. */
  next(): boolean {
    if (this.corrupt || this.#position >= this.#end) return false;
    this.recordStart = this.#position;
    if (!this.#readRecord()) {
      this.corrupt = true;
      return false;
    }
    this.#position = this.recordEnd;
    return true;
  }

  /** The current record's key, a view. */
  key(): Buffer | null {
    return this.keyStart < 0 ? null : this.buffer.subarray(this.keyStart, this.keyEnd);
  }

  /** The current record's value, a view. */
  value(): Buffer | null {
    return this.valueStart < 0 ? null : this.buffer.subarray(this.valueStart, this.valueEnd);
  }

  #readRecord(): boolean {
    const length = this.#varint(this.recordStart, this.#end);
    if (!(length > 0) || length > this.#end - varintEnd()) return false;
    let position = varintEnd();
    const end = position + length;
    this.recordEnd = end;
    position = this.#readTimestamp(position + 1, end);
    if (position < 0) return false;
    this.offsetDeltaStart = position;
    this.offsetDelta = this.#varint(position, end);
    if (Number.isNaN(this.offsetDelta)) return false;
    this.offsetDeltaEnd = varintEnd();
    position = this.#readKeyAndValue(this.offsetDeltaEnd, end);
    if (position < 0) return false;
    this.headerCount = this.#varint(position, end);
    if (!(this.headerCount >= 0)) return false;
    this.headersStart = varintEnd();
    return this.#skipHeaders(this.headersStart, end) === end;
  }

  #varint(position: number, end: number): number {
    return readVarint(this.buffer, position, end);
  }

  #readTimestamp(position: number, end: number): number {
    this.timestampDelta = readVarlong(this.buffer, position, end);
    this.wideTimestampDelta = null;
    if (Number.isNaN(this.timestampDelta)) {
      this.wideTimestampDelta = readVarlongWide(this.buffer, position, end);
      if (this.wideTimestampDelta === null) return -1;
      this.timestampDelta = Number(this.wideTimestampDelta);
    }
    return varintEnd();
  }

  #readKeyAndValue(position: number, end: number): number {
    const keyLength = this.#varint(position, end);
    if (Number.isNaN(keyLength) || keyLength > end - varintEnd()) return -1;
    this.keyStart = keyLength < 0 ? -1 : varintEnd();
    this.keyEnd = keyLength < 0 ? -1 : this.keyStart + keyLength;
    const valuePosition = varintEnd() + Math.max(keyLength, 0);
    const valueLength = this.#varint(valuePosition, end);
    if (Number.isNaN(valueLength) || valueLength > end - varintEnd()) return -1;
    this.valueStart = valueLength < 0 ? -1 : varintEnd();
    this.valueEnd = valueLength < 0 ? -1 : this.valueStart + valueLength;
    return varintEnd() + Math.max(valueLength, 0);
  }

  /** Position after the last header, -1 when one is malformed. Each takes two bytes at least, so an absurd count ends quickly. */
  #skipHeaders(start: number, end: number): number {
    let position = start;
    for (let i = 0; i < this.headerCount; i++) {
      const keyLength = this.#varint(position, end);
      if (!(keyLength >= 0) || keyLength > end - varintEnd()) return -1;
      const valuePosition = varintEnd() + keyLength;
      const valueLength = this.#varint(valuePosition, end);
      if (Number.isNaN(valueLength) || valueLength > end - varintEnd()) return -1;
      position = varintEnd() + Math.max(valueLength, 0);
    }
    return position;
  }
}

const EMPTY = Buffer.alloc(0);
