import { assert } from '../base/assert.ts';
import type { EpochEntry } from './checkpoint-file.ts';
import type { EpochEnd } from './log-read.ts';

/**
 * Where each leader epoch begins (KIP-101, formats §13, §25). Epochs and start offsets increase strictly. `onChange` is called after every change, so
 * that the checkpoint follows.
 */
export class LeaderEpochCache {
  readonly #entries: EpochEntry[] = [];
  #onChange: () => void = () => {};

  constructor(entries: readonly EpochEntry[] = []) {
    this.#entries.push(...entries);
    this.checkInvariants();
  }

  /** Sets who is told of changes. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries;
  }

  /** -1 when there is none. */
  get latestEpoch(): number {
    return this.#entries.at(-1)?.epoch ?? -1;
  }

  /**
   * Notes that `epoch` begins at `startOffset`, unless it is the latest one already. Entries that would then be out of order (not below it in both) are dropped: an
   * epoch that ended without a record leaves no trace.
   */
  assign(epoch: number, startOffset: number): void {
    const last = this.#entries.at(-1);
    if (epoch < 0 || (last !== undefined && last.epoch === epoch && startOffset >= last.startOffset)) return;
    while (this.#entries.length > 0) {
      const former = this.#entries.at(-1) as EpochEntry;
      if (former.epoch < epoch && former.startOffset < startOffset) break;
      this.#entries.pop();
    }
    this.#entries.push({ epoch, startOffset });
    this.#onChange();
  }

  /** The log was cut: epochs that begin at or after `endOffset` are gone. */
  truncateFromEnd(endOffset: number): void {
    const before = this.#entries.length;
    while ((this.#entries.at(-1)?.startOffset ?? -1) >= endOffset) this.#entries.pop();
    if (this.#entries.length !== before) this.#onChange();
  }

  /** The log now begins at `startOffset`: older epochs are gone, the one that holds it begins there. */
  truncateFromStart(startOffset: number): void {
    const holding = this.#floorOfOffset(startOffset);
    const entry = this.#entries[holding];
    if (entry === undefined || (holding === 0 && entry.startOffset === startOffset)) return;
    this.#entries.splice(0, holding + 1, { epoch: entry.epoch, startOffset });
    this.#onChange();
  }

  /** Forgets all. */
  clear(): void {
    if (this.#entries.length === 0) return;
    this.#entries.length = 0;
    this.#onChange();
  }

  /** Epoch of the record at `offset`, -1 when it lies before the first known epoch. */
  epochOf(offset: number): number {
    return this.#entries[this.#floorOfOffset(offset)]?.epoch ?? -1;
  }

  /**
   * The largest known epoch <= `epoch` and where the next one begins (or the log ends). For an epoch before all known ones: that epoch, and the start of the first.
   * Null when the cache is empty or `epoch` is above all known ones.
   */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEnd | null {
    if (epoch < 0 || epoch > this.latestEpoch) return null;
    let next = this.#entries.length;
    while (next > 0 && (this.#entries[next - 1] as EpochEntry).epoch > epoch) next--;
    const endOffset = this.#entries[next]?.startOffset ?? logEndOffset;
    return { epoch: this.#entries[next - 1]?.epoch ?? epoch, endOffset };
  }

  #floorOfOffset(offset: number): number {
    let low = -1;
    let high = this.#entries.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#entries[middle] as EpochEntry).startOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Asserts that epochs and offsets increase. */
  checkInvariants(): void {
    this.#entries.reduce(
      (former, entry) => {
        assert(
          entry.epoch > former.epoch && entry.startOffset > former.startOffset,
          'leader epochs increase',
        );
        return entry;
      },
      { epoch: -1, startOffset: -1 },
    );
  }
}
