import zlib from 'node:zlib';
import { createRequire } from 'node:module';
import { ComputeError, type Compute, type ComputeCallback, type RecordWalk } from '../io/compute.ts';
import { RecordCursor } from './record-cursor.ts';

const require = createRequire(import.meta.url);
const snappy = require('snappy');
const lz4 = require('lz4-napi');

const TABLE = new Int32Array(256);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  TABLE[n] = c;
}

function crc32c(buffer: Buffer, start: number, end: number, seed = 0): number {
  let crc = ~seed;
  for (let i = start; i < end; i++)
    crc = (TABLE[(crc ^ (buffer[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function walkRecords(buffer: Buffer, start: number, end: number, expectedCount: number): RecordWalk {
  const cursor = new RecordCursor().over(buffer, start, end);
  const walk: RecordWalk = {
    status: 'ok',
    count: 0,
    maxTimestampDelta: Number.NEGATIVE_INFINITY,
    offsetDeltaOfMaxTimestamp: 0,
    minTimestampDelta: Number.POSITIVE_INFINITY,
    sequentialOffsets: true,
    hasNullKey: false,
    firstNullKeyIndex: -1,
  };
  while (cursor.next()) {
    if (cursor.wideTimestampDelta !== null) walk.status = 'overflow';
    if (cursor.timestampDelta > walk.maxTimestampDelta) {
      walk.maxTimestampDelta = cursor.timestampDelta;
      walk.offsetDeltaOfMaxTimestamp = cursor.offsetDelta;
    }
    walk.minTimestampDelta = Math.min(walk.minTimestampDelta, cursor.timestampDelta);
    if (cursor.offsetDelta !== walk.count) walk.sequentialOffsets = false;
    if (cursor.keyStart < 0 && !walk.hasNullKey) {
      walk.hasNullKey = true;
      walk.firstNullKeyIndex = walk.count;
    }
    walk.count++;
  }
  if (cursor.corrupt || walk.count !== expectedCount) walk.status = 'corrupt';
  return walk;
}

function unxerial(input: Buffer): Buffer {
  if (input.length < 16 || input.toString('latin1', 1, 7) !== 'SNAPPY')
    return snappy.uncompressSync(input, { asBuffer: true });
  const parts: Buffer[] = [];
  for (let at = 16; at < input.length; ) {
    const length = input.readInt32BE(at);
    parts.push(snappy.uncompressSync(input.subarray(at + 4, at + 4 + length), { asBuffer: true }));
    at += 4 + length;
  }
  return Buffer.concat(parts);
}

function xerial(input: Buffer): Buffer {
  const block = snappy.compressSync(input);
  const head = Buffer.from('82534e4150505900000000010000000100000000', 'hex');
  head.writeInt32BE(block.length, 16);
  return Buffer.concat([head, block]);
}

const CODECS = [
  null,
  {
    open: (b: Buffer, max: number) => zlib.gunzipSync(b, { maxOutputLength: max }),
    pack: (b: Buffer) => zlib.gzipSync(b),
  },
  { open: unxerial, pack: xerial },
  { open: (b: Buffer) => lz4.decompressFrameSync(b), pack: (b: Buffer) => lz4.compressFrameSync(b) },
  {
    open: (b: Buffer, max: number) => zlib.zstdDecompressSync(b, { maxOutputLength: max }),
    pack: (b: Buffer) => zlib.zstdCompressSync(b),
  },
];

/** Compute for tests: everything inline, or completed by `release` when `hold` is set. */
export class PlainCompute implements Compute {
  readonly crc32c = crc32c;
  readonly walkRecords = walkRecords;
  hold = false;
  readonly #held: (() => void)[] = [];

  decompress(
    codec: number,
    buffer: Buffer,
    start: number,
    end: number,
    max: number,
    done: ComputeCallback,
  ): void {
    this.#run(() =>
      this.#transform(
        () =>
          (CODECS[codec] as { open: (b: Buffer, max: number) => Buffer }).open(
            buffer.subarray(start, end),
            max,
          ),
        max,
        done,
      ),
    );
  }

  compress(codec: number, input: Buffer, _level: number | null, done: ComputeCallback): void {
    this.#run(() =>
      this.#transform(() => (CODECS[codec] as { pack: (b: Buffer) => Buffer }).pack(input), Infinity, done),
    );
  }

  /** Completes what was held back. */
  release(): void {
    for (const run of this.#held.splice(0)) run();
  }

  #run(work: () => void): void {
    if (this.hold) this.#held.push(work);
    else work();
  }

  #transform(work: () => Buffer, max: number, done: ComputeCallback): void {
    let output: Buffer;
    try {
      output = Buffer.from(work());
    } catch (cause) {
      const bounded = (cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE';
      return done(new ComputeError(bounded ? 'bounded' : 'corrupt', String(cause), { cause }), null);
    }
    if (output.length > max) return done(new ComputeError('bounded', `more than ${max} bytes`), null);
    return done(null, output);
  }
}
