import { assert } from '../base/assert.ts';
import type { Disk, DiskCallback } from '../io/disk.ts';
import { readInt64, writeInt64 } from '../records/int64.ts';
import { EntryTable, type IndexOwner } from './entry-table.ts';
import type { IndexMemory } from './index-memory.ts';

/**
 * Bytes of an entry:
 *
 * ```
 * 0 version int16 (0) | 2 producerId int64 | 10 firstOffset int64 | 18 lastOffset int64 | 26 lastStableOffset int64
 * ```
 */
export const TXN_ENTRY_BYTES = 34;
const VERSION = 0;
const Field = { producerId: 2, firstOffset: 10, lastOffset: 18, lastStableOffset: 26 } as const;

/** A transaction that was aborted, as far as it lies in one log. */
export interface AbortedTransaction {
  readonly producerId: number;
  /** Of its first batch. */
  readonly firstOffset: number;
  /** Of its marker. */
  readonly lastOffset: number;
  /** When the marker was written, every transaction that begins below was decided. */
  readonly lastStableOffset: number;
}

/**
 * `{baseOffset}.txnindex` (formats §11): the aborted transactions whose markers lie in a segment, by the offset of the marker. There is no file before there is an entry: most
 * segments never have one.
 */
export class TransactionIndex {
  /** Of the file; follows `moveTo`. */
  path: string;
  readonly #disk: Disk;
  #table: EntryTable | null;
  /** True once the name of the file is as durable as the rest of the segment's. */
  #isNamed: boolean;
  #memory: IndexMemory | null = null;
  #owner: IndexOwner | null = null;

  private constructor(disk: Disk, path: string, table: EntryTable | null) {
    this.#disk = disk;
    this.path = path;
    this.#table = table;
    this.#isNamed = table !== null;
  }

  /** An index without entries and without a file. */
  static none(disk: Disk, path: string): TransactionIndex {
    return new TransactionIndex(disk, path, null);
  }

  /** An empty index that is filled anew while the file, which is there, keeps what it holds. */
  static rebuilt(disk: Disk, path: string): TransactionIndex {
    return new TransactionIndex(disk, path, EntryTable.rebuilt(disk, path, TXN_ENTRY_BYTES));
  }

  /**
   * The index in a file of `sizeBytes`; null if it cannot be right and must be rebuilt. All of it is read. An empty file is not believed: it is what a lost content looks like, and only a cut leaves one
   * behind. @throws DiskError
   */
  static open(disk: Disk, path: string, baseOffset: number, sizeBytes: number): TransactionIndex | null {
    if (sizeBytes === 0 || sizeBytes % TXN_ENTRY_BYTES !== 0) return null;
    const index = new TransactionIndex(
      disk,
      path,
      EntryTable.existing(disk, path, TXN_ENTRY_BYTES, sizeBytes),
    );
    if (index.#isSane(baseOffset)) return index;
    index.close();
    return null;
  }

  /** See `EntryTable`. */
  attach(memory: IndexMemory, owner: IndexOwner): void {
    this.#memory = memory;
    this.#owner = owner;
    this.#table?.attach(memory, owner);
  }

  /** See `EntryTable`. */
  detach(): void {
    this.#memory = null;
    this.#owner = null;
    this.#table?.detach();
  }

  /** The file is in another directory now. */
  moveTo(directory: string): void {
    this.path = directory + this.path.slice(this.path.lastIndexOf('/'));
    this.#table?.moveTo(directory);
  }

  /** How many transactions. */
  get count(): number {
    return this.#table?.count ?? 0;
  }

  /** True if the index has to do with a file. */
  get hasFile(): boolean {
    return this.#table !== null;
  }

  /** Entry `i`, from 0 on. @throws DiskError */
  at(i: number): AbortedTransaction {
    return {
      producerId: this.#field(i, Field.producerId),
      firstOffset: this.#field(i, Field.firstOffset),
      lastOffset: this.#field(i, Field.lastOffset),
      lastStableOffset: this.#field(i, Field.lastStableOffset),
    };
  }

  /** Adds a transaction whose marker lies above all others. The last one must be in memory. */
  append(aborted: AbortedTransaction): void {
    const table = (this.#table ??= this.#made());
    const last = table.count - 1;
    assert(last < 0 || this.#field(last, Field.lastOffset) < aborted.lastOffset, 'markers come in order');
    const at = table.grow();
    const bytes = table.bytes();
    bytes.writeInt16BE(VERSION, at);
    writeInt64(bytes, at + Field.producerId, aborted.producerId);
    writeInt64(bytes, at + Field.firstOffset, aborted.firstOffset);
    writeInt64(bytes, at + Field.lastOffset, aborted.lastOffset);
    writeInt64(bytes, at + Field.lastStableOffset, aborted.lastStableOffset);
  }

  /**
   * Adds to `into` the transactions that reach into `[fetchOffset, upperBoundOffset)`.
   * @returns true if no later segment can have another one
   * @throws DiskError
   */
  collect(fetchOffset: number, upperBoundOffset: number, into: AbortedTransaction[]): boolean {
    for (let i = this.#firstEndingAt(fetchOffset); i < this.count; i++) {
      const aborted = this.at(i);
      if (aborted.firstOffset < upperBoundOffset) into.push(aborted);
      if (aborted.lastStableOffset >= upperBoundOffset) return true;
    }
    return false;
  }

  /** Drops the transactions whose markers lie at or above `offset`. @throws DiskError */
  truncateTo(offset: number): void {
    this.#table?.cut(this.#firstEndingAt(offset));
    // What was never written leaves no file behind that would have to be cut.
    if (this.count > 0 || this.#disk.exists(this.path)) return;
    this.#table?.close();
    this.#table = null;
  }

  #made(): EntryTable {
    const table = EntryTable.rebuilt(this.#disk, this.path, TXN_ENTRY_BYTES);
    if (this.#memory !== null && this.#owner !== null) table.attach(this.#memory, this.#owner);
    return table;
  }

  /** Brings the last entry into memory: the segment is to grow. @throws DiskError */
  holdLast(): void {
    this.#table?.holdLast();
  }

  /** Gives the memory back, if the file has everything. */
  release(): void {
    this.#table?.release();
  }

  /** Writes the entries that the file lacks. */
  persist(done: DiskCallback): void {
    if (this.#table === null) done(null);
    else this.#table.persist(done);
  }

  /** Writes the entries that the file lacks and makes it durable, its name included. */
  flush(done: DiskCallback): void {
    if (this.#table === null) return done(null);
    return this.#table.flush((error) => {
      if (error !== null || this.#isNamed) return done(error);
      const directory = this.path.slice(0, this.path.lastIndexOf('/'));
      return this.#disk.flushDirectory(directory, (failure) => {
        if (failure === null) this.#isNamed = true;
        done(failure);
      });
    });
  }

  /** Puts all entries into the file in one step, durably, whatever it held: for an index that was rebuilt. One whose file is right already stays as it is. */
  replace(done: DiskCallback): void {
    if (this.#table === null || !this.#table.inMemory) return done(null);
    return this.#table.replace((error) => {
      if (error === null) this.#isNamed = true;
      done(error);
    });
  }

  /** True while the file is being written. */
  get busy(): boolean {
    return this.#table?.busy ?? false;
  }

  /** Closes the file; nothing may be in flight. */
  close(): void {
    this.#table?.close();
  }

  /** Unlinks the file, if it is there; nothing may be in flight. @throws DiskError */
  remove(): void {
    this.#table?.remove();
    this.#table = null;
  }

  /** Index of the first entry whose marker lies at or above `offset`. @throws DiskError */
  #firstEndingAt(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#field(middle, Field.lastOffset) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** True if the entries can be what they should: of the known version, inside the segment, in order. @throws DiskError */
  #isSane(baseOffset: number): boolean {
    let lastOffset = baseOffset - 1;
    let lastStableOffset = 0;
    for (let i = 0; i < this.count; i++) {
      const entry = this.at(i);
      const isOrdered = entry.lastOffset > lastOffset && entry.lastStableOffset >= lastStableOffset;
      const isWhole = entry.producerId >= 0 && entry.firstOffset >= 0 && entry.firstOffset < entry.lastOffset;
      const isStable = entry.lastStableOffset <= entry.lastOffset + 1;
      if (this.#version(i) !== VERSION || !isOrdered || !isWhole || !isStable) return false;
      ({ lastOffset, lastStableOffset } = entry);
    }
    return true;
  }

  #version(i: number): number {
    const table = this.#table as EntryTable;
    const at = table.locate(i);
    return table.bytes().readInt16BE(at);
  }

  #field(i: number, start: number): number {
    const table = this.#table as EntryTable;
    const at = table.locate(i);
    return readInt64(table.bytes(), at + start);
  }
}
