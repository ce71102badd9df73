import type * as zlibModule from 'node:zlib';
import { type ComputeCallback, ComputeError } from '../../compute.ts';
import { asComputeError, joined, tooLarge } from './steps.ts';

/** With `info: true` the functions of `node:zlib` also tell how much of the input they used; its types do not have that. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}
type DecompressNow = (input: Buffer, options: { maxOutputLength: number; info: true }) => Inflated;
type DecompressLater = (
  input: Buffer,
  options: { maxOutputLength: number; info: true },
  done: (error: Error | null, result: Inflated) => void,
) => void;

/** One codec of `node:zlib`. */
export interface ZlibCodec {
  /** @throws ComputeError; also `bounded` where there are more than `maxFrames` frames */
  decompressNow(input: Buffer, maxOutputBytes: number, maxFrames?: number): Buffer;
  /** In a thread. */
  decompress(input: Buffer, maxOutputBytes: number, done: ComputeCallback): void;
  /** `level` null is the codec's default. */
  compressNow(input: Buffer, level: number | null): Buffer;
  /** In a thread. */
  compress(input: Buffer, level: number | null, done: ComputeCallback): void;
}

/** Producers write one frame per batch. Each costs a call and some memory of its own, however small it is. */
const MAX_FRAMES = 256;

let loaded: typeof zlibModule | null = null;

/** Loaded with the first batch that needs it, so that a start does not wait for it. */
function zlib(): typeof zlibModule {
  return (loaded ??= process.getBuiltinModule('node:zlib'));
}

/** gzip streams, one or more. Levels -1 (default) and 1..9. */
export const gzipCodec: ZlibCodec = {
  decompressNow: (input, maxOutputBytes, maxFrames) =>
    inflateNow(zlib().gunzipSync as unknown as DecompressNow, input, maxOutputBytes, maxFrames),
  decompress: (input, maxOutputBytes, done) =>
    inflateLater(zlib().gunzip as unknown as DecompressLater, input, maxOutputBytes, done),
  compressNow: (input, level) => zlib().gzipSync(input, { level: level ?? -1 }),
  compress: (input, level, done) => zlib().gzip(input, { level: level ?? -1 }, toCallback(done)),
};

/** zstd frames, one or more. Levels -131072..22, 3 is the default. */
export const zstdCodec: ZlibCodec = {
  decompressNow: (input, maxOutputBytes, maxFrames) =>
    inflateNow(zlib().zstdDecompressSync as unknown as DecompressNow, input, maxOutputBytes, maxFrames),
  decompress: (input, maxOutputBytes, done) =>
    inflateLater(zlib().zstdDecompress as unknown as DecompressLater, input, maxOutputBytes, done),
  compressNow: (input, level) => zlib().zstdCompressSync(input, zstdOptions(level)),
  compress: (input, level, done) => zlib().zstdCompress(input, zstdOptions(level), toCallback(done)),
};

/** A zstd call ends with the first frame; gzip takes all its members in one. */
function inflateNow(
  decompress: DecompressNow,
  input: Buffer,
  maxOutputBytes: number,
  maxFrames = MAX_FRAMES,
): Buffer {
  const output: Buffer[] = [];
  let rest = input;
  let roomBytes = maxOutputBytes;
  do {
    if (output.length >= maxFrames) throw tooManyFrames(maxFrames);
    const { buffer, engine } = callZlib(maxOutputBytes, () => decompress(rest, optionsFor(roomBytes)));
    roomBytes -= buffer.length;
    if (roomBytes < 0) throw tooLarge(maxOutputBytes);
    output.push(buffer);
    rest = afterFrame(rest, engine.bytesWritten);
  } while (rest.length > 0);
  return joined(output);
}

function inflateLater(
  decompress: DecompressLater,
  input: Buffer,
  maxOutputBytes: number,
  done: ComputeCallback,
): void {
  const output: Buffer[] = [];
  const next = (rest: Buffer, roomBytes: number): void => {
    if (output.length >= MAX_FRAMES) return done(tooManyFrames(MAX_FRAMES), null);
    decompress(rest, optionsFor(roomBytes), (error, result) => {
      if (error !== null) return done(zlibError(error, maxOutputBytes), null);
      output.push(result.buffer);
      const leftBytes = roomBytes - result.buffer.length;
      if (leftBytes < 0) return done(tooLarge(maxOutputBytes), null);
      const behind = afterFrame(rest, result.engine.bytesWritten);
      if (behind.length === 0) done(null, joined(output));
      else next(behind, leftBytes);
    });
  };
  next(input, maxOutputBytes);
}

function tooManyFrames(maxFrames: number): ComputeError {
  return new ComputeError('bounded', `there are more than ${maxFrames} frames`);
}

/** What follows a frame; a call that used nothing would repeat for ever. */
function afterFrame(input: Buffer, usedBytes: number): Buffer {
  return usedBytes === 0 ? input.subarray(input.length) : input.subarray(usedBytes);
}

function optionsFor(roomBytes: number): { maxOutputLength: number; info: true } {
  return { maxOutputLength: Math.max(1, roomBytes), info: true };
}

function zstdOptions(level: number | null): zlibModule.ZstdOptions {
  return level === null ? {} : { params: { [zlib().constants.ZSTD_c_compressionLevel]: level } };
}

function callZlib<T>(maxOutputBytes: number, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw zlibError(error, maxOutputBytes);
  }
}

function zlibError(error: unknown, maxOutputBytes: number): ComputeError {
  const bounded = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
  return bounded ? tooLarge(maxOutputBytes) : asComputeError(error);
}

function toCallback(done: ComputeCallback): (error: Error | null, output: Buffer) => void {
  return (error, output) => (error === null ? done(null, output) : done(asComputeError(error), null));
}
