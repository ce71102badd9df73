import { assert } from '../../src/base/assert.ts';
import { ColdRead, type DiskCallback, type DiskFile } from '../../src/io/disk.ts';
import { FileWriter, type WriteTarget } from '../../src/io/file-writer.ts';
import { Lease, type LeasedFile, type LeaseTable } from '../../src/io/lease.ts';
import type { DiskOperation } from './disk-faults.ts';
import { type DirectoryTree, type FileNode, pathOf, type TreeNode } from './disk-tree.ts';

/** What a file needs of its disk. */
export interface FileOwner {
  /** Counts the crashes. */
  readonly boot: number;
  readonly nowMs: number;
  readonly wallMs: number;
  readonly leases: LeaseTable;
  readonly tree: DirectoryTree;
  /** The code with which this call fails, null when it does not. */
  fault(operation: DiskOperation, path: string): string | null;
  /** The same, thrown. @throws DiskError */
  strike(operation: DiskOperation, path: string): void;
  /** Runs `complete` when the disk has come to it, unless the machine crashes before. */
  later(operation: 'append' | 'flush', complete: () => void): void;
  freeBytes(path: string): number;
  /** @throws DiskError `ENOSPC` when so many more bytes do not fit */
  requireRoom(growthBytes: number, path: string): void;
  /** How many of so many bytes one write takes. */
  shortened(lengthBytes: number): number;
  renameNode(node: TreeNode, from: string, to: string): void;
  /** The kernel writes back what is old enough. */
  writeBack(node: FileNode): void;
  /** True if a read of the file would have to wait and may not. */
  isCold(node: FileNode): boolean;
  warm(node: FileNode, done: () => void): void;
  /** A handle is closed and nothing hangs on it any more. */
  forget(file: VirtualFile): void;
}

/** An open file of a `VirtualDisk`. Dead after a crash: nothing may be asked of it any more, and no callback comes. */
export class VirtualFile implements DiskFile, LeasedFile, WriteTarget {
  readonly node: FileNode;
  readonly #disk: FileOwner;
  readonly #boot: number;
  readonly #writable: boolean;
  readonly #writer: FileWriter;
  #open = true;
  #lastPath: string;
  readonly #leases = new Set<Lease>();

  constructor(disk: FileOwner, node: FileNode, writable: boolean) {
    this.node = node;
    this.#disk = disk;
    this.#boot = disk.boot;
    this.#writable = writable;
    this.#writer = new FileWriter(this, node.content.sizeBytes);
    this.#lastPath = pathOf(node);
  }

  get path(): string {
    if (this.node.parent !== null) this.#lastPath = pathOf(this.node);
    return this.#lastPath;
  }

  get sizeBytes(): number {
    return this.#writer.sizeBytes;
  }

  append(parts: readonly Buffer[], done: DiskCallback): void {
    this.#check(true);
    this.#writer.append(parts, done);
  }

  write(position: number, data: Buffer): void {
    this.#check(true);
    assert(position >= 0 && position + data.length <= this.sizeBytes, 'write lies inside the file');
    this.#strike('write');
    this.node.content.write(position, data, this.#disk.nowMs);
    this.#touch();
  }

  read(position: number, target: Buffer, targetStart: number, lengthBytes: number): number {
    this.#check(false);
    assert(targetStart + lengthBytes <= target.length, 'what is read fits its target');
    if (this.#disk.isCold(this.node))
      throw new ColdRead(this.path, (done) => this.#disk.warm(this.node, done));
    this.#strike('read');
    return this.node.content.read(position, target, targetStart, lengthBytes);
  }

  truncate(sizeBytes: number): void {
    this.#check(true);
    assert(!this.#writer.appending, 'a file is not truncated with appends in flight');
    for (const lease of this.#leases) {
      if (lease.position + lease.lengthBytes > sizeBytes) lease.revoke();
    }
    this.#strike('truncate');
    this.#disk.requireRoom(sizeBytes - this.node.content.sizeBytes, this.path);
    this.node.content.truncate(sizeBytes, this.#disk.nowMs);
    this.#writer.resized(sizeBytes);
    this.#touch();
  }

  preallocate(lengthBytes: number): void {
    this.#check(true);
    assert(!this.#writer.appending, 'a file is not preallocated with appends in flight');
    assert(lengthBytes >= this.sizeBytes, 'preallocation takes nothing away');
    this.#strike('truncate');
    this.#disk.requireRoom(lengthBytes - this.node.content.sizeBytes, this.path);
    this.node.content.truncate(lengthBytes, this.#disk.nowMs);
    this.#touch();
  }

  flush(done: DiskCallback): void {
    this.#check(false);
    this.#writer.flush(done);
  }

  lease(position: number, lengthBytes: number): Lease {
    this.#check(false);
    assert(position + lengthBytes <= this.sizeBytes, 'a lease lies inside the file');
    const lease = new Lease(this.#disk.leases, this, position, lengthBytes);
    this.#leases.add(lease);
    return lease;
  }

  renameTo(path: string): void {
    this.#check(false);
    this.#disk.renameNode(this.node, this.path, path);
  }

  unlink(): void {
    this.#check(false);
    this.#disk.strike('remove', this.path);
    if (this.node.parent !== null) this.#disk.tree.remove(this.node);
    this.close();
  }

  close(): void {
    if (!this.#open) return;
    assert(!this.#writer.appending, 'a file is not closed with appends in flight');
    this.#open = false;
    this.#writer.whenIdle(() => this.#forgetIfDone());
  }

  /** Calls back when no append or flush of this handle is in flight. */
  whenIdle(callback: () => void): void {
    this.#writer.whenIdle(callback);
  }

  // What the lease and the writer ask for.

  readLeased(position: number, target: Buffer, targetStart: number, lengthBytes: number): number {
    assert(this.#boot === this.#disk.boot, 'a lease does not outlive its machine');
    this.#strike('read');
    return this.node.content.read(position, target, targetStart, lengthBytes);
  }

  leaseEnded(lease: Lease): void {
    this.#leases.delete(lease);
    this.#forgetIfDone();
  }

  writeParts(
    parts: readonly Buffer[],
    position: number,
    done: (code: string | null, writtenBytes: number) => void,
  ): void {
    this.#disk.later('append', () => {
      const code = this.#disk.fault('append', this.path);
      if (code !== null) return done(code, 0);
      const data = Buffer.concat(parts);
      const room = this.#disk.freeBytes(this.path);
      if (room === 0) return done('ENOSPC', 0);
      const written = data.subarray(0, Math.min(room, this.#disk.shortened(data.length)));
      this.node.content.write(position, written, this.#disk.nowMs);
      this.#touch();
      done(null, written.length);
    });
  }

  sync(done: (code: string | null) => void): void {
    const mark = this.node.content.flushMark();
    this.#disk.later('flush', () => {
      const code = this.#disk.fault('flush', this.path);
      if (code === null) this.node.content.flushed(mark);
      done(code);
    });
  }

  cut(sizeBytes: number): string | null {
    const code = this.#disk.fault('cut', this.path);
    if (code === null) this.node.content.truncate(sizeBytes, this.#disk.nowMs);
    return code;
  }

  #strike(operation: DiskOperation): void {
    this.#disk.strike(operation, this.path);
  }

  #touch(): void {
    this.node.modifiedMs = this.#disk.wallMs;
    this.#disk.writeBack(this.node);
  }

  #forgetIfDone(): void {
    if (!this.#open && this.#leases.size === 0 && !this.#writer.busy) this.#disk.forget(this);
  }

  #check(writing: boolean): void {
    assert(this.#boot === this.#disk.boot, `${this.#lastPath} was opened before the crash`);
    assert(this.#open, `${this.#lastPath} is closed`);
    assert(!writing || this.#writable, `${this.#lastPath} is open for reading only`);
  }
}
