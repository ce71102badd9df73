import fs from 'node:fs';
import { dirname } from 'node:path';
import { assert } from '../../base/assert.ts';
import type { Clock } from '../clock.ts';
import {
  type DirectoryEntry,
  type Disk,
  type DiskCallback,
  DiskError,
  type DiskLock,
  type OpenMode,
} from '../disk.ts';
import { callThen, KeyedQueue } from '../keyed-queue.ts';
import { LeaseTable } from '../lease.ts';
import { DescriptorCache } from './descriptor-cache.ts';
import type { FileLock, FileOperations } from './file-operations.ts';
import { describeLockHolder } from './lock-holder.ts';
import { NodeFile, type NodeFileOwner } from './node-file.ts';
import { OpenPaths } from './open-paths.ts';
import { processLocks } from './process-locks.ts';
import { systemCode } from './system-code.ts';

/** Files kept open when the options do not say otherwise. */
const DEFAULT_MAX_DESCRIPTORS = 1024;
/** Age at which a lease is revoked when the options do not say otherwise: its reader is stuck. */
const DEFAULT_MAX_LEASE_AGE_MS = 10 * 60_000;

/** How a `NodeDisk` is made. */
export interface NodeDiskOptions {
  readonly clock: Clock;
  readonly operations: FileOperations;
  /** Files kept open; pinned ones (leases, calls in flight) may exceed it. */
  readonly maxDescriptors?: number;
  readonly maxLeaseAgeMs?: number;
}

/** The file system, over either set of system calls. */
export class NodeDisk implements Disk, NodeFileOwner {
  readonly operations: FileOperations;
  readonly descriptors: DescriptorCache;
  readonly leases: LeaseTable;
  readonly paths = new OpenPaths<NodeFile>();
  waitless = false;
  readonly #files = new Set<NodeFile>();
  /** Lane of each device, in the order they were met. */
  readonly #lanes = new Map<number, number>();
  /** Replacements and directory flushes, by path. */
  readonly #tasks = new KeyedQueue();
  /** Who waits for a directory flush that has not begun: one serves them all. */
  readonly #directoryFlushes = new Map<string, DiskCallback[]>();

  constructor(options: NodeDiskOptions) {
    this.operations = options.operations;
    this.descriptors = new DescriptorCache(options.maxDescriptors ?? DEFAULT_MAX_DESCRIPTORS);
    this.leases = new LeaseTable(options.clock, options.maxLeaseAgeMs ?? DEFAULT_MAX_LEASE_AGE_MS);
  }

  open(path: string, mode: OpenMode): NodeFile {
    const file = new NodeFile(this, path, mode);
    this.#files.add(file);
    return file;
  }

  exists(path: string): boolean {
    return fs.existsSync(path);
  }

  list(path: string): DirectoryEntry[] {
    return call(path, 'list', () =>
      inByteOrder(fs.readdirSync(path)).flatMap((name) => {
        const stat = fs.lstatSync(`${path}/${name}`, { throwIfNoEntry: false });
        if (stat === undefined) return [];
        const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'other';
        return {
          name,
          kind,
          sizeBytes: kind === 'file' ? stat.size : 0,
          modifiedMs: Math.floor(stat.mtimeMs),
        };
      }),
    );
  }

  makeDirectory(path: string): void {
    call(path, 'make directory', () => fs.mkdirSync(path, { recursive: true }));
  }

  rename(from: string, to: string): void {
    call(from, 'rename', () => fs.renameSync(from, to));
    for (const file of this.paths.rename(from, to)) file.lostName();
  }

  remove(path: string): void {
    call(path, 'remove', () => fs.unlinkSync(path));
    for (const file of this.paths.detach(path)) file.lostName();
  }

  removeTree(path: string): void {
    call(path, 'remove tree', () => fs.rmSync(path, { recursive: true, force: true }));
    for (const file of this.paths.detach(path)) file.lostName();
  }

  readFile(path: string): Buffer {
    return call(path, 'read', () => fs.readFileSync(path));
  }

  flushDirectory(path: string, done: DiskCallback): void {
    const waiting = this.#directoryFlushes.get(path);
    if (waiting !== undefined) {
      waiting.push(done);
      return;
    }
    this.#directoryFlushes.set(path, [done]);
    this.#tasks.run(path, (ended) => {
      const served = this.#directoryFlushes.get(path) ?? [];
      this.#directoryFlushes.delete(path);
      this.#syncPath(path, 'flush directory', (error) => {
        for (const one of served) one(error);
        ended();
      });
    });
  }

  replaceFile(path: string, content: Buffer, done: DiskCallback): void {
    this.#tasks.run(path, (ended) => this.#replace(path, content, callThen(done, ended)));
  }

  lock(path: string): DiskLock {
    const registry = processLocks();
    // The file must not be opened before the registry was asked: closing it again would drop a record lock of this process.
    const known = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
    if (known !== undefined && registry.has(`${known.dev}:${known.ino}`)) {
      throw new DiskError('ELOCKED', path, 'lock', { detail: `held by this process, ${process.pid}` });
    }
    const lock = call(path, 'lock', () => this.operations.lock(path));
    if (lock === null) {
      const holder = describeLockHolder(path);
      throw new DiskError('ELOCKED', path, 'lock', { detail: `held by ${holder ?? 'another process'}` });
    }
    const { dev, ino } = fs.statSync(path, { bigint: true });
    return registered(registry, `${dev}:${ino}`, lock);
  }

  withoutWaiting<T>(work: () => T): T {
    assert(!this.waitless, 'what may not wait does not nest');
    this.waitless = true;
    try {
      return work();
    } finally {
      this.waitless = false;
    }
  }

  freeBytes(path: string): number {
    return call(path, 'statfs', () => {
      const { bavail, bsize } = fs.statfsSync(path);
      return bavail * bsize;
    });
  }

  totalBytes(path: string): number {
    return call(path, 'statfs', () => {
      const { blocks, bsize } = fs.statfsSync(path);
      return blocks * bsize;
    });
  }

  close(done: () => void): void {
    const files = [...this.#files];
    let waiting = files.length + 1;
    const one = (): void => {
      if (--waiting > 0) return;
      for (const file of files) file.close();
      this.leases.close();
      this.operations.shutdown();
      done();
    };
    for (const file of files) file.whenIdle(one);
    this.#tasks.whenIdle(one);
  }

  /** Handles that are open or have calls in flight; for tests that look for leaks. */
  get openFiles(): number {
    return this.#files.size;
  }

  // What the files ask for.

  inspect(descriptor: number): { sizeBytes: number; lane: number } {
    const { size, dev } = fs.fstatSync(descriptor);
    let lane = this.#lanes.get(dev);
    if (lane === undefined) this.#lanes.set(dev, (lane = this.#lanes.size));
    return { sizeBytes: size, lane };
  }

  forget(file: NodeFile): void {
    this.#files.delete(file);
  }

  #replace(path: string, content: Buffer, done: DiskCallback): void {
    const temporary = `${path}.tmp`;
    try {
      fs.writeFileSync(temporary, content, { mode: 0o644 });
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      done(new DiskError(systemCode(error), path, 'replace', { cause: error }));
      return;
    }
    this.#syncPath(temporary, 'replace', (error) => {
      if (error !== null) return done(error);
      try {
        this.rename(temporary, path);
      } catch (renameError) {
        return done(renameError as DiskError);
      }
      this.#syncPath(dirname(path), 'replace', done);
    });
  }

  /** Makes a file or directory durable through a descriptor of its own. */
  #syncPath(path: string, operation: string, done: DiskCallback): void {
    let descriptor: number;
    try {
      descriptor = this.operations.open(path, 'read');
    } catch (error) {
      done(new DiskError(systemCode(error), path, operation, { cause: error }));
      return;
    }
    this.operations.sync(descriptor, this.inspect(descriptor).lane, (code) => {
      this.operations.close(descriptor);
      done(code === null ? null : new DiskError(code, path, operation));
    });
  }
}

function registered(registry: Map<string, object>, key: string, lock: FileLock): DiskLock {
  registry.set(key, lock);
  let released = false;
  return {
    release: () => {
      if (released) return;
      released = true;
      registry.delete(key);
      lock.release();
    },
  };
}

function inByteOrder(names: string[]): string[] {
  return names.sort((a, b) => {
    // Code units order as UTF-8 bytes do, but for surrogates.
    if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
    return a < b ? -1 : a > b ? 1 : 0;
  });
}

const SURROGATE = /[\ud800-\udfff]/;

function call<T>(path: string, operation: string, operate: () => T): T {
  try {
    return operate();
  } catch (error) {
    throw new DiskError(systemCode(error), path, operation, { cause: error });
  }
}
