import { assert } from '../../base/assert.ts';

/**
 * What the cache manages: one file that can be opened again at any time. A pinned one (a lease lives, a call is in flight) stays open.
 *
 *     closed ── acquire ──> open, in the list ── pin ──> open, pinned
 *        └─── eviction, drop ───┘    └─────── last unpin ────┘
 */
export abstract class CachedDescriptor {
  /** -1 while closed. Only the cache changes it and the fields below. */
  descriptor = -1;
  pins = 0;
  older: CachedDescriptor | null = null;
  newer: CachedDescriptor | null = null;

  /** Opens the file. @throws system errors; `EMFILE` and `ENFILE` are tried again after the cache has closed others */
  abstract openDescriptor(): number;
  abstract closeDescriptor(descriptor: number): void;
}

/**
 * Keeps at most `maxDescriptors` files open and closes the one that was used longest ago. Pinned files are not closed, so the number is exceeded when more than that
 * many are pinned; it comes down as they are unpinned.
 */
export class DescriptorCache {
  readonly #maxDescriptors: number;
  #open = 0;
  /** Open files that are not pinned, by last use. */
  #oldest: CachedDescriptor | null = null;
  #newest: CachedDescriptor | null = null;

  constructor(maxDescriptors: number) {
    assert(maxDescriptors > 0, 'a descriptor cache holds at least one');
    this.#maxDescriptors = maxDescriptors;
  }

  /** Files open now. */
  get openDescriptors(): number {
    return this.#open;
  }

  /** The descriptor of a file, for a call that ends before anything else is asked of the cache. */
  acquire(file: CachedDescriptor): number {
    if (file.descriptor < 0) this.#openFile(file);
    else if (file.pins === 0 && this.#newest !== file) {
      this.#unlist(file);
      this.#list(file);
    }
    return file.descriptor;
  }

  /** The descriptor of a file, to stay open until `unpin`. */
  pin(file: CachedDescriptor): number {
    if (file.descriptor < 0) this.#openFile(file);
    if (file.pins++ === 0) this.#unlist(file);
    return file.descriptor;
  }

  unpin(file: CachedDescriptor): void {
    assert(file.pins > 0 && file.descriptor >= 0, 'a file is unpinned as often as it was pinned');
    if (--file.pins > 0) return;
    this.#list(file);
    this.#evict(this.#maxDescriptors);
  }

  /** Closes a file now if it is open. It is not pinned. */
  drop(file: CachedDescriptor): void {
    assert(file.pins === 0, 'a pinned file is not closed');
    if (file.descriptor >= 0) this.#close(file);
  }

  #openFile(file: CachedDescriptor): void {
    this.#evict(this.#maxDescriptors - 1);
    try {
      file.descriptor = file.openDescriptor();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if ((code !== 'EMFILE' && code !== 'ENFILE') || this.#oldest === null) throw error;
      // Others in this process need descriptors too: make room for them as well.
      this.#evict(this.#open >> 1);
      file.descriptor = file.openDescriptor();
    }
    this.#open++;
    this.#list(file);
  }

  #evict(keep: number): void {
    while (this.#open > keep && this.#oldest !== null) this.#close(this.#oldest);
  }

  #close(file: CachedDescriptor): void {
    this.#unlist(file);
    const { descriptor } = file;
    file.descriptor = -1;
    this.#open--;
    file.closeDescriptor(descriptor);
  }

  #list(file: CachedDescriptor): void {
    file.older = this.#newest;
    if (this.#newest === null) this.#oldest = file;
    else this.#newest.newer = file;
    this.#newest = file;
  }

  #unlist(file: CachedDescriptor): void {
    if (file.older === null) this.#oldest = file.newer;
    else file.older.newer = file.newer;
    if (file.newer === null) this.#newest = file.older;
    else file.newer.older = file.older;
    file.older = null;
    file.newer = null;
  }
}
