/**
 * A seeded generator of 32-bit numbers (sfc32). Everything random in the broker comes from one that was given at
 * construction, so that the simulator can replay a run.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed up to three 32-bit words; the same words give the same sequence. */
  constructor(...seed: number[]) {
    this.#a = (seed[0] ?? 0) | 0;
    this.#b = (seed[1] ?? 0x9e3779b9) | 0;
    this.#c = (seed[2] ?? 0x243f6a88) | 0;
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** Uniform in [0, 2^32). */
  uint32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + t) | 0;
    return t >>> 0;
  }

  /** Uniform in [0, bound); `bound` is in 1..2^32. */
  below(bound: number): number {
    return Math.floor((this.uint32() / 0x1_0000_0000) * bound);
  }

  /** Uniform in [low, high], both inclusive. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with the given probability (0..1). */
  chance(probability: number): boolean {
    return this.uint32() / 0x1_0000_0000 < probability;
  }

  /** One element of a non-empty list. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Fills a new buffer of `lengthBytes` with random bytes. */
  bytes(lengthBytes: number): Buffer {
    const out = Buffer.alloc(lengthBytes);
    for (let i = 0; i < lengthBytes; i++) out[i] = this.uint32() & 0xff;
    return out;
  }

  /** An independent generator drawn from this one, for a part that must not disturb the others' sequence. */
  fork(): Random {
    return new Random(this.uint32(), this.uint32(), this.uint32());
  }
}
