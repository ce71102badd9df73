import type * as snappy from 'snappy';
import { ComputeError, type ComputeCallback } from '../../compute.ts';
import { loadPackage } from './load-package.ts';
import { Pieces } from './pieces.ts';
import { asComputeError, joined, STEP_BYTES, type Steps, tooLarge } from './steps.ts';

// The stream of snappy-java ("xerial"), which Kafka's clients write; some clients send one raw block instead.
//
//     magic 82 53 4e 41 50 50 59 00 | version int32 | compatible version int32 | blocks …
//     block := length int32 | raw snappy block (uvarint: plain length | elements …)
//     The 16 bytes of the head may come again between blocks, where streams were joined.

const HEAD = Buffer.from('82534e41505059000000000100000001', 'hex');
const MAGIC_BYTES = 8;
const HEAD_BYTES = 16;
const MAGIC_START = HEAD.readInt32BE(0);
const WRITTEN_BLOCK_BYTES = 32 * 1024;
/** Three bytes of a raw block stand for at most 64 of output. */
const MAX_EXPANSION = 22;

/** Decompresses a stream or one raw block. @throws ComputeError from the steps */
export function* decompressSnappy(input: Buffer, maxOutputBytes: number): Steps {
  if (isRaw(input)) return decompressBlock(input, maxOutputBytes, maxOutputBytes);
  const output = new Pieces(maxOutputBytes);
  let at = HEAD_BYTES;
  while (at < input.length) {
    if (at + 4 > input.length) throw corrupt('the stream is cut short');
    const sizeBytes = input.readInt32BE(at);
    if (sizeBytes === MAGIC_START) {
      at += HEAD_BYTES;
      continue;
    }
    const start = at + 4;
    at = start + sizeBytes;
    if (sizeBytes < 0 || at > input.length) throw corrupt('a block is cut short');
    const bytes = decompressBlock(input.subarray(start, at), output.roomBytes, maxOutputBytes);
    if (output.add(bytes)) yield;
  }
  if (at !== input.length) throw corrupt('the stream is cut short');
  return output.joined();
}

/** True for one raw block without the stream around it. */
export function isRaw(input: Buffer): boolean {
  return input.length < MAGIC_BYTES || input.compare(HEAD, 0, MAGIC_BYTES, 0, MAGIC_BYTES) !== 0;
}

/** Decompresses one raw block in a thread. */
export function decompressRaw(input: Buffer, maxOutputBytes: number, done: ComputeCallback): void {
  try {
    checkClaim(input, maxOutputBytes, maxOutputBytes);
  } catch (error) {
    done(asComputeError(error), null);
    return;
  }
  library()
    .uncompress(input)
    .then(
      (output) => done(null, output as Buffer),
      (error: unknown) => done(asComputeError(error), null),
    );
}

/** Compresses into a stream. */
export function* compressSnappy(input: Buffer): Steps {
  const output: Buffer[] = [HEAD];
  for (let at = 0; at < input.length; at += WRITTEN_BLOCK_BYTES) {
    const block = library().compressSync(input.subarray(at, at + WRITTEN_BLOCK_BYTES));
    const size = Buffer.alloc(4);
    size.writeInt32BE(block.length);
    output.push(size, block);
    if (at > 0 && at % STEP_BYTES === 0) yield;
  }
  return joined(output);
}

function decompressBlock(block: Buffer, maxBytes: number, maxOutputBytes: number): Buffer {
  checkClaim(block, maxBytes, maxOutputBytes);
  return library().uncompressSync(block) as Buffer;
}

/** The library allocates what a block claims to hold: the claim is checked first. */
function checkClaim(block: Buffer, maxBytes: number, maxOutputBytes: number): void {
  const plainBytes = claimedLength(block);
  if (plainBytes > block.length * MAX_EXPANSION) throw corrupt('a block cannot hold what it claims');
  if (plainBytes > maxBytes) throw tooLarge(maxOutputBytes);
}

function claimedLength(block: Buffer): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block[i];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  throw corrupt('a block has no length');
}

function corrupt(message: string): ComputeError {
  return new ComputeError('corrupt', `snappy: ${message}`);
}

let loaded: typeof snappy | null = null;

function library(): typeof snappy {
  return (loaded ??= loadPackage('snappy') as typeof snappy);
}
