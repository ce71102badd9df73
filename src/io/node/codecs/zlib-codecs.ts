import zlib from 'node:zlib';
import type { ComputeCallback, ComputeError } from '../../compute.ts';
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
  /** @throws ComputeError */
  decompressNow(input: Buffer, maxOutputBytes: number): Buffer;
  /** In a thread. */
  decompress(input: Buffer, maxOutputBytes: number, done: ComputeCallback): void;
  /** `level` null is the codec's default. */
  compressNow(input: Buffer, level: number | null): Buffer;
  /** In a thread. */
  compress(input: Buffer, level: number | null, done: ComputeCallback): void;
}

/** gzip streams, one or more. Levels -1 (default) and 1..9. */
export const gzipCodec: ZlibCodec = {
  decompressNow: (input, maxOutputBytes) =>
    inflateNow(zlib.gunzipSync as unknown as DecompressNow, input, maxOutputBytes),
  decompress: (input, maxOutputBytes, done) =>
    inflateLater(zlib.gunzip as unknown as DecompressLater, input, maxOutputBytes, [], done),
  compressNow: (input, level) => zlib.gzipSync(input, { level: level ?? -1 }),
  compress: (input, level, done) => zlib.gzip(input, { level: level ?? -1 }, toCallback(done)),
};

/** zstd frames, one or more. Levels -131072..22, 3 is the default. */
export const zstdCodec: ZlibCodec = {
  decompressNow: (input, maxOutputBytes) =>
    inflateNow(zlib.zstdDecompressSync as unknown as DecompressNow, input, maxOutputBytes),
  decompress: (input, maxOutputBytes, done) =>
    inflateLater(zlib.zstdDecompress as unknown as DecompressLater, input, maxOutputBytes, [], done),
  compressNow: (input, level) => zlib.zstdCompressSync(input, zstdOptions(level)),
  compress: (input, level, done) => zlib.zstdCompress(input, zstdOptions(level), toCallback(done)),
};

/** A zstd call ends with the first frame; gzip takes all its members in one. */
function inflateNow(decompress: DecompressNow, input: Buffer, maxOutputBytes: number): Buffer {
  const output: Buffer[] = [];
  let rest = input;
  let roomBytes = maxOutputBytes;
  do {
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
  output: Buffer[],
  done: ComputeCallback,
): void {
  const usedBytes = output.reduce((sum, piece) => sum + piece.length, 0);
  decompress(input, optionsFor(maxOutputBytes - usedBytes), (error, result) => {
    if (error !== null) return done(zlibError(error, maxOutputBytes), null);
    output.push(result.buffer);
    if (usedBytes + result.buffer.length > maxOutputBytes) return done(tooLarge(maxOutputBytes), null);
    const rest = afterFrame(input, result.engine.bytesWritten);
    if (rest.length === 0) done(null, joined(output));
    else inflateLater(decompress, rest, maxOutputBytes, output, done);
  });
}

/** What follows a frame; a call that used nothing would repeat for ever. */
function afterFrame(input: Buffer, usedBytes: number): Buffer {
  return usedBytes === 0 ? input.subarray(input.length) : input.subarray(usedBytes);
}

function optionsFor(roomBytes: number): { maxOutputLength: number; info: true } {
  return { maxOutputLength: Math.max(1, roomBytes), info: true };
}

function zstdOptions(level: number | null): zlib.ZstdOptions {
  return level === null ? {} : { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } };
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
