import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { ComputeWorld } from './compute-calls.ts';

interface SomeRecord {
  readonly timestampDelta: bigint;
  readonly offsetDelta: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly { readonly key: Buffer; readonly value: Buffer | null }[];
}

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const record: fc.Arbitrary<SomeRecord> = fc.record({
  timestampDelta: fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n }),
  offsetDelta: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.record({ key: bytes, value: fc.option(bytes) }), { maxLength: 3 }),
});

/** What every record walk finds. */
export function recordWalkSuite(name: string, makeWorld: () => ComputeWorld): void {
  validSuite(name, makeWorld);
  malformedSuite(name, makeWorld);
}

function validSuite(name: string, makeWorld: () => ComputeWorld): void {
  test(`${name} compute: the walk finds count, timestamps, offsets and null keys of any records`, () => {
    const { compute } = makeWorld();
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 6 }),
        fc.boolean(),
        fc.nat(9),
        (records, sequential, offset) => {
          const all = records.map((one, i) => (sequential ? { ...one, offsetDelta: i } : one));
          const encoded = Buffer.concat(all.map(encodeRecord));
          const buffer = Buffer.concat([Buffer.alloc(offset, 0xff), encoded, Buffer.alloc(3, 0xff)]);
          const walk = compute.walkRecords(buffer, offset, offset + encoded.length, all.length);
          const deltas = all.map((one) => Number(one.timestampDelta));
          const max = deltas.length === 0 ? 0 : Math.max(...deltas);
          assert.deepEqual(
            { ...walk },
            {
              status: 'ok',
              count: all.length,
              maxTimestampDelta: max,
              offsetDeltaOfMaxTimestamp: all[deltas.indexOf(max)]?.offsetDelta ?? -1,
              minTimestampDelta: deltas.length === 0 ? 0 : Math.min(...deltas),
              sequentialOffsets: all.every((one, i) => one.offsetDelta === i),
              hasNullKey: all.some((one) => one.key === null),
              firstNullKeyIndex: all.findIndex((one) => one.key === null),
            },
          );
        },
      ),
    );
  });
}

function malformedSuite(name: string, makeWorld: () => ComputeWorld): void {
  test(`${name} compute: any other count, and any cut, is corrupt`, () => {
    const { compute } = makeWorld();
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 4 }), fc.nat(), (records, at) => {
        const encoded = Buffer.concat(records.map(encodeRecord));
        const status = (end: number, count: number): string =>
          compute.walkRecords(encoded, 0, end, count).status;
        assert.equal(status(encoded.length, records.length + 1), 'corrupt');
        assert.equal(status(encoded.length, records.length - 1), 'corrupt');
        assert.equal(status(at % encoded.length, records.length), 'corrupt');
      }),
    );
  });

  test(`${name} compute: bytes that are no records never make the walk throw or read on`, () => {
    const { compute } = makeWorld();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(5), (array, count) => {
        const { status } = compute.walkRecords(Buffer.from(array), 0, array.length, count);
        assert.ok(status !== 'ok' || (count === 0) === (array.length === 0));
      }),
    );
  });

  test(`${name} compute: timestamp deltas past 2^53 are an overflow, not a rounded value`, () => {
    const { compute } = makeWorld();
    for (const timestampDelta of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
      const one = encodeRecord({ timestampDelta, offsetDelta: 0, key: null, value: null, headers: [] });
      assert.equal(compute.walkRecords(one, 0, one.length, 1).status, 'overflow');
    }
  });

  test(`${name} compute: overlong varints, negative header counts and null header keys are corrupt`, () => {
    const { compute } = makeWorld();
    const status = (hex: string): string => {
      const bytesOfOne = Buffer.from(hex.replaceAll(' ', ''), 'hex');
      return compute.walkRecords(bytesOfOne, 0, bytesOfOne.length, 1).status;
    };
    // length 6: attributes, timestamp, offset, key null, value null, no headers
    assert.equal(status('0c 00 00 00 01 01 00'), 'ok');
    assert.equal(status('0c 00 00 00 01 01 01'), 'corrupt');
    assert.equal(status('10 00 00 00 01 01 02 01 01'), 'corrupt');
    assert.equal(status('10 00 00 00 01 01 02 00 01'), 'ok');
    assert.equal(status('16 00 00 8080808080 00 01 01 00'), 'corrupt');
    assert.equal(status('0e 00 00 00 01 01 00 00'), 'corrupt');
    assert.equal(status('00'), 'corrupt');
    assert.equal(status('01'), 'corrupt');
  });
}

function encodeRecord(record: SomeRecord): Buffer {
  const body = Buffer.concat([
    Buffer.alloc(1),
    varint(record.timestampDelta),
    varint(BigInt(record.offsetDelta)),
    sized(record.key),
    sized(record.value),
    varint(BigInt(record.headers.length)),
    ...record.headers.flatMap((header) => [sized(header.key), sized(header.value)]),
  ]);
  return Buffer.concat([varint(BigInt(body.length)), body]);
}

function sized(bytes: Buffer | null): Buffer {
  return bytes === null ? varint(-1n) : Buffer.concat([varint(BigInt(bytes.length)), bytes]);
}

/** Zigzag, then seven bits a byte, low ones first. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value < 0n ? -2n * value - 1n : 2n * value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}
