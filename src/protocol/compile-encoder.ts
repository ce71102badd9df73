import { ZERO_UUID, writeUuid } from '../base/uuid.ts';
import { unsignedVarintSize, writeUnsignedVarint } from '../base/varint.ts';
import { sizerSource } from './compile-sizer.ts';
import { writerSource } from './compile-writer.ts';
import { EMPTY_BYTES } from './decoding.ts';
import { differs } from './default-test.ts';
import * as encoding from './encoding.ts';
import { evaluate } from './generated-code.ts';
import type { MessageLayout, StructLayout } from './layout.ts';
import { PathTable } from './path-table.ts';

/** The two passes of an encoder. */
export interface Encoder {
  /**
   * Bytes that `write` will fill, and those that `encoding.external` holds. @throws ProtocolError if the value
   * cannot be written.
   */
  size(value: object): number;
  /** Writes at `position` into a buffer that is large enough; returns the position after the message. */
  write(buffer: Buffer, position: number, value: object): number;
}

/**
 * Makes the encoder of a message at one version. The generated source has up to three functions per struct:
 * `size0(o)`, `write0(b, p, o)` and, where it is asked whether a struct has only defaults, `plain0(o)`.
 */
export function compileEncoder(layout: MessageLayout): Encoder {
  const paths = new PathTable(layout);
  const functions = layout.structs.flatMap((struct) => [
    plainSource(struct),
    sizerSource(struct, paths),
    writerSource(struct, paths),
  ]);
  const { id } = layout.root;
  const source = `${functions.join('\n')}
return { size: size${id}, write: write${id} };`;
  const bindings = {
    ZERO: ZERO_UUID,
    EMPTY: EMPTY_BYTES,
    writeUuid,
    varintSize: unsignedVarintSize,
    writeVarint: writeUnsignedVarint,
    ...encoding,
    W: paths.texts,
  };
  return evaluate(bindings, source) as Encoder;
}

/** `plain0(o)`: true if the struct says nothing that its defaults do not say. */
function plainSource(struct: StructLayout): string {
  const tests = struct.fields.map((field) => `!(${differs(`o.${field.name}`, field)})`);
  tests.push('(o.unknownTaggedFields === undefined || o.unknownTaggedFields.length === 0)');
  return `function plain${struct.id}(o) { return ${tests.join(' && ')}; }`;
}
