import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { CompressionCodec, ComputeError } from '../../src/io/compute.ts';
import { compressed, type ComputeWorld, decompressed, mixture } from './compute-calls.ts';
import { hostileSuite } from './compute-hostile.ts';
import { pattern } from './world.ts';

/** What every `Compute` does. */
export function computeSuite(name: string, makeWorld: () => ComputeWorld): void {
  crcSuite(name, makeWorld);
  codecSuite(name, makeWorld);
  boundSuite(name, makeWorld);
  foreignSuite(name, makeWorld);
  hostileSuite(name, makeWorld);
}

const CODECS: readonly CompressionCodec[] = [0, 1, 2, 3, 4];
const NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

function crcSuite(name: string, makeWorld: () => ComputeWorld): void {
  test(`${name} compute: CRC-32C of known inputs`, () => {
    const { compute } = makeWorld();
    const crc = (bytes: Buffer): string => compute.crc32c(bytes, 0, bytes.length).toString(16);
    // RFC 3720, appendix B.4.
    assert.equal(crc(Buffer.alloc(32)), '8a9136aa');
    assert.equal(crc(Buffer.alloc(32, 0xff)), '62a8ab43');
    assert.equal(crc(Buffer.from(Array.from({ length: 32 }, (_, i) => i))), '46dd794e');
    assert.equal(crc(Buffer.from('123456789')), 'e3069283');
    assert.equal(crc(Buffer.alloc(0)), '0');
  });

  test(`${name} compute: CRC-32C of any range is that of its bytes, in one go or continued`, () => {
    const { compute } = makeWorld();
    const bytes = fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes, fc.nat(20), fc.nat(600), (data, offset, cut) => {
        const buffer = Buffer.concat([Buffer.alloc(offset, 7), data, Buffer.alloc(3, 9)]);
        const end = offset + data.length;
        const middle = Math.min(offset + cut, end);
        const expected = slowCrc32c(data);
        assert.equal(compute.crc32c(buffer, offset, end), expected);
        const first = compute.crc32c(buffer, offset, middle);
        assert.equal(compute.crc32c(buffer, middle, end, first), expected);
      }),
    );
  });
}

function codecSuite(name: string, makeWorld: () => ComputeWorld): void {
  for (const codec of CODECS) {
    test(`${name} compute: what ${NAMES[codec]} compressed comes back, small and large`, async () => {
      const world = makeWorld();
      const inputs = [0, 1, 100, 32_768, 65_536, 65_537, 2_000_000].map((lengthBytes) =>
        mixture(lengthBytes),
      );
      for (const input of inputs) {
        const packed = await compressed(world, codec, input, null);
        const output = await decompressed(world, codec, packed, input.length);
        assert.ok(Buffer.isBuffer(output), String(output));
        assert.ok(output.equals(input));
      }
    });
  }

  test(`${name} compute: callbacks of inputs of all sizes come once each`, async () => {
    const world = makeWorld();
    const jobs = [10, 1_000_000, 10, 300_000, 50_000].flatMap((lengthBytes) =>
      CODECS.map(async (codec) => {
        const packed = await compressed(world, codec, mixture(lengthBytes), null);
        const output = await decompressed(world, codec, packed, lengthBytes);
        assert.equal((output as Buffer).length, lengthBytes);
      }),
    );
    await Promise.all(jobs);
    await world.pass(5);
  });
}

function boundSuite(name: string, makeWorld: () => ComputeWorld): void {
  for (const codec of CODECS) {
    test(`${name} compute: ${NAMES[codec]} gives no more than it is allowed to, and says so`, async () => {
      const world = makeWorld();
      for (const lengthBytes of [1000, 2_000_000, 8_000_000]) {
        const packed = await compressed(world, codec, Buffer.alloc(lengthBytes, 'abcd'), null);
        const result = await decompressed(world, codec, packed, lengthBytes - 1);
        assert.equal((result as ComputeError).reason, 'bounded');
      }
    });

    if (codec === 0) continue;
    test(`${name} compute: ${NAMES[codec]} input that is cut or wrong is an error and nothing else`, async () => {
      const world = makeWorld();
      const input = mixture(3000);
      const packed = await compressed(world, codec, input, null);
      for (let i = 0; i < 60; i++) {
        const end = Math.floor((packed.length * i) / 60);
        const cut = await decompressed(world, codec, packed.subarray(0, end), 3000);
        if (!Buffer.isBuffer(cut)) assert.ok(['corrupt', 'bounded'].includes(cut.reason));
        else assert.ok(cut.length < 3000);
        const changed = Buffer.from(packed);
        changed[end] = (changed[end] as number) ^ (1 << (i % 8));
        const result = await decompressed(world, codec, changed, 3000);
        if (Buffer.isBuffer(result)) assert.ok(result.length <= 3000);
        else assert.equal(result.name, 'ComputeError');
      }
    });
  }

  test(`${name} compute: an input of very many empty frames is refused`, async () => {
    const world = makeWorld();
    const one = await compressed(world, 4, Buffer.from('x'), null);
    const many = Buffer.concat(Array.from({ length: 5000 }, () => one));
    const result = await decompressed(world, 4, many, 1_000_000);
    assert.equal((result as ComputeError).reason, 'bounded');
    const few = Buffer.concat(Array.from({ length: 20 }, () => one));
    assert.equal(String(await decompressed(world, 4, few, 20)), 'x'.repeat(20));
  });

  test(`${name} compute: an unknown codec is unsupported`, async () => {
    const world = makeWorld();
    const result = await decompressed(world, 5 as CompressionCodec, pattern(10), 100);
    assert.equal((result as ComputeError).reason, 'unsupported');
  });
}

function foreignSuite(name: string, makeWorld: () => ComputeWorld): void {
  const expectText = async (codec: CompressionCodec, hex: string, text: string): Promise<void> => {
    const input = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    const output = await decompressed(makeWorld(), codec, input, 10_000);
    assert.equal(String(output), text);
  };

  test(`${name} compute: snappy without the stream around it, and streams that were joined`, async () => {
    await expectText(2, '05 10 68656c6c6f', 'hello');
    const head = '82534e4150505900 00000001 00000001';
    const block = '00000007 05 10 68656c6c6f';
    await expectText(2, `${head} ${block} ${head} ${block}`, 'hellohello');
  });

  test(`${name} compute: a snappy block that claims gigabytes is refused before anything is allocated`, async () => {
    const input = Buffer.from('ffffffff0f00', 'hex');
    const result = await decompressed(makeWorld(), 2, input, 2 ** 31);
    assert.equal((result as ComputeError).reason, 'corrupt');
  });

  test(`${name} compute: LZ4 frames with content size, checksums and stored blocks`, async () => {
    // Frames of the lz4 command: stored blocks, then a compressed one with a block checksum.
    await expectText(3, '04224d18 604082 05000080 68656c6c6f 00000000', 'hello');
    await expectText(3, '04224d18 6440a7 05000080 68656c6c6f 00000000 f97700fb', 'hello');
    await expectText(3, '04224d18 6c400500000000000000 2c 05000080 68656c6c6f 00000000 f97700fb', 'hello');
    await expectText(3, '04224d18 7440bd 05000080 68656c6c6f f97700fb 00000000 f97700fb', 'hello');
    const repeated =
      '04224d18 7440bd 16000000 6168656c6c6f200600110a06000e0c00500a68656c6c 89703ff5 00000000 b62fa5a3';
    await expectText(3, repeated, 'hello hello\n'.repeat(4).slice(0, 40));
  });

  test(`${name} compute: LZ4 frames with a wrong header, or dependent blocks, are refused`, async () => {
    const reasonOf = async (hex: string): Promise<string> => {
      const input = Buffer.from(hex.replaceAll(' ', ''), 'hex');
      return ((await decompressed(makeWorld(), 3, input, 100)) as ComputeError).reason;
    };
    assert.equal(await reasonOf('04224d18 60 40 83 05000080 68656c6c6f 00000000'), 'corrupt');
    assert.equal(await reasonOf('04224d18 20 40 82 05000080 68656c6c6f 00000000'), 'corrupt');
    assert.equal(await reasonOf('04224d18 40 40 c0 05000080 68656c6c6f 00000000'), 'unsupported');
    assert.equal(await reasonOf('04224d18 60 30 82 05000080 68656c6c6f 00000000'), 'corrupt');
    assert.equal(await reasonOf('04224d18 60 40 82 01000100 68656c6c6f 00000000'), 'corrupt');
    assert.equal(await reasonOf('04224d18 60 40 82 05000080 68656c6c6f'), 'corrupt');
    assert.equal(await reasonOf('04224d18 7440bd 05000080 68656c6c6f f97700fc 00000000'), 'corrupt');
  });

  test(`${name} compute: zstd and gzip of several frames are one output`, async () => {
    for (const codec of [1, 4] as const) {
      const world = makeWorld();
      for (const lengthBytes of [100, 900_000]) {
        const one = await compressed(world, codec, mixture(lengthBytes), null);
        const joined = Buffer.concat([one, one]);
        const output = await decompressed(world, codec, joined, 2 * lengthBytes);
        assert.ok((output as Buffer).equals(Buffer.concat([mixture(lengthBytes), mixture(lengthBytes)])));
        const bounded = await decompressed(world, codec, joined, 2 * lengthBytes - 1);
        assert.equal((bounded as ComputeError).reason, 'bounded');
      }
    }
  });
}

function slowCrc32c(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}
