import assert from 'node:assert/strict';
import test from 'node:test';
import type { CompressionCodec } from '../../src/io/compute.ts';
import { compressed, type ComputeWorld, decompressed, mixture } from './compute-calls.ts';

/** What every `Compute` does with levels, and with input that was made to hurt. */
export function hostileSuite(name: string, makeWorld: () => ComputeWorld): void {
  levelSuite(name, makeWorld);
  bombSuite(name, makeWorld);
  framingSuite(name, makeWorld);
}

/** All levels that Kafka lets be configured, or samples where there are too many (formats §8). */
const LEVELS: readonly (readonly [CompressionCodec, string, readonly number[]])[] = [
  [1, 'gzip', [-1, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [3, 'lz4', Array.from({ length: 17 }, (_, i) => i + 1)],
  [4, 'zstd', [-131_072, -50_000, -7, -1, 0, 1, 3, 11, 19, 22]],
];

function levelSuite(name: string, makeWorld: () => ComputeWorld): void {
  for (const [codec, codecName, levels] of LEVELS) {
    test(`${name} compute: every level of ${codecName} gives what comes back`, async () => {
      const world = makeWorld();
      for (const level of levels) {
        for (const input of [
          Buffer.alloc(0),
          Buffer.from('x'),
          mixture(40),
          sentences(13_000),
          mixture(150_000),
        ]) {
          const packed = await compressed(world, codec, input, level);
          const output = await decompressed(world, codec, packed, input.length);
          assert.ok(Buffer.isBuffer(output), `level ${level}: ${String(output)}`);
          assert.ok(output.equals(input), `level ${level}`);
        }
      }
    });
  }

  test(`${name} compute: higher levels are denser`, async () => {
    const world = makeWorld();
    const input = sentences(120_000);
    const size = async (codec: CompressionCodec, level: number): Promise<number> =>
      (await compressed(world, codec, input, level)).length;
    assert.ok((await size(1, 9)) < (await size(1, 1)));
    assert.ok((await size(3, 12)) < (await size(3, 3)));
    assert.ok((await size(3, 3)) < (await size(3, 9)), 'the default, 9, is the fast one, as in Kafka');
    assert.ok((await size(4, 19)) < (await size(4, 1)));
  });
}

function bombSuite(name: string, makeWorld: () => ComputeWorld): void {
  const refusedAs = async (
    codec: CompressionCodec,
    input: Buffer,
    maxOutputBytes: number,
  ): Promise<string> => {
    const result = await decompressed(makeWorld(), codec, input, maxOutputBytes);
    return Buffer.isBuffer(result) ? `${result.length} bytes` : result.reason;
  };

  test(`${name} compute: very many blocks without content cost no object each`, async () => {
    // A million bytes of LZ4 blocks that are stored and empty, and of snappy blocks that hold nothing.
    const lz4 = Buffer.concat([LZ4_HEAD, Buffer.alloc(1_000_000, '00000080', 'hex'), Buffer.alloc(4)]);
    assert.equal(await refusedAs(3, lz4, 1000), '0 bytes');
    const snappy = Buffer.concat([SNAPPY_HEAD, Buffer.alloc(1_000_000, '0000000100', 'hex')]);
    assert.equal(await refusedAs(2, snappy, 1000), '0 bytes');
    const ones = Buffer.concat([LZ4_HEAD, Buffer.alloc(1_000_000, '0100008061', 'hex'), Buffer.alloc(4)]);
    assert.equal(await refusedAs(3, ones, 200_000), '200000 bytes');
    assert.equal(await refusedAs(3, ones, 199_999), 'bounded');
  });

  test(`${name} compute: gzip members that follow each other by the thousand are bounded together`, async () => {
    const member = await compressed(makeWorld(), 1, Buffer.alloc(1000, 'a'), null);
    const input = Buffer.concat(Array.from({ length: 5000 }, () => member));
    assert.equal(await refusedAs(1, input, 4_999_999), 'bounded');
    assert.equal(await refusedAs(1, input, 5_000_000), '5000000 bytes');
  });

  test(`${name} compute: LZ4 frames that expand 255 times are bounded`, async () => {
    const input = await compressed(makeWorld(), 3, Buffer.alloc(30_000_000), null);
    assert.ok(input.length < 200_000);
    assert.equal(await refusedAs(3, input, 29_999_999), 'bounded');
  });
}

function framingSuite(name: string, makeWorld: () => ComputeWorld): void {
  const outcome = async (codec: CompressionCodec, hex: string, maxOutputBytes = 1000): Promise<string> => {
    const input = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    const result = await decompressed(makeWorld(), codec, input, maxOutputBytes);
    return Buffer.isBuffer(result) ? `"${String(result)}"` : result.reason;
  };

  test(`${name} compute: a zstd window beyond 128 MiB is refused, one within it allocates only what comes`, async () => {
    // Frame header: magic, descriptor 0, window 2^(10 + n / 8); then one raw block of 5 bytes, the last.
    assert.equal(await outcome(4, '28b52ffd 00 88 290000 68656c6c6f'), '"hello"');
    assert.equal(await outcome(4, '28b52ffd 00 90 290000 68656c6c6f'), 'corrupt');
    assert.equal(await outcome(4, '28b52ffd 00 f8 290000 68656c6c6f'), 'corrupt');
  });

  test(`${name} compute: a zstd frame that lies about its content is corrupt`, async () => {
    // Single segment, content size in one byte: says 5 and has 5, says 6, says 4.
    assert.equal(await outcome(4, '28b52ffd 20 05 290000 68656c6c6f'), '"hello"');
    assert.equal(await outcome(4, '28b52ffd 20 06 290000 68656c6c6f'), 'corrupt');
    assert.equal(await outcome(4, '28b52ffd 20 04 290000 68656c6c6f'), 'corrupt');
  });

  test(`${name} compute: the content size in an LZ4 frame is believed by nobody`, async () => {
    // Both say more than there is, the second 2^62 bytes; the checksum of the head fits.
    assert.equal(await outcome(3, lz4WithSize(6n)), '"hello"');
    assert.equal(await outcome(3, lz4WithSize(2n ** 62n)), '"hello"');
  });

  test(`${name} compute: snappy blocks that lie about their lengths are corrupt`, async () => {
    const head = SNAPPY_HEAD.toString('hex');
    assert.equal(await outcome(2, `${head} 00000007 05 10 68656c6c6f`), '"hello"');
    for (const length of ['00000008', '7fffffff', 'ffffffff', '80000000', '00000006', '00000000']) {
      assert.equal(await outcome(2, `${head} ${length} 05 10 68656c6c6f`), 'corrupt', length);
    }
    // What a block claims to hold, and what it holds.
    assert.equal(await outcome(2, `${head} 00000007 04 10 68656c6c6f`), 'corrupt');
    assert.equal(await outcome(2, `${head} 00000007 06 10 68656c6c6f`), 'corrupt');
    assert.equal(await outcome(2, `${head} 0000000b ffffffff0f 10 68656c6c6f`), 'corrupt');
    assert.equal(await outcome(2, `${head} 00000006 808080808080`), 'corrupt');
  });
}

const LZ4_HEAD = Buffer.from('04224d18604082', 'hex');
const SNAPPY_HEAD = Buffer.from('82534e41505059000000000100000001', 'hex');

/** Checksums of heads with these sizes, by `lz4`. */
const HEAD_CHECKSUMS: Readonly<Record<string, string>> = { '6': '59', '4611686018427387904': '0a' };

function lz4WithSize(sizeBytes: bigint): string {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(sizeBytes);
  return `04224d18 6840 ${size.toString('hex')} ${HEAD_CHECKSUMS[String(sizeBytes)]} 05000080 68656c6c6f 00000000`;
}

/** Text with many repetitions near and far. */
function sentences(lengthBytes: number): Buffer {
  const words = [
    'spool',
    'thread',
    'odradek',
    'stairs',
    'house',
    'father',
    'colour',
    'wood',
    'lungs',
    'leaves',
  ];
  let text = '';
  for (let i = 1; text.length < lengthBytes; i++) text += `${words[(i * i + (i >> 3)) % 10]} ${i % 977}, `;
  return Buffer.from(text.slice(0, lengthBytes));
}
