// The bytes that Kafka's own classes wrote for every message and record at every version.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allSchemas,
  allVersions,
  firstDifference,
  type MessageVector,
  readVectors,
  valueOfJson,
} from '../../test/harness/schemas.ts';
import { type Codec, codecOf } from './codec.ts';
import type { MessageSpec } from './schema.ts';

const schemas = await allSchemas();
const vectors = readVectors<MessageVector>('messages.jsonl');

function codecFor(vector: MessageVector): Codec<MessageSpec> {
  const schema = schemas.get(vector.name);
  assert(schema !== undefined, `no schema ${vector.name}`);
  return codecOf(schema, vector.version);
}

function valueOf(vector: MessageVector): Record<string, unknown> {
  return valueOfJson((schemas.get(vector.name) as MessageSpec).fields(), vector.json);
}

test('the vectors cover every version of every schema', () => {
  assert.equal(vectors.length, 1842);
  const covered = new Set(vectors.map(({ name, version }) => `${name} v${version}`));
  const versions = allVersions(schemas.values()).map(({ schema, version }) => `${schema.name} v${version}`);
  assert.deepEqual([...covered].sort(), versions.sort());
});

test('every vector is encoded to its bytes, which are as many as were predicted', () => {
  for (const vector of vectors) {
    const codec = codecFor(vector);
    const value = valueOf(vector);
    const where = `${vector.name} v${vector.version} ${vector.case}`;
    assert.equal(codec.encode(value).toString('hex'), vector.hex, where);
    assert.equal(codec.sizeOf(value), vector.hex.length / 2, where);
    const parts = codec.encodeParts(value, 3) as Buffer[];
    assert.equal(Buffer.concat(parts).subarray(3).toString('hex'), vector.hex, where);
    assert.equal(codec.lastSize, vector.hex.length / 2, where);
  }
});

test('every vector is decoded to its value, and encoded again to its bytes', () => {
  for (const vector of vectors) {
    const codec = codecFor(vector);
    const where = `${vector.name} v${vector.version} ${vector.case}`;
    const bytes = Buffer.from(vector.hex, 'hex');
    const padded = Buffer.concat([Buffer.alloc(5, 0xff), bytes, Buffer.alloc(5, 0xff)]);
    const decoded = codec.decode(padded, 5, 5 + bytes.length);
    assert.equal(codec.lastEnd, 5 + bytes.length, where);
    assert.equal(firstDifference(decoded, valueOf(vector), where), null);
    assert.equal(codec.encode(decoded).toString('hex'), vector.hex, where);
  }
});

test('a decoded message has every field of every version', () => {
  for (const vector of vectors) {
    const codec = codecFor(vector);
    const decoded = codec.decode(Buffer.from(vector.hex, 'hex'));
    assert.deepEqual(Object.keys(decoded), Object.keys(codec.schema.fields()), vector.name);
  }
});
