/** Compression as the broker does it, beside the same work by the library alone, where one call does it. */
import zlib from 'node:zlib';
import { median, type Row } from '../harness.ts';
import { PortableCompute } from '../../src/io/node/portable/compute.ts';
import type { CompressionCodec } from '../../src/io/compute.ts';

const BLOCK_BYTES = 1 << 20;
const RUNS = 9;
const CODECS: readonly {
  readonly id: CompressionCodec;
  readonly name: string;
  readonly alone: {
    readonly compress: (input: Buffer) => Buffer;
    readonly decompress: (input: Buffer) => Buffer;
  } | null;
}[] = [
  { id: 1, name: 'gzip', alone: { compress: zlib.gzipSync, decompress: zlib.gunzipSync } },
  { id: 2, name: 'snappy', alone: null },
  { id: 3, name: 'lz4', alone: null },
  { id: 4, name: 'zstd', alone: { compress: zlib.zstdCompressSync, decompress: zlib.zstdDecompressSync } },
];

/** Rows: for each codec both directions over a block of a megabyte of text-like records. */
export async function codecRows(): Promise<Row[]> {
  const compute = new PortableCompute();
  const block = textLike(BLOCK_BYTES);
  const rows: Row[] = [];
  for (const { id, name, alone } of CODECS) {
    const compressed = await once((done) => compute.compress(id, block, null, done));
    const size = `${((compressed.length / block.length) * 100).toFixed(0)} % of its size`;
    const packing = await timed(() => once((done) => compute.compress(id, block, null, done)));
    const unpacking = await timed(() =>
      once((done) => compute.decompress(id, compressed, 0, compressed.length, 2 * BLOCK_BYTES, done)),
    );
    const packingAlone = alone === null ? null : await timed(() => alone.compress(block));
    const unpackingAlone = alone === null ? null : await timed(() => alone.decompress(compressed));
    rows.push(row(`compress ${name} (${size})`, packing, packingAlone));
    rows.push(row(`decompress ${name}`, unpacking, unpackingAlone));
  }
  return rows;
}

function row(what: string, ms: number, aloneMs: number | null): Row {
  const rate = (took: number): string => `${(BLOCK_BYTES / 1e3 / took).toFixed(0)} MB/s`;
  return {
    what,
    measured: rate(ms),
    beside: aloneMs === null ? '' : `the library alone ${rate(aloneMs)}`,
    ratio: aloneMs === null ? '' : `${(ms / aloneMs).toFixed(2)}×`,
  };
}

async function timed(work: () => unknown): Promise<number> {
  const took: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now();
    await work();
    took.push(performance.now() - started);
  }
  return median(took);
}

function once(work: (done: (error: Error | null, output: Buffer | null) => void) => void): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    work((error, output) => {
      if (output === null) reject(error ?? new Error('no output'));
      else resolve(output);
    }),
  );
}

/** Lines that repeat as those of logs do; the same bytes each time. */
function textLike(sizeBytes: number): Buffer {
  let seed = 12_345;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  let text = '';
  while (text.length < sizeBytes) {
    text += `{"time":${1_767_225_600 + next(100_000)},"level":"info","user":${next(50_000)},"path":"/api/v1/items/${next(1000)}","ms":${next(900)}}\n`;
  }
  return Buffer.from(text.slice(0, sizeBytes));
}
