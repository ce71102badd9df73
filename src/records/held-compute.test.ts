import { PortableCompute } from '../io/node/portable/compute.ts';
import type { Compute, CompressionCodec, ComputeCallback, RecordWalk } from '../io/compute.ts';

/** The portable implementation for tests of this room and of the log: with `hold` set, codec work waits for `release`, as if it had left the thread. */
export class HeldCompute implements Compute {
  hold = false;
  readonly #inner = new PortableCompute();
  readonly #held: (() => void)[] = [];

  crc32c(buffer: Buffer, start: number, end: number, seed?: number): number {
    return this.#inner.crc32c(buffer, start, end, seed);
  }

  walkRecords(
    buffer: Buffer,
    start: number,
    end: number,
    expectedCount: number,
    firstOffsetDelta = 0,
  ): RecordWalk {
    return this.#inner.walkRecords(buffer, start, end, expectedCount, firstOffsetDelta);
  }

  decompress(
    codec: CompressionCodec,
    buffer: Buffer,
    start: number,
    end: number,
    maxOutputBytes: number,
    done: ComputeCallback,
  ): void {
    this.#run(() => this.#inner.decompress(codec, buffer, start, end, maxOutputBytes, done));
  }

  compress(codec: CompressionCodec, input: Buffer, level: number | null, done: ComputeCallback): void {
    this.#run(() => this.#inner.compress(codec, input, level, done));
  }

  /** Does what was held back. */
  release(): void {
    for (const run of this.#held.splice(0)) run();
  }

  #run(work: () => void): void {
    if (this.hold) this.#held.push(work);
    else work();
  }
}
