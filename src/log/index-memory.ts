import { assert } from '../base/assert.ts';

/** Bytes that the indexes of all logs of a manager hold in memory together. */
export const MAX_INDEX_BYTES = 64 * 1024 * 1024;
/** The share of it for pages that were read for look-ups; what grows has the rest. */
const PAGE_SHARE = 1 / 4;
/** Classes of size by power of two. */
const CLASSES = 32;

/** A table of which a part is in memory. */
export interface MemoryHolder {
  /** Begins to write what only memory holds, and gives it back when that is done, at once or later: `spilled` tells. */
  spill(): void;
  /** Forgets the page that was read last; nothing is lost. */
  dropPage(): void;
}

/**
 * Counts what index tables hold in memory, and keeps it within a maximum: of pages that were read the oldest goes, of entries that grow the largest tails are written first. What is being
 * written, or cannot be, may go beyond it: each entry stands for some kilobytes that the same disk had to take.
 */
export class IndexMemory {
  readonly maxBytes: number;
  #tailBytes = 0;
  #leavingBytes = 0;
  #pageBytes = 0;
  /** Those that may be asked to spill, by the power of two of their size; in each class the oldest first. */
  readonly #tails: readonly Set<MemoryHolder>[] = Array.from({ length: CLASSES }, () => new Set());
  readonly #pages = new Map<MemoryHolder, number>();

  constructor(maxBytes = MAX_INDEX_BYTES) {
    this.maxBytes = maxBytes;
  }

  /** All that is held now. */
  get heldBytes(): number {
    return this.#tailBytes + this.#pageBytes;
  }

  /** Bytes of `heldBytes` that are given back as soon as they are written. */
  get leavingBytes(): number {
    return this.#leavingBytes;
  }

  /** The tail of `holder` has another size now; `canSpill` if that would give anything back. Nobody is asked for anything here: see `makeRoom`. */
  resized(holder: MemoryHolder, formerBytes: number, bytes: number, canSpill: boolean): void {
    this.#tailBytes += bytes - formerBytes;
    if (formerBytes > 0) this.#classOf(formerBytes).delete(holder);
    if (canSpill) this.#classOf(bytes).add(holder);
  }

  /** Asks the largest tails to spill until `wantedBytes` more have room. Every entry of every table must be filled. */
  makeRoom(wantedBytes: number): void {
    const limit = this.maxBytes * (1 - PAGE_SHARE) - wantedBytes;
    for (let c = CLASSES - 1; c >= 0; c--) {
      const tails = this.#tails[c] as Set<MemoryHolder>;
      let left = tails.size;
      for (const holder of tails) {
        if (this.#tailBytes - this.#leavingBytes <= limit) return;
        // One that could not spill may stand at the end again.
        if (left-- === 0) break;
        holder.spill();
      }
    }
  }

  /** `holder` writes a tail of so many bytes; it is not asked again until `spilled` or another size. */
  spilling(holder: MemoryHolder, bytes: number): void {
    this.#classOf(bytes).delete(holder);
    this.#leavingBytes += bytes;
  }

  /** The end of `spilling`, with the same number of bytes, whatever came of it. */
  spilled(bytes: number): void {
    this.#leavingBytes -= bytes;
    assert(this.#leavingBytes >= 0, 'a spill ends once');
  }

  /** `holder` has read a page; older ones go if there are too many. */
  pageRead(holder: MemoryHolder, bytes: number): void {
    this.pageDropped(holder);
    this.#pages.set(holder, bytes);
    this.#pageBytes += bytes;
    for (const oldest of this.#pages.keys()) {
      if (this.#pageBytes <= this.maxBytes * PAGE_SHARE || oldest === holder) return;
      oldest.dropPage();
    }
  }

  /** `holder` has no page any more. */
  pageDropped(holder: MemoryHolder): void {
    this.#pageBytes -= this.#pages.get(holder) ?? 0;
    this.#pages.delete(holder);
  }

  #classOf(bytes: number): Set<MemoryHolder> {
    return this.#tails[CLASSES - 1 - Math.clz32(bytes)] as Set<MemoryHolder>;
  }
}
