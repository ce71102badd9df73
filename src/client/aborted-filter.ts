import type { BatchView } from '../records/batch.ts';
import { markerOf } from '../records/transaction-marker.ts';

/** An aborted transaction as Fetch names it: all of the producer's transactional batches from the offset on, up to its abort marker. */
export interface AbortedRange {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** Goes along with fetched batches and tells which ones belong to aborted transactions (KIP-98). */
export class AbortedFilter {
  /** Ascending by first offset. */
  readonly #ranges: readonly AbortedRange[];
  #next = 0;
  /** Producers inside an aborted transaction. */
  readonly #aborting = new Set<number>();

  constructor(ranges: readonly AbortedRange[]) {
    this.#ranges = ranges.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** True if the records of the batch must be left out. To be asked of every batch, in the order of their offsets; the whole batch must be there. */
  leavesOut(batch: BatchView): boolean {
    const { lastOffset } = batch;
    for (; this.#next < this.#ranges.length; this.#next++) {
      const range = this.#ranges[this.#next] as AbortedRange;
      if (range.firstOffset > lastOffset) break;
      this.#aborting.add(range.producerId);
    }
    if (this.#aborting.size === 0) return false;
    if (batch.isControl) {
      if (markerOf(batch)?.type === 'ABORT') this.#aborting.delete(batch.producerId);
      return true;
    }
    return batch.isTransactional && this.#aborting.has(batch.producerId);
  }
}
