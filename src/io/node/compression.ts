import { type CompressionCodec, ComputeError, type ComputeCallback } from '../compute.ts';
import { LargeJobs, MAX_LARGE_JOBS } from './codecs/large-jobs.ts';
import { compressLz4, decompressLz4 } from './codecs/lz4-frame.ts';
import { compressSnappy, decompressRaw, decompressSnappy, isRaw } from './codecs/snappy-xerial.ts';
import { asComputeError, runInTurns, runNow, type Steps, tooLarge } from './codecs/steps.ts';
import { gzipCodec, type ZlibCodec, zstdCodec } from './codecs/zlib-codecs.ts';

/** Inputs up to this are worked on inline: a trip to a thread costs more. */
const INLINE_INPUT_BYTES = 64 * 1024;
/** … as long as their output is not larger than this. */
const INLINE_OUTPUT_BYTES = 1024 * 1024;
/** … and comes from no more frames than this. */
const INLINE_FRAMES = 4;

const SNAPPY = 2;

type Codec =
  | { readonly kind: 'stored' }
  | { readonly kind: 'zlib'; readonly zlib: ZlibCodec }
  | {
      readonly kind: 'steps';
      readonly decompress: (input: Buffer, maxOutputBytes: number) => Steps;
      readonly compress: (input: Buffer, level: number | null) => Steps;
    };

/** By codec id of the batch attributes. gzip and zstd leave the thread when they are large; the block codecs take turns on it. */
const CODECS: readonly Codec[] = [
  { kind: 'stored' },
  { kind: 'zlib', zlib: gzipCodec },
  { kind: 'steps', decompress: decompressSnappy, compress: compressSnappy },
  { kind: 'steps', decompress: decompressLz4, compress: compressLz4 },
  { kind: 'zlib', zlib: zstdCodec },
];

/** See `Compute.decompress`; the input stays untouched until `done`. */
export function decompress(
  id: CompressionCodec,
  input: Buffer,
  maxOutputBytes: number,
  done: ComputeCallback,
): void {
  const codec = CODECS[id];
  if (id === SNAPPY && input.length > INLINE_INPUT_BYTES && isRaw(input)) {
    large(done, (ended) => decompressRaw(input, maxOutputBytes, ended));
    return;
  }
  if (codec?.kind === 'steps') {
    inTurns(codec.decompress(input, maxOutputBytes), done);
    return;
  }
  if (codec?.kind !== 'zlib')
    return tell(
      attempt(() => decompressNow(id, input, maxOutputBytes)),
      done,
    );
  if (input.length <= INLINE_INPUT_BYTES) {
    const boundBytes = Math.min(maxOutputBytes, INLINE_OUTPUT_BYTES);
    const result = attempt(() => codec.zlib.decompressNow(input, boundBytes, INLINE_FRAMES));
    if (!(result instanceof ComputeError) || result.reason !== 'bounded') return tell(result, done);
  }
  large(done, (ended) => codec.zlib.decompress(input, maxOutputBytes, ended));
}

/** Decompresses before it returns, however long that takes. @throws ComputeError */
export function decompressNow(id: CompressionCodec, input: Buffer, maxOutputBytes: number): Buffer {
  const codec = codecOf(id);
  if (codec.kind === 'zlib') return codec.zlib.decompressNow(input, maxOutputBytes);
  if (codec.kind === 'steps') return runNow(codec.decompress(input, maxOutputBytes));
  if (input.length > maxOutputBytes) throw tooLarge(maxOutputBytes);
  return input;
}

/** See `Compute.compress`. Snappy knows one level. */
export function compress(
  id: CompressionCodec,
  input: Buffer,
  level: number | null,
  done: ComputeCallback,
): void {
  const codec = CODECS[id];
  if (codec?.kind === 'steps') inTurns(codec.compress(input, level), done);
  else if (codec?.kind === 'zlib' && input.length > INLINE_INPUT_BYTES)
    large(done, (ended) => codec.zlib.compress(input, level, ended));
  else
    tell(
      attempt(() => compressNow(id, input, level)),
      done,
    );
}

/** Compresses before it returns. @throws ComputeError */
export function compressNow(id: CompressionCodec, input: Buffer, level: number | null): Buffer {
  const codec = codecOf(id);
  if (codec.kind === 'zlib') return codec.zlib.compressNow(input, level);
  return codec.kind === 'steps' ? runNow(codec.compress(input, level)) : input;
}

const largeJobs = new LargeJobs(MAX_LARGE_JOBS);

/** The first step at once; what needs more waits for its turn among the large jobs. */
function inTurns(steps: Steps, done: ComputeCallback): void {
  const first = attempt(() => steps.next());
  if (first instanceof ComputeError) return done(first, null);
  if (first.done === true) return done(null, first.value);
  return large(done, (ended) => runInTurns(steps, ended));
}

function large(done: ComputeCallback, start: (ended: ComputeCallback) => void): void {
  largeJobs.run((ended) =>
    start((error, output) => {
      // The next one begins even if the owner of this one throws, and counts before its owner asks for more.
      ended();
      done(error, output);
    }),
  );
}

function codecOf(id: CompressionCodec): Codec {
  const codec = CODECS[id];
  if (codec === undefined) throw new ComputeError('unsupported', `there is no compression codec ${id}`);
  return codec;
}

function attempt<T>(work: () => T): T | ComputeError {
  try {
    return work();
  } catch (error) {
    return asComputeError(error);
  }
}

function tell(result: Buffer | ComputeError, done: ComputeCallback): void {
  if (result instanceof ComputeError) done(result, null);
  else done(null, result);
}
