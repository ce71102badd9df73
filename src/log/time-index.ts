import { assert } from '../base/assert.ts';
import type { Disk } from '../io/disk.ts';
import { compareHalves, readInt64 } from '../records/int64.ts';
import { EntryTable } from './entry-table.ts';

/** Bytes of an entry: int64 timestamp, int32 offset - baseOffset. */
export const TIME_ENTRY_BYTES = 12;

/**
 * `{baseOffset}.timeindex` (formats §11). An entry (T, offset) means: T is the largest timestamp so far, and the batch that brought it ends at
 * that offset. Timestamps increase strictly, offsets never decrease.
 */
export class TimeIndex {
  readonly table: EntryTable;
  readonly baseOffset: number;

  private constructor(table: EntryTable, baseOffset: number) {
    this.table = table;
    this.baseOffset = baseOffset;
  }

  /** An empty index. @throws DiskError */
  static create(disk: Disk, path: string, baseOffset: number): TimeIndex {
    return new TimeIndex(EntryTable.create(disk, path, TIME_ENTRY_BYTES), baseOffset);
  }

  /** An empty index that is filled anew while the file keeps what it holds. */
  static rebuilt(disk: Disk, path: string, baseOffset: number): TimeIndex {
    return new TimeIndex(EntryTable.rebuilt(disk, path, TIME_ENTRY_BYTES), baseOffset);
  }

  /** The index in a file of `sizeBytes`; null if it cannot be right and must be rebuilt. @throws DiskError */
  static open(disk: Disk, path: string, baseOffset: number, sizeBytes: number): TimeIndex | null {
    if (sizeBytes % TIME_ENTRY_BYTES !== 0) return null;
    const index = new TimeIndex(EntryTable.existing(disk, path, TIME_ENTRY_BYTES, sizeBytes), baseOffset);
    const last = index.count - 1;
    if (last < 0) return index;
    if (index.offsetAt(last) < baseOffset) return null;
    return index.compareAt(0, index.highAt(last), index.lowAt(last)) > 0 ? null : index;
  }

  get count(): number {
    return this.table.count;
  }

  highAt(i: number): number {
    const at = this.table.locate(i);
    return this.table.bytes().readInt32BE(at);
  }

  lowAt(i: number): number {
    const at = this.table.locate(i);
    return this.table.bytes().readUInt32BE(at + 4);
  }

  offsetAt(i: number): number {
    const at = this.table.locate(i);
    return this.baseOffset + this.table.bytes().readInt32BE(at + 8);
  }

  /** Timestamp of entry `i`, the nearest double. */
  timestampAt(i: number): number {
    const at = this.table.locate(i);
    return readInt64(this.table.bytes(), at);
  }

  /** Negative, 0 or positive as entry `i` is below, equal to or above the timestamp. */
  compareAt(i: number, high: number, low: number): number {
    const at = this.table.locate(i);
    const bytes = this.table.bytes();
    return compareHalves(bytes.readInt32BE(at), bytes.readUInt32BE(at + 4), high, low);
  }

  /** Adds an entry, unless the last one has this timestamp already or it is negative (no timestamp). */
  maybeAppend(high: number, low: number, offset: number): void {
    const last = this.count - 1;
    if (last < 0 ? high < 0 : this.compareAt(last, high, low) >= 0) {
      assert(last < 0 || this.compareAt(last, high, low) === 0, 'the largest timestamp does not go back');
      return;
    }
    assert(last < 0 || offset >= this.offsetAt(last), 'time index offsets do not go back');
    const at = this.table.grow();
    const bytes = this.table.bytes();
    bytes.writeInt32BE(high, at);
    bytes.writeUInt32BE(low, at + 4);
    bytes.writeInt32BE(offset - this.baseOffset, at + 8);
  }

  /**
   * Index of the last entry with a timestamp < `timestampMs`, -1 if there is none: every record up to its offset lies below the timestamp. Rounding past 2^53
   * can only make it an earlier one.
   * @throws DiskError
   */
  lastBelow(timestampMs: number): number {
    let low = -1;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.timestampAt(middle) < timestampMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Drops the entries at and above `offset`. @throws DiskError */
  truncateTo(offset: number): void {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.offsetAt(middle) < offset) low = middle + 1;
      else high = middle;
    }
    this.table.cut(low);
  }

  /** True if no entry may follow but the final one. */
  isFull(maxBytes: number): boolean {
    return this.count >= Math.floor(maxBytes / TIME_ENTRY_BYTES) - 1;
  }
}
