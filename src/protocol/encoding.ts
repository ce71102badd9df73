import { unsignedVarintSize, writeUnsignedVarint } from '../base/varint.ts';
import { MAX_STRING_BYTES } from './decoding.ts';
import { ProtocolError } from './protocol-error.ts';
import type { RecordsInput, RecordsRange, UnknownTaggedField } from './schema.ts';

/**
 * What generated encoders call. The size pass runs first and finds every value that cannot be written; the
 * write pass then fills a buffer of exactly that size.
 */

/** Up to this length it is quicker to write text character by character than to call the UTF-8 encoder. */
const ASCII_WRITE_LENGTH = 48;

/** Records shorter than this are copied into the message even where parts are asked for: one more part costs more. */
const EXTERNAL_RECORDS_BYTES = 1024;

/** Bytes or a range that is sent after the first `position` bytes of the message's own. */
export interface ExternalPart {
  readonly position: number;
  readonly part: Buffer | RecordsRange;
}

/** The records of the message being encoded that do not go into its own buffer. One message is encoded at a time. */
class ExternalRecords {
  /** False while a message is encoded into one buffer. */
  enabled = false;
  /** Bytes of the message that lie in parts, as the size pass found them. */
  lengthBytes = 0;
  #parts: ExternalPart[] = [];

  /** Before each message. */
  begin(enabled: boolean): void {
    this.enabled = enabled;
    this.lengthBytes = 0;
    if (this.#parts.length > 0) this.#parts = [];
  }

  /** Puts aside a part that comes after `position` bytes of the message's own. */
  add(position: number, part: Buffer | RecordsRange): void {
    this.#parts.push({ position, part });
  }

  /** The parts, as the write pass met them; they are not kept. */
  take(): ExternalPart[] {
    const parts = this.#parts;
    if (parts.length > 0) this.#parts = [];
    return parts;
  }

  /** True if the part is not copied into the message's own buffer. */
  takes(part: Buffer | RecordsRange): boolean {
    return this.enabled && (!(part instanceof Uint8Array) || part.length >= EXTERNAL_RECORDS_BYTES);
  }
}

/** The parts of the message being encoded. */
export const external: ExternalRecords = new ExternalRecords();

/** Bytes of `text` in UTF-8. @throws ProtocolError when they are too many for a string. */
export function textSize(text: string, where: string): number {
  let size = text.length;
  if (size > ASCII_WRITE_LENGTH) size = Buffer.byteLength(text);
  else {
    for (let i = 0; i < text.length; i++) {
      if (text.charCodeAt(i) < 0x80) continue;
      size = Buffer.byteLength(text);
      break;
    }
  }
  if (size > MAX_STRING_BYTES) {
    throw new ProtocolError('length', `${where}: ${size} bytes are too many for a string`);
  }
  return size;
}

/** What `Buffer` has beside its declared methods: encoding without option parsing. */
interface WriteBuffer extends Buffer {
  utf8Write(text: string, position: number): number;
}

/** Writes `text` at `position` if it is short and ASCII; returns false, having written anything, if it is not. */
function writeAscii(buffer: Buffer, position: number, text: string): boolean {
  if (text.length > ASCII_WRITE_LENGTH) return false;
  let seen = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    seen |= code;
    buffer[position + i] = code;
  }
  return seen < 0x80;
}

/** Writes text after an int16 length; returns the position after it. */
export function writeText(buffer: Buffer, position: number, text: string): number {
  const start = position + 2;
  const size = writeAscii(buffer, start, text) ? text.length : (buffer as WriteBuffer).utf8Write(text, start);
  buffer[position] = size >> 8;
  buffer[position + 1] = size;
  return start + size;
}

/** Writes text after its length + 1 as a varint; returns the position after it. */
export function writeCompactText(buffer: Buffer, position: number, text: string): number {
  if (text.length < 127 && writeAscii(buffer, position + 1, text)) {
    buffer[position] = text.length + 1;
    return position + 1 + text.length;
  }
  const start = writeUnsignedVarint(buffer, position, Buffer.byteLength(text) + 1);
  return start + (buffer as WriteBuffer).utf8Write(text, start);
}

/** Writes bytes as they are; returns the position after them. */
export function writeBytes(buffer: Buffer, position: number, bytes: Uint8Array): number {
  buffer.set(bytes, position);
  return position + bytes.length;
}

/** Writes an int64 of the full range; returns the position after it. @throws ProtocolError */
export function writeWide(buffer: Buffer, position: number, value: bigint | number, where: string): number {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw badValue(where, value);
  const wide = BigInt(value);
  if (BigInt.asIntN(64, wide) !== wide) throw badValue(where, value);
  return buffer.writeBigInt64BE(wide, position);
}

function partLength(part: Buffer | RecordsRange): number {
  return part instanceof Uint8Array ? part.length : part.lengthBytes;
}

/**
 * Bytes of a records field without its length; counts those that stay outside. @throws ProtocolError for a
 * range where one buffer is wanted.
 */
export function recordsSize(records: RecordsInput, where: string): number {
  if (!Array.isArray(records)) return recordsPartSize(records as Buffer | RecordsRange, where);
  let size = 0;
  for (const part of records as readonly (Buffer | RecordsRange)[]) size += recordsPartSize(part, where);
  return size;
}

function recordsPartSize(part: Buffer | RecordsRange, where: string): number {
  const size = partLength(part);
  if (external.takes(part)) external.lengthBytes += size;
  else if (!(part instanceof Uint8Array)) {
    throw new ProtocolError('value', `${where}: a range cannot be written into one buffer`);
  }
  return size;
}

/** Bytes of a records field without its length, when the size pass has counted it already. */
export function recordsLength(records: RecordsInput): number {
  if (!Array.isArray(records)) return partLength(records as Buffer | RecordsRange);
  let size = 0;
  for (const part of records as readonly (Buffer | RecordsRange)[]) size += partLength(part);
  return size;
}

/** Writes the content of a records field or puts it aside; returns the position after what was written. */
export function writeRecords(buffer: Buffer, position: number, records: RecordsInput): number {
  if (!Array.isArray(records)) return writeRecordsPart(buffer, position, records as Buffer | RecordsRange);
  for (const part of records as readonly (Buffer | RecordsRange)[]) {
    position = writeRecordsPart(buffer, position, part);
  }
  return position;
}

function writeRecordsPart(buffer: Buffer, position: number, part: Buffer | RecordsRange): number {
  if (!external.takes(part)) return writeBytes(buffer, position, part as Buffer);
  external.add(position, part);
  return position;
}

/**
 * Bytes of the unknown tagged fields of a struct, without the count. `known` are the tags of this version.
 * @throws ProtocolError unless they ascend and are unknown.
 */
export function unknownTagsSize(
  fields: readonly UnknownTaggedField[],
  known: readonly number[],
  where: string,
): number {
  let size = 0;
  let last = -1;
  for (const { tag, data } of fields) {
    if (tag <= last || known.includes(tag)) {
      throw new ProtocolError('tag', `${where}: tag ${tag} is not above ${last} or not unknown`);
    }
    last = tag;
    size += unsignedVarintSize(tag) + unsignedVarintSize(data.length) + data.length;
  }
  return size;
}

/** Writes the unknown tagged fields whose tags are in `[from, to)`; returns the position after them. */
export function writeUnknownTags(
  buffer: Buffer,
  position: number,
  fields: readonly UnknownTaggedField[],
  from: number,
  to: number,
): number {
  for (const { tag, data } of fields) {
    if (tag < from || tag >= to) continue;
    position = writeUnsignedVarint(buffer, position, tag);
    position = writeUnsignedVarint(buffer, position, data.length);
    position = writeBytes(buffer, position, data);
  }
  return position;
}

/** A value that its type cannot hold. */
export function badValue(where: string, value: unknown): ProtocolError {
  return new ProtocolError('value', `${where}: cannot hold ${String(value)}`);
}

/** Null where the version has none. */
export function nullNotAllowed(where: string): ProtocolError {
  return new ProtocolError('null', `${where}: must not be null in this version`);
}

/** A value that would be lost, because the version has no such field and the schema does not allow to ignore it. */
export function cannotCarry(where: string): ProtocolError {
  return new ProtocolError('version', `${where}: is set, but this version does not have the field`);
}
