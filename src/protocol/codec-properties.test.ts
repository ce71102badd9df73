import assert from 'node:assert/strict';
import { before, after, suite, test } from 'node:test';
import fc from 'fast-check';
import {
  allSchemas,
  allVersions,
  firstDifference,
  messageArbitrary,
  type MessageVector,
  readVectors,
} from '../../test/harness/schemas.ts';
import { codecOf } from './codec.ts';
import { ProtocolError } from './protocol-error.ts';
import type { MessageSpec } from './schema.ts';

const schemas = await allSchemas();
const vectors = readVectors<MessageVector>('messages.jsonl').filter((vector) => vector.case === 'full');

/** A message, one of its versions, and a value that this version can carry. */
const anyMessage = fc
  .constantFrom(...allVersions(schemas.values()))
  .chain(({ schema, version }) =>
    fc.tuple(fc.constant(codecOf(schema, version)), messageArbitrary(schema, version)),
  );

test('decoding what was encoded gives the value, and the predicted size is the written one', () => {
  fc.assert(
    fc.property(anyMessage, fc.nat(16), ([codec, value], headroomBytes) => {
      const size = codec.sizeOf(value);
      const bytes = codec.encode(value, headroomBytes);
      assert.equal(bytes.length, headroomBytes + size);
      const decoded = codec.decode(bytes, headroomBytes);
      assert.equal(codec.lastEnd, bytes.length);
      assert.equal(firstDifference(decoded, value), null);
      assert.deepEqual(
        codec.encode(decoded, headroomBytes).subarray(headroomBytes),
        bytes.subarray(headroomBytes),
      );
    }),
    { numRuns: 3000 },
  );
});

test('the parts of a message, one after the other, are the message', () => {
  fc.assert(
    fc.property(anyMessage, ([codec, value]) => {
      const parts = codec.encodeParts(value) as Buffer[];
      assert.deepEqual(Buffer.concat(parts), codec.encode(value));
    }),
    { numRuns: 1000 },
  );
});

/** Decodes bytes of which nothing good is expected; true if they were taken for a message. Any error but ProtocolError fails the test. */
function survives(vector: MessageVector, bytes: Buffer, end: number, where: string): boolean {
  const codec = codecOf(schemas.get(vector.name) as MessageSpec, vector.version);
  try {
    codec.decode(bytes, 0, end);
    return true;
  } catch (error) {
    assert(error instanceof ProtocolError, `${where}: ${String(error)}`);
    return false;
  }
}

suite('damaged bytes', () => {
  // A hundred thousand errors are made here, and nobody looks at where.
  const { stackTraceLimit } = Error;
  before(() => {
    Error.stackTraceLimit = 0;
  });
  after(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  test('a message that is cut short anywhere is a ProtocolError', () => {
    for (const vector of vectors) {
      const bytes = Buffer.from(vector.hex, 'hex');
      for (let end = 0; end < bytes.length; end++) {
        const where = `${vector.name} v${vector.version} cut at ${end}`;
        assert(!survives(vector, bytes, end, where), where);
      }
    }
  });

  test('a message with any bytes overwritten is a message or a ProtocolError', () => {
    const patterns = ['7fffffff', 'ffffffff0f', 'ffffffff', '80000000', 'ff', '00'].map((hex) =>
      Buffer.from(hex, 'hex'),
    );
    for (const [index, vector] of vectors.entries()) {
      const bytes = Buffer.from(vector.hex, 'hex');
      // One pattern for each message; all messages of the vectors meet all patterns several times.
      const pattern = patterns[index % patterns.length] as Buffer;
      for (let position = 0; position < bytes.length; position++) {
        const damaged = Buffer.from(bytes);
        pattern.copy(damaged, position);
        survives(vector, damaged, damaged.length, `${vector.name} v${vector.version} at ${position}`);
      }
    }
  });

  test('no length or count makes the decoder allocate more than a small multiple of the bytes it has', () => {
    const before = process.memoryUsage();
    for (const vector of vectors) {
      const bytes = Buffer.from(vector.hex, 'hex');
      for (let position = 0; position < bytes.length; position += 3) {
        const damaged = Buffer.from(bytes);
        Buffer.from('7ffffffe0f', 'hex').copy(damaged, position);
        survives(vector, damaged, damaged.length, `${vector.name} v${vector.version} at ${position}`);
      }
    }
    const now = process.memoryUsage();
    const grownBytes = now.rss - before.rss + (now.external - before.external);
    assert(grownBytes < 256 * 1024 * 1024, `grew by ${grownBytes} bytes`);
  });
});
