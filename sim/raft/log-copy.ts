import type { Batch } from './batch.ts';

/** A log as a list of batches: what a machine has asked for, what a disk holds, or what survives on it. */
export class LogCopy {
  startOffset = 0;
  batches: Batch[] = [];

  get endOffset(): number {
    return this.batches.at(-1)?.endOffset ?? this.startOffset;
  }

  /** Index of the first batch that ends past `offset`. */
  indexAfter(offset: number): number {
    let low = 0;
    let high = this.batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.batches[middle] as Batch).endOffset > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The batch that holds the record at `offset`; null when it is not in this log. */
  batchAt(offset: number): Batch | null {
    const batch = this.batches[this.indexAfter(offset)];
    return batch !== undefined && batch.baseOffset <= offset ? batch : null;
  }

  truncate(endOffset: number): void {
    while (this.batches.length > 0 && this.endOffset > endOffset) this.batches.pop();
  }

  /** Drops what lies before an offset. */
  startAt(startOffset: number): void {
    if (startOffset <= this.startOffset) return;
    this.batches.splice(0, this.indexAfter(startOffset));
    this.startOffset = startOffset;
  }

  /** Holds nothing any more, and goes on at an offset. */
  replaceBy(startOffset: number): void {
    this.batches = [];
    this.startOffset = startOffset;
  }

  copy(): LogCopy {
    const copy = new LogCopy();
    copy.startOffset = this.startOffset;
    copy.batches = this.batches.slice();
    return copy;
  }
}
