/** Frames below this share slabs with other small buffers, which is cheaper than a buffer of their own. */
const LEAST_BYTES = 2048;
/** Frames above this have a buffer of the native side's, which is taken over as it is. */
const MOST_BYTES = 64 * 1024;
/** Added to each capacity, so that the length of the memory tells that it came from here. */
const MARK_BYTES = 64;
/** Idle bytes of each capacity. */
const IDLE_BYTES = 512 * 1024;
const CAPACITIES = [4096, 8192, 16384, 32768, 65536].map((bytes) => bytes + MARK_BYTES);

/** Where copies of small frames lie that must outlast their wake-up: buffers of a few sizes, used again once they are given back. */
export class FrameCopies {
  readonly #idle: Buffer[][] = CAPACITIES.map(() => []);

  /** A copy of `[start, end)`; it may be given back. */
  copy(source: Buffer, start: number, end: number): Buffer {
    const lengthBytes = end - start;
    if (lengthBytes < LEAST_BYTES || lengthBytes > MOST_BYTES) {
      const target = Buffer.allocUnsafe(lengthBytes);
      source.copy(target, 0, start, end);
      return target;
    }
    let size = 0;
    while ((CAPACITIES[size] as number) < lengthBytes) size++;
    const memory = this.#idle[size]?.pop() ?? Buffer.allocUnsafeSlow(CAPACITIES[size] as number);
    source.copy(memory, 0, start, end);
    return memory.subarray(0, lengthBytes);
  }

  /** Takes a copy back that nobody looks at any more; false if it is not one of these. */
  give(copy: Buffer): boolean {
    const size = CAPACITIES.indexOf(copy.buffer.byteLength);
    if (size < 0) return false;
    const idle = this.#idle[size] as Buffer[];
    if ((idle.length + 1) * copy.buffer.byteLength <= IDLE_BYTES) idle.push(Buffer.from(copy.buffer));
    return true;
  }
}
