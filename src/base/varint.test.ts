import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readVectors } from '../../test/harness/schemas.ts';
import {
  MAX_VARINT_BYTES,
  MAX_VARLONG_BYTES,
  readUnsignedVarint,
  readVarint,
  readVarlong,
  readVarlongWide,
  unsignedVarintSize,
  varintEnd,
  varintSize,
  varlongSize,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
  writeVarlongWide,
} from './varint.ts';

const vectors = readVectors<{ varlong?: string; hex: string; unsignedVarintHex?: string }>(
  'hashes.jsonl',
).filter((vector) => vector.varlong !== undefined);

/** The bytes that `write` writes, which begin at 3 in a larger buffer. */
function written(write: (buffer: Buffer, position: number) => number): string {
  const buffer = Buffer.alloc(20);
  const end = write(buffer, 3);
  return buffer.subarray(3, end).toString('hex');
}

test('varints and varlongs are Kafka’s', () => {
  assert.equal(vectors.length, 16);
  for (const { varlong, hex, unsignedVarintHex } of vectors) {
    const wide = BigInt(varlong as string);
    const value = Number(wide);
    const bytes = Buffer.from(hex, 'hex');
    assert.equal(readVarlongWide(bytes, 0, bytes.length), wide);
    assert.equal(
      written((buffer, position) => writeVarlongWide(buffer, position, wide)),
      hex,
    );
    if (Number.isSafeInteger(value)) {
      assert.equal(readVarlong(bytes, 0, bytes.length), value);
      assert.equal(varintEnd(), bytes.length);
      assert.equal(
        written((buffer, position) => writeVarlong(buffer, position, value)),
        hex,
      );
      assert.equal(varlongSize(value), bytes.length);
    } else assert.ok(Number.isNaN(readVarlong(bytes, 0, bytes.length)));
    if (value === (value | 0)) {
      assert.equal(readVarint(bytes, 0, bytes.length), value);
      assert.equal(
        written((buffer, position) => writeVarint(buffer, position, value)),
        hex,
      );
      assert.equal(varintSize(value), bytes.length);
    }
    if (unsignedVarintHex === undefined) continue;
    const unsigned = Buffer.from(unsignedVarintHex, 'hex');
    assert.equal(readUnsignedVarint(unsigned, 0, unsigned.length), value);
    assert.equal(
      written((buffer, position) => writeUnsignedVarint(buffer, position, value)),
      unsignedVarintHex,
    );
    assert.equal(unsignedVarintSize(value), unsigned.length);
  }
});

test('what is written is read, and has the predicted size', () => {
  const buffer = Buffer.alloc(16);
  fc.assert(
    fc.property(
      fc.integer(),
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      (small, safe, wide) => {
        assert.equal(writeVarint(buffer, 1, small), 1 + varintSize(small));
        assert.equal(readVarint(buffer, 1, 16), small);
        assert.equal(varintEnd(), 1 + varintSize(small));
        assert.equal(writeUnsignedVarint(buffer, 1, small >>> 0), 1 + unsignedVarintSize(small >>> 0));
        assert.equal(readUnsignedVarint(buffer, 1, 16), small >>> 0);
        assert.equal(writeVarlong(buffer, 1, safe), 1 + varlongSize(safe));
        assert.equal(readVarlong(buffer, 1, 16), safe);
        assert.equal(readVarlongWide(buffer, 1, 16), BigInt(safe));
        const end = writeVarlongWide(buffer, 1, wide);
        assert.equal(readVarlongWide(buffer, 1, end), wide);
        assert.equal(varintEnd(), end);
      },
    ),
    { numRuns: 2000 },
  );
});

test('the largest and smallest safe integers are read, one more is not a number', () => {
  for (const value of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    const hex = written((buffer, position) => writeVarlongWide(buffer, position, BigInt(value)));
    assert.equal(
      written((buffer, position) => writeVarlong(buffer, position, value)),
      hex,
    );
    assert.equal(readVarlong(Buffer.from(hex, 'hex'), 0, hex.length / 2), value);
  }
  for (const value of [2n ** 53n, -(2n ** 53n) - 1n, 2n ** 60n]) {
    const hex = written((buffer, position) => writeVarlongWide(buffer, position, value));
    assert.ok(Number.isNaN(readVarlong(Buffer.from(hex, 'hex'), 0, hex.length / 2)));
  }
});

test('a number that is cut short or has too many bytes is not read', () => {
  const cut = Buffer.from('808080', 'hex');
  const endless = Buffer.alloc(20, 0x80);
  for (const bytes of [cut, endless]) {
    assert.ok(Number.isNaN(readUnsignedVarint(bytes, 0, bytes.length)));
    assert.ok(Number.isNaN(readVarint(bytes, 0, bytes.length)));
    assert.ok(Number.isNaN(readVarlong(bytes, 0, bytes.length)));
    assert.equal(readVarlongWide(bytes, 0, bytes.length), null);
  }
  assert.ok(Number.isNaN(readUnsignedVarint(Buffer.from('01', 'hex'), 0, 0)));
  assert.equal(MAX_VARINT_BYTES, 5);
  assert.equal(MAX_VARLONG_BYTES, 10);
});
