import { readUnsignedVarint } from '../base/varint.ts';
import { ProtocolError } from './protocol-error.ts';

/**
 * What generated decoders call. The errors are made here and thrown there, so that the generated code stays
 * small; `where` names message, version and field.
 */

/** The longest string in bytes, in every encoding. */
export const MAX_STRING_BYTES = 32767;

/**
 * Most array elements that are objects of their own (structs, strings, bytes) and unknown tagged fields in one
 * message. A struct can take a few bytes on the wire and a hundred times that in memory; this bounds what a
 * message of the largest frame size can grow to.
 */
export const MAX_OBJECTS = 4_000_000;

/** Up to this many bytes it is quicker to look whether text is ASCII than to let the UTF-8 decoder run. */
const ASCII_SCAN_BYTES = 48;

/** Bytes of length 0, shared by all who need some. */
export const EMPTY_BYTES: Buffer = Buffer.alloc(0);

/** What `Buffer` has beside its declared methods: decoding without option parsing. */
interface SliceBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

/** The UTF-8 text at `[start, end)`; bytes that are not UTF-8 become U+FFFD, as in Kafka. */
export function readText(buffer: Buffer, start: number, end: number): string {
  if (end - start <= ASCII_SCAN_BYTES) {
    let seen = 0;
    for (let i = start; i < end; i++) seen |= buffer[i] as number;
    if (seen < 0x80) return (buffer as SliceBuffer).latin1Slice(start, end);
  }
  return (buffer as SliceBuffer).utf8Slice(start, end);
}

/** An unsigned varint at `position`; `varintEnd()` is the position after it. @throws ProtocolError */
export function readLength(buffer: Buffer, position: number, end: number, where: string): number {
  const value = readUnsignedVarint(buffer, position, end);
  if (Number.isNaN(value)) {
    throw end - position < 5 ? truncated(where) : new ProtocolError('varint', `${where}: varint too long`);
  }
  return value;
}

/** A copy of `[start, end)` with memory of its own, so that a few bytes kept for long do not keep more alive. */
export function copyBytes(buffer: Buffer, start: number, end: number): Buffer {
  if (start === end) return EMPTY_BYTES;
  const copy = Buffer.allocUnsafeSlow(end - start);
  buffer.copy(copy, 0, start, end);
  return copy;
}

/** The bytes end within the field. */
export function truncated(where: string): ProtocolError {
  return new ProtocolError('truncated', `${where}: the bytes end here`);
}

/** A length or count of what cannot follow. */
export function badLength(where: string, length: number): ProtocolError {
  return new ProtocolError(
    'length',
    `${where}: length ${length} is over its limit or more than the bytes left`,
  );
}

/** More objects than a message may be made of. */
export function tooMany(where: string): ProtocolError {
  return new ProtocolError('length', `${where}: more than ${MAX_OBJECTS} elements`);
}

/** Null where there must be a value. */
export function unexpectedNull(where: string): ProtocolError {
  return new ProtocolError('null', `${where}: must not be null`);
}

/** An int64 that is no safe integer. */
export function tooWide(where: string, buffer: Buffer, position: number): ProtocolError {
  return new ProtocolError('int64', `${where}: ${buffer.readBigInt64BE(position)} is past 2^53`);
}

/** A tagged field whose content is shorter or longer than its size. */
export function badTagSize(where: string, tag: number): ProtocolError {
  return new ProtocolError('tag', `${where}: tagged field ${tag} does not end where its size says`);
}
