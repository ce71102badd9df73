import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readVectors } from '../../test/harness/schemas.ts';
import { Random } from './random.ts';
import { isValidUuid, METADATA_TOPIC_ID, randomUuid, uuidFromBytes, writeUuid, ZERO_UUID } from './uuid.ts';

const vectors = readVectors<{ uuidHex?: string; uuidText?: string }>('hashes.jsonl').filter(
  (vector): vector is { uuidHex: string; uuidText: string } => vector.uuidHex !== undefined,
);

test('the text of a uuid is Kafka’s', () => {
  assert.equal(vectors.length, 3);
  for (const { uuidHex, uuidText } of vectors) {
    assert.equal(uuidFromBytes(Buffer.from(uuidHex, 'hex'), 0), uuidText);
    const bytes = Buffer.alloc(20);
    assert.equal(writeUuid(bytes, 2, uuidText), 18);
    assert.equal(bytes.toString('hex'), `0000${uuidHex}0000`);
  }
  assert.equal(uuidFromBytes(Buffer.alloc(16), 0), ZERO_UUID);
  assert.equal(uuidFromBytes(Buffer.from('01'.padStart(32, '0'), 'hex'), 0), METADATA_TOPIC_ID);
});

test('any 16 bytes survive as text, seen before or not', () => {
  const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(sixteen, fc.nat(3), (bytes, offset) => {
      const buffer = Buffer.concat([Buffer.alloc(offset), bytes]);
      const text = uuidFromBytes(buffer, offset);
      assert.equal(text, Buffer.from(bytes).toString('base64url'));
      assert.equal(uuidFromBytes(buffer, offset), text);
      assert.ok(isValidUuid(text));
      const copy = Buffer.alloc(16);
      writeUuid(copy, 0, text);
      assert.deepEqual(copy, Buffer.from(bytes));
    }),
    { numRuns: 2000 },
  );
});

test('what is no uuid is told and not written', () => {
  const bad = [
    '',
    'A',
    `${ZERO_UUID}A`,
    ZERO_UUID.slice(1),
    'AAAAAAAAAAAAAAAAAAAAAB',
    '+AAAAAAAAAAAAAAAAAAAAA',
  ];
  bad.push('éAAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAA=', 'AAAAAAAAAAAAAAAAAAAA A');
  for (const text of bad) {
    assert.equal(isValidUuid(text), false, text);
    assert.throws(() => writeUuid(Buffer.alloc(16), 0, text), /not a uuid/);
  }
});

test('random uuids are of version 4, never begin with a dash, and come from the seed', () => {
  const texts = Array.from({ length: 1000 }, (_, seed) => randomUuid(new Random(seed)));
  assert.equal(new Set(texts).size, 1000);
  for (const text of texts) {
    assert.ok(isValidUuid(text) && !text.startsWith('-'));
    assert.equal(Buffer.from(text, 'base64url').readUInt8(6) >> 4, 4);
  }
  assert.equal(randomUuid(new Random(7)), texts[7]);
});
