import { assert } from '../base/assert.ts';
import type { Disk } from '../io/disk.ts';
import { EntryTable } from './entry-table.ts';

/** Bytes of an entry: int32 offset - baseOffset, int32 position of the batch in the segment file. */
export const OFFSET_ENTRY_BYTES = 8;

/**
 * `{baseOffset}.index` (formats §11). An entry names the last offset of a batch and where the batch begins; both increase strictly.
 */
export class OffsetIndex {
  readonly table: EntryTable;
  readonly baseOffset: number;

  private constructor(table: EntryTable, baseOffset: number) {
    this.table = table;
    this.baseOffset = baseOffset;
  }

  /** An empty index. @throws DiskError */
  static create(disk: Disk, path: string, baseOffset: number): OffsetIndex {
    return new OffsetIndex(EntryTable.create(disk, path, OFFSET_ENTRY_BYTES), baseOffset);
  }

  /** An empty index that is filled anew while the file keeps what it holds. */
  static rebuilt(disk: Disk, path: string, baseOffset: number): OffsetIndex {
    return new OffsetIndex(EntryTable.rebuilt(disk, path, OFFSET_ENTRY_BYTES), baseOffset);
  }

  /** The index in a file of `sizeBytes`; null if it cannot be right and must be rebuilt. @throws DiskError */
  static open(disk: Disk, path: string, baseOffset: number, sizeBytes: number): OffsetIndex | null {
    if (sizeBytes % OFFSET_ENTRY_BYTES !== 0) return null;
    const index = new OffsetIndex(EntryTable.existing(disk, path, OFFSET_ENTRY_BYTES, sizeBytes), baseOffset);
    if (index.count > 0 && index.offsetAt(index.count - 1) < baseOffset) return null;
    return index;
  }

  get count(): number {
    return this.table.count;
  }

  /** Last offset of the batch that entry `i` names. */
  offsetAt(i: number): number {
    return this.baseOffset + this.#field(i, 0);
  }

  /** Where the batch of entry `i` begins. */
  positionAt(i: number): number {
    return this.#field(i, 4);
  }

  /** Adds an entry for the batch at `position` whose last offset is `lastOffset`. */
  append(lastOffset: number, position: number): void {
    const last = this.count - 1;
    assert(last < 0 || lastOffset > this.offsetAt(last), 'index offsets increase');
    assert(last < 0 || position > this.positionAt(last), 'index positions increase');
    const at = this.table.grow();
    this.table.bytes().writeInt32BE(lastOffset - this.baseOffset, at);
    this.table.bytes().writeInt32BE(position, at + 4);
  }

  /** Index of the last entry with an offset <= `offset`, -1 if there is none. @throws DiskError */
  floorOfOffset(offset: number): number {
    return this.#floor(offset - this.baseOffset, 0);
  }

  /** Index of the last entry whose field at `fieldStart` is <= `value`; both fields increase. What is at hand is looked at first. */
  #floor(value: number, fieldStart: number): number {
    const { table } = this;
    let low = -1;
    let high = table.count - 1;
    const { tailFirst, nearFirst, nearEnd } = table;
    if (tailFirst < table.count) {
      if (this.#field(tailFirst, fieldStart) <= value) low = tailFirst;
      else high = tailFirst - 1;
    }
    if (low < 0 && nearFirst < nearEnd) {
      if (this.#field(nearFirst, fieldStart) > value) high = nearFirst - 1;
      else if (this.#field(nearEnd - 1, fieldStart) <= value) low = nearEnd - 1;
      else [low, high] = [nearFirst, nearEnd - 1];
    }
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#field(middle, fieldStart) <= value) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #field(i: number, fieldStart: number): number {
    const at = this.table.locate(i);
    return this.table.bytes().readInt32BE(at + fieldStart);
  }

  /** The last indexed position <= `position`, 0 without one: a place where a batch begins. @throws DiskError */
  floorOfPosition(position: number): number {
    const i = this.#floor(position, 4);
    return i < 0 ? 0 : this.positionAt(i);
  }

  /** Last offset of the first indexed batch that begins at or after `position`, -1 when there is none: everything before lies below. @throws DiskError */
  offsetBeyondPosition(position: number): number {
    const i = this.#floor(position - 1, 4) + 1;
    return i < this.count ? this.offsetAt(i) : -1;
  }

  /** Drops the entries at and above `offset`. @throws DiskError */
  truncateTo(offset: number): void {
    this.table.cut(this.floorOfOffset(offset - 1) + 1);
  }

  /** True if no entry may follow. */
  isFull(maxBytes: number): boolean {
    return this.count >= Math.floor(maxBytes / OFFSET_ENTRY_BYTES);
  }
}
