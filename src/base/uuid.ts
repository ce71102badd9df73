import { AssertionFailure } from './assert.ts';
import type { Random } from './random.ts';

/**
 * Kafka's uuids (topic ids, directory ids, incarnation ids): 16 bytes on the wire, and in the program their
 * text form, URL-safe base64 without padding, 22 characters. Source: `common/Uuid.java`.
 */

/** A uuid in Kafka's text form. */
export type Uuid = string;

/** The unset uuid: 16 zero bytes. */
export const ZERO_UUID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA';
/** The topic id of `__cluster_metadata`. */
export const METADATA_TOPIC_ID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAQ';

/** Bytes of a uuid on the wire. */
export const UUID_BYTES = 16;
const TEXT_LENGTH = 22;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** Value of a character of the alphabet, 0xff for all others; index is the char code below 128. */
const DIGITS = new Uint8Array(128).fill(0xff);
for (let i = 0; i < 64; i++) DIGITS[ALPHABET.charCodeAt(i)] = i;

/**
 * The texts of uuids seen lately, direct-mapped by their bits: the same few topic ids come with every request,
 * and a hit saves both the conversion and the string.
 */
const CACHE_SLOTS = 1024;
const cacheWords = new Int32Array(CACHE_SLOTS * 4);
const cacheTexts: Uuid[] = Array.from({ length: CACHE_SLOTS }, () => ZERO_UUID);

/** The text form of the 16 bytes at `position`; the caller has checked that they are there. */
export function uuidFromBytes(buffer: Buffer, position: number): Uuid {
  const a = word(buffer, position);
  const b = word(buffer, position + 4);
  const c = word(buffer, position + 8);
  const d = word(buffer, position + 12);
  if ((a | b | c | d) === 0) return ZERO_UUID;
  const slot = slotOf(a, b, c, d);
  const at = slot * 4;
  if (
    cacheWords[at] === a &&
    cacheWords[at + 1] === b &&
    cacheWords[at + 2] === c &&
    cacheWords[at + 3] === d
  ) {
    return cacheTexts[slot] as Uuid;
  }
  const text = buffer.toString('base64url', position, position + UUID_BYTES);
  cacheWords[at] = a;
  cacheWords[at + 1] = b;
  cacheWords[at + 2] = c;
  cacheWords[at + 3] = d;
  cacheTexts[slot] = text;
  return text;
}

function word(buffer: Buffer, position: number): number {
  return (
    ((buffer[position] as number) << 24) |
    ((buffer[position + 1] as number) << 16) |
    ((buffer[position + 2] as number) << 8) |
    (buffer[position + 3] as number)
  );
}

function slotOf(a: number, b: number, c: number, d: number): number {
  const mixed = Math.imul(a ^ Math.imul(b, 31) ^ Math.imul(c, 961) ^ Math.imul(d, 29791), 0x9e3779b1);
  return mixed >>> 22;
}

/**
 * Writes the 16 bytes of `text` at `position`; returns the position after them.
 * @throws AssertionFailure when `text` is not a uuid: texts from users go through `isValidUuid` first.
 */
export function writeUuid(buffer: Buffer, position: number, text: Uuid): number {
  if (text.length !== TEXT_LENGTH) throw notUuid(text);
  let bits = 0;
  let bad = 0;
  for (let i = 0; i < 20; i += 4) {
    const w = digit(text, i);
    const x = digit(text, i + 1);
    const y = digit(text, i + 2);
    const z = digit(text, i + 3);
    bad |= w | x | y | z;
    bits = (w << 18) | (x << 12) | (y << 6) | z;
    buffer[position++] = bits >>> 16;
    buffer[position++] = bits >>> 8;
    buffer[position++] = bits;
  }
  const y = digit(text, 20);
  const z = digit(text, 21);
  bad |= y | z;
  if (bad > 63 || (z & 0x0f) !== 0) throw notUuid(text);
  buffer[position++] = (y << 2) | (z >>> 4);
  return position;
}

function notUuid(text: string): AssertionFailure {
  return new AssertionFailure(`not a uuid: ${JSON.stringify(text)}`);
}

function digit(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code < 128 ? (DIGITS[code] as number) : 0xff;
}

/** True if `text` is a uuid in Kafka's text form: 22 characters of the alphabet, the last with no stray bits. */
export function isValidUuid(text: string): boolean {
  if (text.length !== TEXT_LENGTH) return false;
  for (let i = 0; i < TEXT_LENGTH; i++) if (digit(text, i) > 63) return false;
  return (digit(text, TEXT_LENGTH - 1) & 0x0f) === 0;
}

/**
 * A random (version 4) uuid as Kafka makes them: its text never starts with `-`, which would read as an option
 * on a command line. The reserved values (high half zero) cannot come out, because the version bits lie in that
 * half.
 */
export function randomUuid(random: Random): Uuid {
  for (;;) {
    const bytes = random.bytes(UUID_BYTES);
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    const text = bytes.toString('base64url');
    if (!text.startsWith('-')) return text;
  }
}
