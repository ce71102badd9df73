import { AssertionFailure } from '../base/assert.ts';
import { compileDecoder, type Decoder } from './compile-decoder.ts';
import { compileEncoder, type Encoder } from './compile-encoder.ts';
import { type ExternalPart, external } from './encoding.ts';
import { layoutOf } from './layout.ts';
import { ProtocolError } from './protocol-error.ts';
import type { InputOf, MessageOf, MessageSpec, RecordsRange } from './schema.ts';
import { hasVersion, parseVersions } from './versions.ts';

/** A piece of an encoded message: bytes, or a range that is sent from where it lies. */
export type Part = Buffer | RecordsRange;

/**
 * Reads and writes one message at one version. Decoder and encoder are compiled when they are first used: a
 * server decodes requests and encodes responses and never needs the other halves.
 */
export class Codec<S extends MessageSpec> {
  readonly schema: S;
  readonly version: number;
  /** The version is flexible: compact lengths and tagged fields, and the newer of the two headers. */
  readonly flexible: boolean;
  /** Where the message decoded last ended; what follows it is the caller's business. */
  lastEnd = 0;
  /** Bytes of the message encoded last, without headroom, all parts together. */
  lastSize = 0;
  #decoder: Decoder | null = null;
  #encoder: Encoder | null = null;

  /** Not to be called; `codecOf` keeps one codec for each message and version. */
  constructor(schema: S, version: number) {
    this.schema = schema;
    this.version = version;
    this.flexible = hasVersion(schema.flexible, version);
  }

  /**
   * Decodes the message that begins at `start`, looking at nothing from `end` on. `records` fields are views of
   * `buffer`, everything else is the caller's. @throws ProtocolError
   */
  decode(buffer: Buffer, start = 0, end: number = buffer.length): MessageOf<S> {
    if (!(start >= 0 && start <= end && end <= buffer.length)) {
      throw new AssertionFailure(`there is no [${start}, ${end}) in ${buffer.length} bytes`);
    }
    this.#decoder ??= compileDecoder(layoutOf(this.schema, this.version));
    return this.#decoder(buffer, start, end, this) as MessageOf<S>;
  }

  /** Bytes that the message takes. @throws ProtocolError when this version cannot carry the value. */
  sizeOf(value: InputOf<S>): number {
    external.begin(true);
    return this.#encoding().size(value);
  }

  /**
   * Encodes into one buffer, which has `headroomBytes` of unset bytes before the message.
   * @throws ProtocolError when this version cannot carry the value, or a records field holds a range.
   */
  encode(value: InputOf<S>, headroomBytes = 0): Buffer {
    external.begin(false);
    const encoder = this.#encoding();
    const size = encoder.size(value);
    const buffer = Buffer.allocUnsafe(headroomBytes + size);
    const end = encoder.write(buffer, headroomBytes, value);
    if (end !== buffer.length) throw this.#wrongSize(end, buffer);
    this.lastSize = size;
    return buffer;
  }

  /**
   * Encodes into parts, in order; the first is a buffer that begins with `headroomBytes` of unset bytes. Ranges
   * and longer records are parts of their own, not copied and not retained. @throws ProtocolError when this
   * version cannot carry the value.
   */
  encodeParts(value: InputOf<S>, headroomBytes = 0): Part[] {
    external.begin(true);
    const encoder = this.#encoding();
    const size = encoder.size(value);
    const buffer = Buffer.allocUnsafe(headroomBytes + size - external.lengthBytes);
    const end = encoder.write(buffer, headroomBytes, value);
    if (end !== buffer.length) throw this.#wrongSize(end, buffer);
    this.lastSize = size;
    const parts = external.take();
    return parts.length === 0 ? [buffer] : interleave(buffer, parts);
  }

  #wrongSize(end: number, buffer: Buffer): AssertionFailure {
    const { name } = this.schema;
    return new AssertionFailure(
      `${name} v${this.version} took ${end} bytes, not ${buffer.length} as predicted`,
    );
  }

  #encoding(): Encoder {
    return (this.#encoder ??= compileEncoder(layoutOf(this.schema, this.version)));
  }
}

/** The message's own bytes with the parts put in where they belong. */
function interleave(buffer: Buffer, external: readonly ExternalPart[]): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const { position, part } of external) {
    if (position > from) parts.push(buffer.subarray(from, position));
    parts.push(part);
    from = position;
  }
  if (from < buffer.length) parts.push(buffer.subarray(from));
  return parts;
}

/** The codecs made so far, by schema and then by version. */
const codecs = new WeakMap<MessageSpec, (Codec<MessageSpec> | undefined)[]>();

/**
 * The codec of a message at a version; the same object every time.
 * @throws ProtocolError when the message does not have that version.
 */
export function codecOf<S extends MessageSpec>(schema: S, version: number): Codec<S> {
  let versions = codecs.get(schema);
  if (versions === undefined) codecs.set(schema, (versions = []));
  const known = versions[version];
  if (known !== undefined) return known as unknown as Codec<S>;
  const { low, high } = parseVersions(schema.versions);
  if (!Number.isInteger(version) || version < low || version > high) {
    throw new ProtocolError('version', `${schema.name} has no version ${version}`);
  }
  const codec = new Codec(schema, version);
  versions[version] = codec as unknown as Codec<MessageSpec>;
  return codec;
}
