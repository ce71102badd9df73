import type { Clock } from '../../src/io/clock.ts';
import {
  type CompressionCodec,
  type Compute,
  type ComputeCallback,
  ComputeError,
  type RecordWalk,
} from '../../src/io/compute.ts';
import { compressNow, decompressNow } from '../../src/io/node/compression.ts';
import { crc32c } from '../../src/io/node/portable/crc32c.ts';
import { RecordWalker } from '../../src/io/node/portable/record-walk.ts';

/** Inputs up to this are worked on inline, as the real ports do. */
const INLINE_INPUT_BYTES = 64 * 1024;
/** What a large one takes in a thread. */
const MS_PER_MEGABYTE = 4;

/**
 * The compute port of a simulated host. The work itself is done at once and by the same code as outside; large inputs call back after the time they would take,
 * on the host's clock, so that nothing comes back to a host that has crashed.
 */
export class VirtualCompute implements Compute {
  readonly #clock: Clock;
  readonly #walker = new RecordWalker();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

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
    // The input is looked at when the work is done: who changes it before has broken the contract, and is found out.
    this.#after(end - start, () => decompressNow(codec, buffer.subarray(start, end), maxOutputBytes), done);
  }

  compress(codec: CompressionCodec, input: Buffer, level: number | null, done: ComputeCallback): void {
    this.#after(input.length, () => compressNow(codec, input, level), done);
  }

  #after(inputBytes: number, work: () => Buffer, done: ComputeCallback): void {
    if (inputBytes <= INLINE_INPUT_BYTES) {
      run(work, done);
      return;
    }
    const tookMs = (inputBytes / (1024 * 1024)) * MS_PER_MEGABYTE;
    this.#clock.schedule(this.#clock.monotonicMs() + tookMs, () => run(work, done));
  }
}

function run(work: () => Buffer, done: ComputeCallback): void {
  let output: Buffer;
  try {
    output = work();
  } catch (error) {
    if (!(error instanceof ComputeError)) throw error;
    done(error, null);
    return;
  }
  done(null, output);
}
