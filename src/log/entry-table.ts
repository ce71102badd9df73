import { assert } from '../base/assert.ts';
import { type Disk, type DiskCallback, DiskError, type DiskFile } from '../io/disk.ts';
import type { IndexMemory, MemoryHolder } from './index-memory.ts';

/** Room for so many entries is made for the first. */
const FIRST_CAPACITY = 16;
/** Entries that a table of a log keeps in memory before it writes them unasked. */
const MAX_TAIL_ENTRIES = 1024;
/** Entries of a file that one read brings in. The last ones read are kept: a reader that goes on finds the next ones there. */
const NEAR_ENTRIES = 512;
const NOTHING: Buffer = Buffer.alloc(0);

/** The log of a table: its files must not be cut or closed while entries are written. */
export interface IndexOwner {
  /** Entries begin to be written that nobody asked for. */
  spillBegan(): void;
  /** They are in the file now, or could not be written: then they stay in memory. */
  spillEnded(error: DiskError | null): void;
}

/**
 * The entries of an index file, all of one size. Those from some entry on, the tail, are in memory; the ones before it are in the file, from where a page is read when one is looked for. What
 * is in the tail is appended to the file when asked (`persist`). Of a table of a log (`attach`) the tail is bounded: when it is long, or all tables together hold too much, it is
 * written unasked and the memory given back, but for the last entry, so that growing never reads. All of it can be given back (`release`) when the segment is sealed.
 *
 * The file may lag behind the entries, or hold more than them (after a cut), until the next `persist` is done.
 */
export class EntryTable implements MemoryHolder {
  /** Entries there are. */
  count = 0;
  /** Of the file; follows `moveTo`. */
  path: string;
  readonly entryBytes: number;
  readonly #disk: Disk;
  /** Entries from `#first` on; null if none was ever in memory or it was given back. */
  #tail: Buffer | null;
  /** At most `#persisted`. */
  #first = 0;
  #file: DiskFile | null = null;
  /** The first so many entries are in the file as they should be. */
  #persisted = 0;
  #persisting = false;
  /** Bytes of the tail that is to be given back once it is written, 0 if none is. */
  #spillingBytes = 0;
  #waiting: DiskCallback[] = [];
  /** Changes with every cut: what a write in flight brought is judged by it. */
  #cuts = 0;
  /** Entries `[#nearFirst, #nearEnd)` as they are in the file. */
  #near: Buffer | null = null;
  #nearFirst = 0;
  #nearEnd = 0;
  /** What the last `locate` or `grow` speaks of. */
  #located: Buffer = NOTHING;
  #memory: IndexMemory | null = null;
  #owner: IndexOwner | null = null;

  private constructor(disk: Disk, path: string, entryBytes: number, tail: Buffer | null) {
    this.#disk = disk;
    this.path = path;
    this.entryBytes = entryBytes;
    this.#tail = tail;
  }

  /** An empty table that replaces whatever the file holds. @throws DiskError */
  static create(disk: Disk, path: string, entryBytes: number): EntryTable {
    const table = new EntryTable(disk, path, entryBytes, NOTHING);
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
    const table = new EntryTable(disk, path, entryBytes, NOTHING);
    table.#cuts = 1;
    return table;
  }

  /** The table of a file that is right, its size a multiple of the entry's; nothing is read yet. */
  static existing(disk: Disk, path: string, entryBytes: number, sizeBytes: number): EntryTable {
    const table = new EntryTable(disk, path, entryBytes, null);
    assert(sizeBytes % entryBytes === 0, `${path} holds whole entries`);
    table.count = sizeBytes / entryBytes;
    table.#persisted = table.count;
    table.#first = table.count;
    return table;
  }

  /** From now on what it holds is counted in `memory` and bounded. */
  attach(memory: IndexMemory, owner: IndexOwner): void {
    assert(this.#memory === null || this.#memory === memory, 'a table belongs to one log manager');
    this.#owner = owner;
    if (this.#memory !== null) return;
    this.#memory = memory;
    this.#count(0, this.#tail?.length ?? 0);
    if (this.#near !== null) memory.pageRead(this, this.#near.length);
  }

  /** Its segment is on its way out: nothing is written unasked any more. A write that has begun goes on. */
  detach(): void {
    this.#memory?.pageDropped(this);
    this.#memory?.spilled(this.#spillingBytes);
    this.#spillingBytes = 0;
    this.#count(this.#tail?.length ?? 0, 0);
    this.#memory = null;
    this.#owner = null;
  }

  /** The file is in another directory now. */
  moveTo(directory: string): void {
    this.path = directory + this.path.slice(this.path.lastIndexOf('/'));
  }

  /** True while all entries are in memory. */
  get inMemory(): boolean {
    return this.#tail !== null && this.#first === 0;
  }

  /** True if every entry is in the file. */
  get isPersisted(): boolean {
    return this.#persisted === this.count && !this.#persisting;
  }

  /** Where entry `index` lies in `bytes()`: call this, then that. @throws DiskError */
  locate(index: number): number {
    assert(index >= 0 && index < this.count, 'an index entry exists');
    if (index >= this.#first) {
      this.#located = this.#tail as Buffer;
      return (index - this.#first) * this.entryBytes;
    }
    if (this.#near === null || index < this.#nearFirst || index >= this.#nearEnd) this.#readNear(index);
    this.#located = this.#near as unknown as Buffer;
    return (index - this.#nearFirst) * this.entryBytes;
  }

  /** The first entry of the tail; all from it on are at hand without a read. */
  get tailFirst(): number {
    return this.#first;
  }

  /** First entry of those before the tail that are at hand without a read. */
  get nearFirst(): number {
    return this.#nearFirst;
  }

  /** The end of those, exclusive; not above `nearFirst` if there are none. */
  get nearEnd(): number {
    return this.#near === null ? 0 : Math.min(this.#nearEnd, this.#first);
  }

  /** The buffer that the last `locate` or `grow` speaks of. */
  bytes(): Buffer {
    return this.#located;
  }

  /** Makes room for one more entry and returns its position in `bytes()`; the caller fills it at once. */
  grow(): number {
    if ((this.count - this.#first) * this.entryBytes === (this.#tail?.length ?? 0)) this.#makeRoom();
    const tail = this.#tail as Buffer;
    const position = (this.count - this.#first) * this.entryBytes;
    this.count++;
    this.#located = tail;
    return position;
  }

  #makeRoom(): void {
    const length = this.#tail?.length ?? 0;
    const memory = this.#memory;
    if (memory !== null) {
      if (this.count - this.#first >= MAX_TAIL_ENTRIES) this.spill();
      memory.makeRoom(Math.max(length, FIRST_CAPACITY * this.entryBytes));
    }
    // Either may have emptied this tail.
    const used = (this.count - this.#first) * this.entryBytes;
    if (used === (this.#tail?.length ?? 0)) this.#resize(this.#first, Math.max(used * 2, 1));
  }

  /** The tail begins at `first` now and has room for so many bytes at least. */
  #resize(first: number, bytes: number): void {
    let length = FIRST_CAPACITY * this.entryBytes;
    while (length < bytes) length *= 2;
    // Not from Node's pool, of which a small buffer holds a large piece.
    const resized = Buffer.allocUnsafeSlow(length);
    const start = (first - this.#first) * this.entryBytes;
    this.#tail?.copy(resized, 0, start, (this.count - this.#first) * this.entryBytes);
    this.#setTail(first, resized);
  }

  #setTail(first: number, tail: Buffer | null): void {
    const former = this.#tail?.length ?? 0;
    const now = tail?.length ?? 0;
    this.#tail = tail;
    this.#first = first;
    this.#located = NOTHING;
    if (former !== now) this.#count(former, now);
  }

  #count(formerBytes: number, bytes: number): void {
    this.#memory?.resized(this, formerBytes, bytes, bytes > FIRST_CAPACITY * this.entryBytes);
  }

  /** Drops the entries from `count` on; the file follows at the next `persist`. @throws DiskError with nothing changed */
  cut(count: number): void {
    if (count >= this.count) return;
    if (count <= this.#first && this.#first > 0) {
      // What grows next is compared with the last one.
      const last = count === 0 ? null : this.#copyOf(count - 1);
      this.#setTail(Math.max(count - 1, 0), last ?? (this.#tail === null ? null : NOTHING));
    } else if (this.#persisting) {
      // The disk still reads what is cut off.
      const copy = Buffer.allocUnsafeSlow((this.#tail as Buffer).length);
      this.#tail?.copy(copy);
      this.#tail = copy;
    }
    this.count = count;
    this.#persisted = Math.min(this.#persisted, count);
    this.#nearEnd = Math.min(this.#nearEnd, count);
    this.#cuts++;
  }

  #copyOf(index: number): Buffer {
    const at = this.locate(index);
    const copy = Buffer.allocUnsafeSlow(FIRST_CAPACITY * this.entryBytes);
    this.#located.copy(copy, 0, at, at + this.entryBytes);
    return copy;
  }

  /** Brings the last entry into memory: the segment is to grow, and an entry is compared with the one before. @throws DiskError */
  holdLast(): void {
    if (this.count === 0 || this.#first < this.count) return;
    this.#setTail(this.count - 1, this.#copyOf(this.count - 1));
  }

  /** Gives the memory back, if the file has everything. */
  release(): void {
    if (!this.isPersisted) return;
    this.#setTail(this.count, null);
    this.dropPage();
  }

  spill(): void {
    const memory = this.#memory;
    const owner = this.#owner;
    if (memory === null || owner === null || this.#spillingBytes > 0 || this.#tail === null) return;
    this.#spillingBytes = this.#tail.length;
    memory.spilling(this, this.#spillingBytes);
    owner.spillBegan();
    this.persist((error) => {
      this.#endSpill(error);
      owner.spillEnded(error);
    });
  }

  /** What could not be written is tried again when the tail has grown. */
  #endSpill(error: DiskError | null): void {
    const bytes = this.#spillingBytes;
    if (bytes === 0) return;
    this.#spillingBytes = 0;
    this.#memory?.spilled(bytes);
    if (error === null) this.#dropFront();
  }

  /** Drops what the file has from the front of the tail, all but the last entry. */
  #dropFront(): void {
    if (this.#tail === null) return;
    const first = Math.max(Math.min(this.#persisted, this.count - 1), this.#first);
    const bytes = (this.count - first) * this.entryBytes;
    // Nothing to be had now: it may be asked again.
    if (this.#persisting || bytes > this.#tail.length / 2) this.#count(this.#tail.length, this.#tail.length);
    else this.#resize(first, bytes);
  }

  dropPage(): void {
    if (this.#located === this.#near) this.#located = NOTHING;
    this.#near = null;
    this.#nearEnd = 0;
    this.#memory?.pageDropped(this);
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

  /** Puts all entries into the file in one step, durably, whatever it held: for a table that was rebuilt and is no log's yet. */
  replace(done: DiskCallback): void {
    assert(!this.#persisting && this.inMemory, 'a rebuilt index is in memory');
    this.#closeFile();
    const { count } = this;
    const bytes = Buffer.from((this.#tail as Buffer).subarray(0, count * this.entryBytes));
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
    this.detach();
    this.#closeFile();
    this.#tail = null;
    this.dropPage();
  }

  /** Unlinks the file, if it is there; nothing may be in flight. @throws DiskError */
  remove(): void {
    this.close();
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
    const start = (this.#persisted - this.#first) * this.entryBytes;
    // Not copied: entries that are there change only by a cut, which takes another buffer.
    const part = (this.#tail as Buffer).subarray(start, (end - this.#first) * this.entryBytes);
    this.#persisting = true;
    return file.append([part], (error) => {
      this.#persisting = false;
      if (error !== null) {
        // That handle writes no more; another one cuts the file first.
        if (error.code === 'ECUT') this.#closeFile();
        return this.#answer(error);
      }
      // A cut during the write leaves entries in the file that are none any more; they go with the next write.
      if (this.#cuts === cuts) this.#persisted = end;
      if (this.#persisted === this.count && this.#cuts === cuts) return this.#answer(null);
      return this.persist(() => {});
    });
  }

  #closeFile(): void {
    this.#file?.close();
    this.#file = null;
  }

  #answer(error: DiskError | null): void {
    for (const done of this.#waiting.splice(0)) done(error);
  }

  #readNear(index: number): void {
    const near = this.#near ?? Buffer.allocUnsafeSlow(NEAR_ENTRIES * this.entryBytes);
    const first = index - (index % NEAR_ENTRIES);
    const end = Math.min(first + NEAR_ENTRIES, this.#first);
    const wanted = (end - first) * this.entryBytes;
    // A read that fails leaves who knows what.
    this.dropPage();
    const read = this.#open('read-write').read(first * this.entryBytes, near, 0, wanted);
    assert(read === wanted, `${this.path} is as long as it was`);
    this.#near = near;
    this.#nearFirst = first;
    this.#nearEnd = end;
    this.#memory?.pageRead(this, near.length);
  }

  #open(mode: 'open-or-create' | 'read-write'): DiskFile {
    this.#file ??= this.#disk.open(this.path, mode);
    return this.#file;
  }
}
