import { assert } from '../base/assert.ts';

/** Most bytes of decompressed blocks, and of batches rebuilt from them and not yet written, that one broker holds, over all partitions. */
export const MAX_BLOCK_BYTES_HELD = 256 * 1024 * 1024;

interface Waiting {
  readonly bytes: number;
  readonly granted: () => void;
}

/**
 * Bytes that validators share. Who asks for more than there is waits; requests are granted in order, so that a large one is not overtaken for ever. A request is never
 * larger than the budget. How many wait is bounded by the partitions: each has one at most.
 */
export class BlockBudget {
  readonly #maxBytes: number;
  #heldBytes = 0;
  #waiting: Waiting[] = [];
  #granting = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Granted and not given back; may exceed the budget by what was `charge`d. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Calls `granted` when `bytes` are there: before it returns, or later. */
  acquire(bytes: number, granted: () => void): void {
    assert(bytes <= this.#maxBytes, 'a request fits in the budget');
    if (this.#waiting.length === 0 && !this.#granting && this.#fits(bytes)) {
      this.#heldBytes += bytes;
      return granted();
    }
    this.#waiting.push({ bytes, granted });
    return undefined;
  }

  /** Gives bytes back. */
  release(bytes: number): void {
    this.#heldBytes -= bytes;
    assert(this.#heldBytes >= 0, 'what is given back was granted');
    this.#grant();
  }

  #fits(bytes: number): boolean {
    return this.#heldBytes + bytes <= this.#maxBytes;
  }

  /** Callbacks may give back and ask again: the loop takes that up, not a recursion. */
  #grant(): void {
    if (this.#granting) return;
    this.#granting = true;
    for (
      let first = this.#waiting[0];
      first !== undefined && this.#fits(first.bytes);
      first = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#heldBytes += first.bytes;
      first.granted();
    }
    this.#granting = false;
  }
}
