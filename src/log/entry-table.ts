import { assert } from '../base/assert.ts';
import { type Disk, type DiskCallback, DiskError, type DiskFile } from '../io/disk.ts';

const FIRST_CAPACITY = 64;
/** Entries of a file that one read brings in. The last ones read are kept: a reader that goes on finds the next ones there. */
const NEAR_ENTRIES = 512;

/**
 * The entries of an index file, all of one size. They are in memory while the segment grows, and are appended to the file when asked (`persist`); once all
 * are there and the segment is sealed, memory can be given back (`release`) and single entries are read from the file.
 *
 * The file may lag behind the entries, or hold more than them (after a cut), until the next `persist` is done.
 */
export class EntryTable {
  /** Entries there are. */
  count = 0;
  readonly path: string;
  readonly entryBytes: number;
  readonly #disk: Disk;
  #memory: Buffer | null;
  #file: DiskFile | null = null;
  /** The first so many entries are in the file as they should be. */
  #persisted = 0;
  #persisting = false;
  #waiting: DiskCallback[] = [];
  /** Changes with every cut: what a write in flight brought is judged by it. */
  #cuts = 0;
  #near: Buffer | null = null;
  #nearFirst = 0;

  private constructor(disk: Disk, path: string, entryBytes: number, memory: Buffer | null) {
    this.#disk = disk;
    this.path = path;
    this.entryBytes = entryBytes;
    this.#memory = memory;
  }

  /** An empty table that replaces whatever the file holds. @throws DiskError */
  static create(disk: Disk, path: string, entryBytes: number): EntryTable {
    const table = new EntryTable(disk, path, entryBytes, Buffer.allocUnsafe(0));
    const file = disk.open(path, 'open-or-create');
    try {
      if (file.sizeBytes > 0) file.truncate(0);
    } finally {
      file.close();
    }
    return table;
  }

  /** An empty table to be filled anew; the file keeps what it holds until `persist` or `replace`. */
  static rebuilt(disk: Disk, path: string, entryBytes: number): EntryTable {
    const table = new EntryTable(disk, path, entryBytes, Buffer.allocUnsafe(0));
    table.#cuts = 1;
    return table;
  }

  /** The table of a file that is right, its size a multiple of the entry's; nothing is read yet. */
  static existing(disk: Disk, path: string, entryBytes: number, sizeBytes: number): EntryTable {
    const table = new EntryTable(disk, path, entryBytes, null);
    assert(sizeBytes % entryBytes === 0, `${path} holds whole entries`);
    table.count = sizeBytes / entryBytes;
    table.#persisted = table.count;
    return table;
  }

  /** True while the entries are in memory. */
  get inMemory(): boolean {
    return this.#memory !== null;
  }

  /** True if every entry is in the file. */
  get isPersisted(): boolean {
    return this.#persisted === this.count && !this.#persisting;
  }

  /** Where entry `index` lies in `bytes()`: call this, then that. @throws DiskError */
  locate(index: number): number {
    assert(index >= 0 && index < this.count, 'an index entry exists');
    if (this.#memory !== null) return index * this.entryBytes;
    if (this.#near === null || index < this.#nearFirst || index >= this.#nearFirst + NEAR_ENTRIES) {
      this.#readNear(index);
    }
    return (index - this.#nearFirst) * this.entryBytes;
  }

  /** First entry of those that are at hand without a read. */
  get nearFirst(): number {
    return this.#memory !== null ? 0 : this.#nearFirst;
  }

  /** Last entry of those that are at hand without a read; below `nearFirst` if there are none. */
  get nearLast(): number {
    if (this.#memory !== null) return this.count - 1;
    return this.#near === null ? -1 : Math.min(this.#nearFirst + NEAR_ENTRIES, this.count) - 1;
  }

  /** The buffer that the last `locate` speaks of. */
  bytes(): Buffer {
    return (this.#memory ?? this.#near) as Buffer;
  }

  /** Makes room for one more entry and returns its position in `bytes()`; the caller fills it at once. Entries must be in memory. */
  grow(): number {
    const memory = this.#memory;
    assert(memory !== null, 'an index grows in memory');
    const position = this.count * this.entryBytes;
    if (position === memory.length) {
      const grown = Buffer.allocUnsafe(Math.max(memory.length * 2, FIRST_CAPACITY * this.entryBytes));
      memory.copy(grown);
      this.#memory = grown;
    }
    this.count++;
    return position;
  }

  /** Drops the entries from `count` on; the file follows at the next `persist`. */
  cut(count: number): void {
    if (count >= this.count) return;
    this.load();
    this.count = count;
    this.#persisted = Math.min(this.#persisted, count);
    this.#cuts++;
  }

  /** Brings all entries into memory. @throws DiskError */
  load(): void {
    if (this.#memory !== null) return;
    const memory = Buffer.allocUnsafe(this.count * this.entryBytes);
    const read = this.#open('read-write').read(0, memory, 0, memory.length);
    assert(read === memory.length, `${this.path} is as long as it was`);
    this.#memory = memory;
    this.#near = null;
  }

  /** Gives the memory back, if the file has everything. */
  release(): void {
    if (!this.isPersisted) return;
    this.#memory = null;
    this.#near = null;
  }

  /** Writes the entries that the file lacks; `done` once all that are there now are written, or could not be. */
  persist(done: DiskCallback): void {
    this.#waiting.push(done);
    if (this.#persisting) return;
    try {
      if (this.isPersisted && this.#isTrim()) this.#answer(null);
      else this.#write();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#answer(error);
    }
  }

  /** `persist`, then makes the file durable. */
  flush(done: DiskCallback): void {
    this.persist((error) => {
      if (error !== null) return done(error);
      let file: DiskFile;
      try {
        file = this.#open('read-write');
      } catch (cause) {
        if (!(cause instanceof DiskError)) throw cause;
        return done(cause);
      }
      return file.flush(done);
    });
  }

  /** Puts all entries into the file in one step, durably, whatever it held: for a table that was rebuilt. */
  replace(done: DiskCallback): void {
    assert(!this.#persisting && this.#memory !== null, 'a rebuilt index is in memory');
    this.#file?.close();
    this.#file = null;
    const { count } = this;
    const bytes = Buffer.from(this.#memory.subarray(0, count * this.entryBytes));
    this.#persisting = true;
    this.#disk.replaceFile(this.path, bytes, (error) => {
      this.#persisting = false;
      if (error === null) {
        assert(this.count === count, 'an index does not change while it is replaced');
        this.#persisted = count;
      }
      done(error);
    });
  }

  /** Closes the file; nothing may be in flight. */
  close(): void {
    assert(!this.#persisting, 'an index is closed when it is written');
    this.#file?.close();
    this.#file = null;
    this.#memory = null;
  }

  /** Unlinks the file, if it is there; nothing may be in flight. @throws DiskError */
  remove(): void {
    this.#file?.close();
    this.#file = null;
    if (this.#disk.exists(this.path)) this.#disk.remove(this.path);
  }

  /** True while a write is in flight. */
  get busy(): boolean {
    return this.#persisting;
  }

  #isTrim(): boolean {
    return this.#cuts === 0 || this.#open('read-write').sizeBytes === this.count * this.entryBytes;
  }

  /** @throws DiskError when the file cannot be opened or cut */
  #write(): void {
    const file = this.#open('open-or-create');
    const end = this.count;
    const cuts = this.#cuts;
    const sizeBytes = this.#persisted * this.entryBytes;
    if (file.sizeBytes !== sizeBytes) file.truncate(sizeBytes);
    if (end === this.#persisted) return this.#answer(null);
    const first = this.#persisted * this.entryBytes;
    const part = Buffer.from((this.#memory as Buffer).subarray(first, end * this.entryBytes));
    this.#persisting = true;
    return file.append([part], (error) => {
      this.#persisting = false;
      if (error !== null) return this.#answer(error);
      // A cut during the write leaves entries in the file that are none any more; they go with the next write.
      if (this.#cuts === cuts) this.#persisted = end;
      if (this.#persisted === this.count && this.#cuts === cuts) return this.#answer(null);
      return this.persist(() => {});
    });
  }

  #answer(error: DiskError | null): void {
    for (const done of this.#waiting.splice(0)) done(error);
  }

  #readNear(index: number): void {
    const near = this.#near ?? Buffer.allocUnsafe(NEAR_ENTRIES * this.entryBytes);
    const first = index - (index % NEAR_ENTRIES);
    const wanted = Math.min(NEAR_ENTRIES, this.count - first) * this.entryBytes;
    // A read that fails leaves who knows what.
    this.#near = null;
    const read = this.#open('read-write').read(first * this.entryBytes, near, 0, wanted);
    assert(read === wanted, `${this.path} is as long as it was`);
    this.#near = near;
    this.#nearFirst = first;
  }

  #open(mode: 'open-or-create' | 'read-write'): DiskFile {
    this.#file ??= this.#disk.open(this.path, mode);
    return this.#file;
  }
}
