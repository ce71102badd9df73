import type { Compute, CompressionCodec, ComputeCallback, RecordWalk } from '../../compute.ts';
import { compress, decompress } from '../compression.ts';
import { crc32c } from './crc32c.ts';
import { RecordWalker } from './record-walk.ts';

/** Checksums and record walks in JavaScript. */
export class PortableCompute implements Compute {
  readonly #walker = new RecordWalker();

  crc32c(buffer: Buffer, start: number, end: number, seed?: number): number {
    return crc32c(buffer, start, end, seed);
  }

  walkRecords(
    buffer: Buffer,
    start: number,
    end: number,
    expectedCount: number,
    firstOffsetDelta = 0,
  ): RecordWalk {
    return this.#walker.walk(buffer, start, end, expectedCount, firstOffsetDelta);
  }

  decompress(
    codec: CompressionCodec,
    buffer: Buffer,
    start: number,
    end: number,
    maxOutputBytes: number,
    done: ComputeCallback,
  ): void {
    decompress(codec, buffer.subarray(start, end), maxOutputBytes, done);
  }

  compress(codec: CompressionCodec, input: Buffer, level: number | null, done: ComputeCallback): void {
    compress(codec, input, level, done);
  }
}
