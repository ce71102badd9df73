import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../../../base/random.ts';
import { crc32c as portableCrc } from '../portable/crc32c.ts';
import { RecordWalker } from '../portable/record-walk.ts';
import { AddonCompute } from './compute.ts';
import { addonOrSkip } from './network-fixture.ts';

const { binding, skip } = addonOrSkip();

/** From RFC 3720, B.4, and the check value of the catalogue of CRCs. */
const VECTORS: readonly [Buffer, number][] = [
  [Buffer.from('123456789'), 0xe3069283],
  [Buffer.alloc(32), 0x8a9136aa],
  [Buffer.alloc(32, 0xff), 0x62a8ab43],
  [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  [Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
  [Buffer.alloc(0), 0],
];

test('checksums are those of the standard, by the instruction and by tables', { skip }, () => {
  assert.ok(binding);
  const compute = new AddonCompute(binding);
  for (const [bytes, crc] of VECTORS) {
    assert.equal(compute.crc32c(bytes, 0, bytes.length), crc);
    assert.equal(binding.crc32c(bytes, 0, bytes.length, 0), crc);
    assert.equal(binding.crc32cByTables(bytes, 0, bytes.length, 0), crc);
  }
});

test('checksums of all lengths and places are equal to the portable ones', { skip }, () => {
  assert.ok(binding);
  const bytes = new Random(3).bytes(70_000);
  const ends = [
    ...Array.from({ length: 900 }, (_, i) => i),
    767,
    768,
    769,
    12_287,
    12_288,
    12_289,
    24_577,
    69_990,
  ];
  for (const length of ends) {
    for (const start of [0, 1, 7]) {
      const expected = portableCrc(bytes, start, start + length, 0xabcd1234);
      assert.equal(binding.crc32c(bytes, start, start + length, 0xabcd1234), expected, `${start}+${length}`);
      assert.equal(
        binding.crc32cByTables(bytes, start, start + length, 0xabcd1234),
        expected,
        `${start}+${length}`,
      );
    }
  }
});

test('a checksum goes on from a seed', { skip }, () => {
  assert.ok(binding);
  const compute = new AddonCompute(binding);
  const bytes = new Random(4).bytes(50_000);
  const whole = compute.crc32c(bytes, 0, bytes.length);
  for (const split of [0, 1, 40, 13_000, 49_999, 50_000]) {
    const first = compute.crc32c(bytes, 0, split);
    assert.equal(compute.crc32c(bytes, split, bytes.length, first), whole, `split at ${split}`);
  }
});

test('ranges outside the buffer are refused, not read', { skip }, () => {
  assert.ok(binding);
  const bytes = Buffer.alloc(100);
  const fields = new Float64Array(7);
  for (const [start, end] of [
    [0, 101],
    [-1, 50],
    [60, 50],
    [2 ** 40, 2 ** 40 + 1],
  ] as const) {
    assert.throws(() => binding.crc32c(bytes, start, end, 0), TypeError);
    assert.throws(() => binding.walkRecords(bytes, start, end, 1, fields, 0), TypeError);
  }
  assert.throws(() => binding.walkRecords(bytes, 0, 50, 1, new Float64Array(3), 0), TypeError);
  assert.throws(() => binding.crc32c('text' as unknown as Buffer, 0, 1, 0), TypeError);
});

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  while (left > 127n) {
    bytes.push(Number(left & 127n) | 128);
    left >>= 7n;
  }
  bytes.push(Number(left));
  return bytes;
}

const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 40 }), { freq: 5 });
const record = fc.record({
  timestamp: fc.oneof(
    fc.bigInt(-1000n, 1000n),
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    fc.bigInt(-(2n ** 54n), 2n ** 54n),
  ),
  offset: fc.oneof(fc.constant(null), fc.bigInt(-(2n ** 31n), 2n ** 31n - 1n)),
  key: bytesOrNull,
  value: bytesOrNull,
  headers: fc.array(fc.tuple(fc.uint8Array({ maxLength: 5 }), bytesOrNull), { maxLength: 3 }),
});

function encode(
  records: readonly {
    timestamp: bigint;
    offset: bigint | null;
    key: Uint8Array | null;
    value: Uint8Array | null;
    headers: [Uint8Array, Uint8Array | null][];
  }[],
): Buffer {
  const field = (bytes: Uint8Array | null): number[] =>
    bytes === null ? varint(-1n) : [...varint(BigInt(bytes.length)), ...bytes];
  const out: number[] = [];
  records.forEach(({ timestamp, offset, key, value, headers }, i) => {
    const body = [0, ...varint(timestamp), ...varint(offset ?? BigInt(i)), ...field(key), ...field(value)];
    body.push(
      ...varint(BigInt(headers.length)),
      ...headers.flatMap(([name, data]) => [...field(name), ...field(data)]),
    );
    out.push(...varint(BigInt(body.length)), ...body);
  });
  return Buffer.from(out);
}

/** Both walks; they must agree, but for timestamps that no number holds. */
function walkBoth(bytes: Buffer, start: number, end: number, count: number): string {
  assert.ok(binding);
  const expected = { ...new RecordWalker().walk(bytes, start, end, count) };
  // The native walk is called itself: the compute does small ranges in JavaScript.
  const fields = new Float64Array(7);
  binding.walkRecords(bytes, start, end, count, fields, 0);
  const status = ['ok', 'corrupt', 'overflow'][fields[0] as number] as typeof expected.status;
  assert.equal(status, expected.status);
  if (status === 'overflow') return status;
  const safe =
    Number.isSafeInteger(expected.maxTimestampDelta) && Number.isSafeInteger(expected.minTimestampDelta);
  assert.deepEqual(
    [fields[1], fields[5] === 1, fields[6]],
    [expected.count, expected.sequentialOffsets, expected.firstNullKeyIndex],
  );
  if (safe) {
    assert.deepEqual(
      [fields[2], fields[3], fields[4]],
      [expected.maxTimestampDelta, expected.offsetDeltaOfMaxTimestamp, expected.minTimestampDelta],
    );
  }
  return status;
}

test('records that are well formed are walked as the portable walk does', { skip }, () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), (records) => {
      const bytes = encode(records);
      seen.add(walkBoth(bytes, 0, bytes.length, records.length));
    }),
    { numRuns: 400 },
  );
  assert.deepEqual([...seen].sort(), ['ok', 'overflow']);
});

test('damaged records are judged as the portable walk does, and never read beyond their end', {
  skip,
}, () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 });
  let corrupt = 0;
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 5 }),
      damage,
      fc.nat(),
      fc.integer({ min: -1, max: 2 }),
      (records, changes, cut, more) => {
        const bytes = encode(records);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const end = bytes.length - (changes.length === 0 ? cut % bytes.length : 0);
        if (walkBoth(bytes, 0, end, records.length + more) === 'corrupt') corrupt++;
      },
    ),
    { numRuns: 2000 },
  );
  assert.ok(corrupt > 500, `${corrupt} were corrupt`);
});

test('random bytes are judged as the portable walk does', { skip }, () => {
  const random = new Random(11);
  for (let i = 0; i < 3000; i++) {
    const bytes = random.bytes(random.between(0, 60));
    for (let at = 0; at < bytes.length; at++) if (random.chance(0.6)) bytes[at] = random.below(30);
    walkBoth(bytes, random.below(bytes.length + 1), bytes.length, random.below(4));
  }
});

test('a batch above the size for JavaScript is walked natively with the same result', { skip }, () => {
  assert.ok(binding);
  const compute = new AddonCompute(binding);
  const records = Array.from({ length: 100 }, (_, i) => ({
    timestamp: BigInt((i * 37) % 50),
    offset: null,
    key: i === 60 ? null : Buffer.from(`key ${i}`),
    value: Buffer.alloc(20, i),
    headers: [] as [Uint8Array, Uint8Array | null][],
  }));
  const bytes = encode(records);
  const expected = { ...new RecordWalker().walk(bytes, 0, bytes.length, 100) };
  assert.deepEqual({ ...compute.walkRecords(bytes, 0, bytes.length, 100) }, expected);
  assert.equal(expected.firstNullKeyIndex, 60);
  assert.equal(expected.status, 'ok');
});
