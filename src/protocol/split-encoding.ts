import { unsignedVarintSize, writeUnsignedVarint } from '../base/varint.ts';
import { type Codec, codecOf } from './codec.ts';
import type { FieldSpec, MessageSpec, StructSpec } from './schema.ts';

/** A message, or a struct of one with the message's versions. */
export type SplitSpec = Pick<MessageSpec, 'name' | 'versions' | 'flexible' | 'fields'>;

/**
 * Encodes a message, or a struct within one, in pieces around one of its arrays, so that what is too large for one go can be encoded in several. The pieces, one after the other, are the
 * bytes that the codec gives for the whole; they have no header and no records.
 */
export class SplitEncoding {
  readonly #array: string;
  readonly #before: MessageSpec;
  readonly #middle: MessageSpec;
  readonly #after: MessageSpec;

  /** @param array name of the field that is split; not null and not tagged in any version */
  constructor(spec: SplitSpec, array: string) {
    const fields = Object.entries(spec.fields());
    const at = fields.findIndex(([name]) => name === array);
    if (at < 0) throw new Error(`${spec.name} has no field ${array}`);
    this.#array = array;
    this.#before = part(spec, fields.slice(0, at));
    this.#middle = part(spec, fields.slice(at, at + 1));
    this.#after = part(spec, fields.slice(at + 1));
  }

  /** Everything before the elements; there are `count`. @throws ProtocolError when this version cannot carry the value. */
  head(version: number, value: object, count: number): Buffer {
    const codec = codecOf(this.#before, version);
    const fields = withoutTags(codec, codec.encode(value as never));
    const length = Buffer.allocUnsafe(lengthBytes(codec, count));
    if (codec.flexible) writeUnsignedVarint(length, 0, count + 1);
    else length.writeInt32BE(count);
    return Buffer.concat([fields, length]);
  }

  /** Some of the elements. @throws ProtocolError when this version cannot carry them. */
  elements(version: number, elements: readonly object[]): Buffer {
    const codec = codecOf(this.#middle, version);
    const bytes = withoutTags(codec, codec.encode({ [this.#array]: elements } as never));
    return bytes.subarray(lengthBytes(codec, elements.length));
  }

  /** Everything after the elements. @throws ProtocolError when this version cannot carry the value. */
  tail(version: number, value: object): Buffer {
    return codecOf(this.#after, version).encode(value as never);
  }
}

/** The struct that an array of `spec` holds, to be split in its turn. */
export function elementSpec(spec: SplitSpec, array: string): SplitSpec {
  const field = spec.fields()[array];
  if (field?.type !== 'array') throw new Error(`${spec.name} has no array ${array}`);
  const { name, fields } = field.element as StructSpec;
  return { name, versions: spec.versions, flexible: spec.flexible, fields: () => fields };
}

function part(spec: SplitSpec, fields: readonly (readonly [string, FieldSpec])[]): MessageSpec {
  const picked = Object.fromEntries(fields);
  const { name, versions, flexible } = spec;
  return { name, versions, flexible, kind: 'data', fields: () => picked };
}

/** A flexible version ends with the number of its tagged fields, which is 0 for a part. */
function withoutTags(codec: Codec<MessageSpec>, bytes: Buffer): Buffer {
  return codec.flexible ? bytes.subarray(0, -1) : bytes;
}

function lengthBytes(codec: Codec<MessageSpec>, count: number): number {
  return codec.flexible ? unsignedVarintSize(count + 1) : 4;
}
