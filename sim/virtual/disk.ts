import { assert } from '../../src/base/assert.ts';
import { Random } from '../../src/base/random.ts';
import {
  type DirectoryEntry,
  type Disk,
  type DiskCallback,
  DiskError,
  type DiskLock,
  type OpenMode,
} from '../../src/io/disk.ts';
import { callThen, KeyedQueue } from '../../src/io/keyed-queue.ts';
import { LeaseTable } from '../../src/io/lease.ts';
import { VirtualClock } from './clock.ts';
import { DiskFaults, type DiskOperation } from './disk-faults.ts';
import { type FileOwner, VirtualFile } from './disk-file.ts';
import { DirectoryTree, type FileNode, sortedNames, type TreeNode } from './disk-tree.ts';

/** How long bringing a file into memory takes. */
const WARM_MS = 1;

/** Milliseconds, least and most, both possible. */
export type Span = readonly [number, number];

/** How long a virtual disk takes. */
export interface DiskLatency {
  readonly appendMs: Span;
  readonly flushMs: Span;
  readonly flushDirectoryMs: Span;
  /** How likely an append completes before the call returns. */
  readonly inlineAppends: number;
}

/** Roughly a busy SSD behind a page cache. */
export const SSD_LATENCY: DiskLatency = {
  appendMs: [0.01, 0.4],
  flushMs: [0.3, 6],
  flushDirectoryMs: [0.2, 3],
  inlineAppends: 0.7,
};

/** How a virtual disk is made. */
export interface VirtualDiskOptions {
  /** Where its completions are scheduled; the clock of the simulation, not of one host. */
  readonly clock?: VirtualClock;
  readonly random?: Random;
  /** `inline`, the default: everything completes before the call returns. */
  readonly latency?: DiskLatency | 'inline';
  /** Bytes that all files may take together; no bound by default. */
  readonly capacityBytes?: number;
  /** How likely one write writes less than it was given, 0 by default. */
  readonly shortWrites?: number;
  /** How likely a crash loses a directory change that was not flushed, 0.3 by default. */
  readonly entryLoss?: number;
  /** After this time the kernel has written a change back without being asked; never by default. */
  readonly writeBackMs?: number;
  /** Maximum age of a lease; no bound by default. */
  readonly maxLeaseAgeMs?: number;
}

/**
 * A disk in memory with a page cache: all see what was written, a crash of the machine loses what was not flushed, in part and torn at sectors or
 * pages, and directory changes that were not flushed. The same seed and the same calls give the same losses. The object is the machine's disk: it
 * stays through `crash()`, and what was opened before it is dead.
 */
export class VirtualDisk implements Disk, FileOwner {
  readonly tree = new DirectoryTree();
  readonly faults: DiskFaults;
  readonly leases: LeaseTable;
  readonly clock: VirtualClock;
  /** Bytes that all files may take together; may be changed at any time. */
  capacityBytes: number;
  /** Files that are not in memory; see `evict`. */
  readonly #cold = new Set<FileNode>();
  #waitless = false;
  /** Counts the crashes; what belongs to an earlier boot is dropped. */
  boot = 0;
  readonly #random: Random;
  readonly #options: VirtualDiskOptions;
  #files = new Set<VirtualFile>();
  #locks = new Map<TreeNode, DiskLock>();
  /** Replacements and directory flushes, by path. */
  readonly #tasks = new KeyedQueue();

  constructor(options: VirtualDiskOptions = {}) {
    assert(
      options.latency === undefined || options.latency === 'inline' || options.clock,
      'latency needs a clock',
    );
    this.#options = options;
    this.clock = options.clock ?? new VirtualClock();
    this.#random = options.random ?? new Random(1);
    this.faults = new DiskFaults(this.#random.fork());
    this.leases = new LeaseTable(this.clock, options.maxLeaseAgeMs ?? Number.POSITIVE_INFINITY);
    this.capacityBytes = options.capacityBytes ?? Number.MAX_SAFE_INTEGER;
  }

  /**
   * The machine goes down and comes up. `power`: what was not flushed is at the mercy of the seed. `process`: only the process died, the page cache stays.
   * Either way no callback comes any more, locks are free, and handles and leases are dead.
   */
  crash(kind: 'power' | 'process' = 'power'): void {
    this.boot++;
    this.#files = new Set();
    this.#locks = new Map();
    this.#tasks.reset();
    if (kind === 'process') return;
    this.tree.crash(this.#random, this.#options.entryLoss ?? 0.3);
    for (const file of this.tree.files()) file.content.crash(this.#random);
  }

  /** Every file leaves the memory: the next read that may not wait is a `ColdRead`. Without this all is always there. */
  evict(): void {
    for (const file of this.tree.files()) this.#cold.add(file);
  }

  /** True if a read of the file would have to wait and may not. */
  isCold(file: FileNode): boolean {
    return this.#waitless && this.#cold.has(file);
  }

  /** Brings a file into memory, in a later turn. */
  warm(file: FileNode, done: () => void): void {
    const { boot } = this;
    this.clock.schedule(this.clock.monotonicMs() + WARM_MS, () => {
      if (boot !== this.boot) return;
      this.#cold.delete(file);
      done();
    });
  }

  withoutWaiting<T>(work: () => T): T {
    assert(!this.#waitless, 'what may not wait does not nest');
    this.#waitless = true;
    try {
      return work();
    } finally {
      this.#waitless = false;
    }
  }

  open(path: string, mode: OpenMode): VirtualFile {
    this.strike('open', path);
    const found = this.tree.find(path);
    if (found?.kind === 'directory') throw new DiskError('EISDIR', path, 'open');
    if (found !== null && mode === 'create') throw new DiskError('EEXIST', path, 'create');
    if (found === null && (mode === 'read' || mode === 'read-write'))
      throw new DiskError('ENOENT', path, 'open');
    const file = new VirtualFile(this, found ?? this.tree.createFile(path, this.wallMs), mode !== 'read');
    this.#files.add(file);
    return file;
  }

  exists(path: string): boolean {
    return this.tree.find(path) !== null;
  }

  list(path: string): DirectoryEntry[] {
    this.strike('list', path);
    const directory = this.#find(path, 'list');
    if (directory.kind !== 'directory') throw new DiskError('ENOTDIR', path, 'list');
    return sortedNames(directory).map((name) => {
      const node = directory.entries.get(name) as TreeNode;
      const sizeBytes = node.kind === 'file' ? node.content.sizeBytes : 0;
      return { name, kind: node.kind, sizeBytes, modifiedMs: node.modifiedMs };
    });
  }

  makeDirectory(path: string): void {
    this.strike('makeDirectory', path);
    this.tree.createDirectories(path, this.wallMs);
  }

  rename(from: string, to: string): void {
    this.renameNode(this.#find(from, 'rename'), from, to);
  }

  remove(path: string): void {
    this.strike('remove', path);
    const node = this.#find(path, 'remove');
    if (node.kind === 'directory') throw new DiskError('EISDIR', path, 'remove');
    this.tree.remove(node);
  }

  removeTree(path: string): void {
    this.strike('remove', path);
    const node = this.tree.find(path);
    if (node !== null) this.tree.remove(node);
  }

  readFile(path: string): Buffer {
    const file = this.open(path, 'read');
    try {
      const content = Buffer.alloc(file.sizeBytes);
      file.read(0, content, 0, content.length);
      return content;
    } finally {
      file.close();
    }
  }

  flushDirectory(path: string, done: DiskCallback): void {
    this.#tasks.run(path, (ended) => this.#flushDirectory(path, callThen(done, ended)));
  }

  replaceFile(path: string, content: Buffer, done: DiskCallback): void {
    this.#tasks.run(path, (ended) => this.#replace(path, content, callThen(done, ended)));
  }

  lock(path: string): DiskLock {
    const node = this.tree.find(path) ?? this.tree.createFile(path, this.wallMs);
    if (this.#locks.has(node)) {
      throw new DiskError('ELOCKED', path, 'lock', {
        detail: 'another broker on this virtual disk holds it',
      });
    }
    const lock: DiskLock = {
      release: () => {
        if (this.#locks.get(node) === lock) this.#locks.delete(node);
      },
    };
    this.#locks.set(node, lock);
    return lock;
  }

  freeBytes(_path: string): number {
    if (this.capacityBytes === Number.MAX_SAFE_INTEGER) return this.capacityBytes;
    let usedBytes = 0;
    for (const file of this.tree.files()) usedBytes += file.content.sizeBytes;
    return Math.max(0, this.capacityBytes - usedBytes);
  }

  totalBytes(_path: string): number {
    return this.capacityBytes;
  }

  close(done: () => void): void {
    const files = [...this.#files];
    let waiting = files.length + 1;
    const one = (): void => {
      if (--waiting > 0) return;
      for (const file of files) file.close();
      this.leases.close();
      done();
    };
    for (const file of files) file.whenIdle(one);
    this.#tasks.whenIdle(one);
  }

  /** Handles that are open, or closed with live leases; for tests that look for leaks. */
  get openFiles(): number {
    return this.#files.size;
  }

  // What the files of this disk ask for.

  get nowMs(): number {
    return this.clock.monotonicMs();
  }

  get wallMs(): number {
    return this.clock.wallMs();
  }

  fault(operation: DiskOperation, path: string): string | null {
    return this.faults.strike(operation, path);
  }

  strike(operation: DiskOperation, path: string): void {
    const code = this.faults.strike(operation, path);
    if (code !== null) throw new DiskError(code, path, operation);
  }

  requireRoom(growthBytes: number, path: string): void {
    if (growthBytes > 0 && growthBytes > this.freeBytes(path))
      throw new DiskError('ENOSPC', path, 'truncate');
  }

  renameNode(node: TreeNode, from: string, to: string): void {
    this.strike('rename', from);
    this.tree.rename(node, to);
  }

  shortened(lengthBytes: number): number {
    if (lengthBytes < 2 || !this.#random.chance(this.#options.shortWrites ?? 0)) return lengthBytes;
    return this.#random.between(1, lengthBytes - 1);
  }

  writeBack(node: FileNode): void {
    const { writeBackMs } = this.#options;
    if (writeBackMs !== undefined) node.content.writeBack(this.nowMs - writeBackMs);
  }

  later(operation: 'append' | 'flush' | 'flushDirectory', complete: () => void): void {
    const latency = this.#options.latency ?? 'inline';
    if (latency === 'inline' || (operation === 'append' && this.#random.chance(latency.inlineAppends))) {
      complete();
      return;
    }
    const [leastMs, mostMs] = latency[`${operation}Ms`];
    const delayMs = leastMs + this.#random.below(Math.round((mostMs - leastMs) * 1000) + 1) / 1000;
    const { boot } = this;
    this.clock.schedule(this.nowMs + delayMs, () => {
      if (boot === this.boot) complete();
    });
  }

  forget(file: VirtualFile): void {
    this.#files.delete(file);
  }

  #flushDirectory(path: string, done: DiskCallback): void {
    const mark = this.tree.flushMark();
    const directory = this.tree.find(path);
    this.later('flushDirectory', () => {
      const code = directory === null ? 'ENOENT' : this.faults.strike('flushDirectory', path);
      if (code !== null) return done(new DiskError(code, path, 'flush directory'));
      assert(directory?.kind === 'directory', 'a directory is flushed');
      this.tree.flushed(directory, mark);
      done(null);
    });
  }

  #replace(path: string, content: Buffer, done: DiskCallback): void {
    const temporary = `${path}.tmp`;
    let file: VirtualFile;
    try {
      file = this.open(temporary, 'open-or-create');
      file.truncate(0);
    } catch (error) {
      done(asDiskError(error));
      return;
    }
    const fail = (error: DiskError): void => {
      file.close();
      done(error);
    };
    file.append([content], (appendError) => {
      if (appendError !== null) return fail(appendError);
      file.flush((flushError) => {
        if (flushError !== null) return fail(flushError);
        try {
          // By name, as on a real machine: the directory may have been renamed or removed meanwhile.
          this.rename(temporary, path);
        } catch (error) {
          return fail(asDiskError(error));
        }
        file.close();
        this.#flushDirectory(path.slice(0, Math.max(1, path.lastIndexOf('/'))), done);
      });
    });
  }

  #find(path: string, operation: string): TreeNode {
    const node = this.tree.find(path);
    if (node === null) throw new DiskError('ENOENT', path, operation);
    return node;
  }
}

function asDiskError(error: unknown): DiskError {
  if (error instanceof DiskError) return error;
  throw error;
}
