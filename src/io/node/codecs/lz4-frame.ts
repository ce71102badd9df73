import type * as lz4 from 'lz4-napi';
import { ComputeError } from '../../compute.ts';
import { loadPackage } from './load-package.ts';
import { compressBlockHigh } from './lz4-high.ts';
import { Pieces } from './pieces.ts';
import { joined, STEP_BYTES, type Steps } from './steps.ts';
import { xxhash32 } from './xxhash32.ts';

// The LZ4 frame format, version 1.6.
//
//     magic 0x184D2204 LE | FLG | BD | [content size: 8] | HC | blocks … | end mark 0 | [content checksum: 4]
//     block := size LE, top bit set: stored as it is | bytes | [block checksum: 4]
//     FLG: version 01 (bits 7-6), independent blocks (5), block checksum (4), content size (3), content checksum (2), dictionary (0)
//     BD:  maximum block size 4..7 (bits 6-4): 64 KiB, 256 KiB, 1 MiB, 4 MiB

const MAGIC = 0x184d2204;
const FLG_VERSION_MASK = 0xc0;
const FLG_VERSION = 0x40;
const FLG_INDEPENDENT = 0x20;
const FLG_BLOCK_CHECKSUM = 0x10;
const FLG_CONTENT_SIZE = 0x08;
const FLG_RESERVED = 0x02;
const FLG_DICTIONARY = 0x01;
const STORED = 0x8000_0000;
/** What we write: version 1, independent blocks of 64 KiB, no checksums but the header's. */
const HEADER = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
const WRITTEN_BLOCK_BYTES = 64 * 1024;
const END_MARK = Buffer.alloc(4);
const DEFAULT_LEVEL = 9;
/** An LZ4 byte stands for at most so many bytes of output. */
const MAX_EXPANSION = 255;

/**
 * Decompresses a frame. As in Apache Kafka, dependent blocks and dictionaries are refused, checksums of header and blocks are held, the one of the content is not looked at (the batch has
 * its own). @throws ComputeError from the steps
 */
export function* decompressLz4(input: Buffer, maxOutputBytes: number): Steps {
  const header = readHeader(input);
  const output = new Pieces(maxOutputBytes);
  let at = header.endPosition;
  for (;;) {
    const word = uint32At(input, at);
    if (word === 0) return output.joined();
    const sizeBytes = word & ~STORED;
    const start = at + 4;
    at = start + sizeBytes;
    if (sizeBytes > header.maxBlockBytes || at > input.length)
      throw corrupt('a block is cut short or too large');
    const block = input.subarray(start, at);
    if (header.blockChecksum) {
      if (uint32At(input, at) !== xxhash32(block)) throw corrupt('a block checksum is wrong');
      at += 4;
    }
    const bytes = (word & STORED) === 0 ? decompressBlock(block, header.maxBlockBytes) : block;
    if (output.add(bytes)) yield;
  }
}

/** Compresses into one frame of the form that Apache Kafka writes. As there, the default level 9 (or null) is the fast compression of the library; the others, 1..17, are denser. */
export function* compressLz4(input: Buffer, level: number | null): Steps {
  const output: Buffer[] = [HEADER];
  for (let at = 0; at < input.length; at += WRITTEN_BLOCK_BYTES) {
    const plain = input.subarray(at, at + WRITTEN_BLOCK_BYTES);
    const packed =
      level === null || level === DEFAULT_LEVEL
        ? compressBlock(plain)
        : yield* compressBlockHigh(plain, level);
    const size = Buffer.alloc(4);
    const stored = packed.length >= plain.length;
    size.writeUInt32LE(stored ? plain.length + STORED : packed.length);
    output.push(size, stored ? plain : packed);
    if (at > 0 && at % STEP_BYTES === 0) yield;
  }
  output.push(END_MARK);
  return joined(output);
}

interface FrameHeader {
  readonly endPosition: number;
  readonly maxBlockBytes: number;
  readonly blockChecksum: boolean;
}

function readHeader(input: Buffer): FrameHeader {
  if (input.length < HEADER.length || input.readUInt32LE(0) !== MAGIC) throw corrupt('not an LZ4 frame');
  const flags = input[4] as number;
  const descriptor = input[5] as number;
  if ((flags & FLG_VERSION_MASK) !== FLG_VERSION || (flags & FLG_RESERVED) !== 0)
    throw corrupt('unknown frame version');
  if ((flags & FLG_INDEPENDENT) === 0)
    throw new ComputeError('unsupported', 'dependent LZ4 blocks are not supported');
  if ((flags & FLG_DICTIONARY) !== 0)
    throw new ComputeError('unsupported', 'LZ4 dictionaries are not supported');
  const sizeId = descriptor >> 4;
  if ((descriptor & 0x8f) !== 0 || sizeId < 4) throw corrupt('the block size is unknown');
  const checksumPosition = (flags & FLG_CONTENT_SIZE) === 0 ? 6 : 14;
  if (checksumPosition >= input.length) throw corrupt('the header is cut short');
  const checksum = (xxhash32(input.subarray(4, checksumPosition)) >>> 8) & 0xff;
  if (input[checksumPosition] !== checksum) throw corrupt('the header checksum is wrong');
  return {
    endPosition: checksumPosition + 1,
    maxBlockBytes: 2 ** (8 + 2 * sizeId),
    blockChecksum: (flags & FLG_BLOCK_CHECKSUM) !== 0,
  };
}

function compressBlock(plain: Buffer): Buffer {
  // The library puts the plain length in front.
  return library().compressSync(plain).subarray(4);
}

function decompressBlock(block: Buffer, maxBlockBytes: number): Buffer {
  // The library allocates what the length in front tells, and returns what there was.
  const prefixed = Buffer.allocUnsafe(4 + block.length);
  prefixed.writeUInt32LE(Math.min(maxBlockBytes, block.length * MAX_EXPANSION + 16));
  block.copy(prefixed, 4);
  return trimmed(library().uncompressSync(prefixed), prefixed.readUInt32LE(0));
}

/** A block that is much smaller than it might have been must not keep the memory that was allocated for it. */
function trimmed(bytes: Buffer, allocatedBytes: number): Buffer {
  return bytes.length * 2 < allocatedBytes ? Buffer.from(bytes) : bytes;
}

function uint32At(input: Buffer, position: number): number {
  if (position + 4 > input.length) throw corrupt('the frame is cut short');
  return input.readUInt32LE(position);
}

function corrupt(message: string): ComputeError {
  return new ComputeError('corrupt', `LZ4: ${message}`);
}

let loaded: typeof lz4 | null = null;

function library(): typeof lz4 {
  return (loaded ??= loadPackage('lz4-napi') as typeof lz4);
}
