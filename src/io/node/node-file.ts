import { assert } from '../../base/assert.ts';
import { ColdRead, type DiskCallback, DiskError, type DiskFile, type OpenMode } from '../disk.ts';
import { FileWriter, type WriteTarget } from '../file-writer.ts';
import { Lease, type LeasedFile, type LeaseTable } from '../lease.ts';
import { CachedDescriptor, type DescriptorCache } from './descriptor-cache.ts';
import type { DescriptorRange, FileOperations } from './file-operations.ts';
import type { OpenPaths, PathNode } from './open-paths.ts';
import { systemCode } from './system-code.ts';

/** What the files of one `NodeDisk` share. */
export interface NodeFileOwner {
  readonly operations: FileOperations;
  readonly descriptors: DescriptorCache;
  readonly leases: LeaseTable;
  readonly paths: OpenPaths<NodeFile>;
  /** Size of an open file, and the lane of its device. */
  inspect(descriptor: number): { sizeBytes: number; lane: number };
  /** Renames on the disk, and follows with all open paths. @throws DiskError */
  rename(from: string, to: string): void;
  /** Unlinks on the disk, and lets go of the open paths. @throws DiskError */
  remove(path: string): void;
  /** True while reads may not wait for the device. */
  readonly waitless: boolean;
  /** The handle is closed and nothing is in flight on it. */
  forget(file: NodeFile): void;
}

/** The lease of a `NodeDisk`: its file stays open, so it also has a descriptor to send from. */
export class NodeRange extends Lease implements DescriptorRange {
  acquireDescriptor(): number {
    return (this.file as NodeFile).pinnedDescriptor();
  }

  get lane(): number {
    return (this.file as NodeFile).lane;
  }
}

/**
 * An open file, whose descriptor comes and goes. It is pinned by appends and flushes in flight and by leases; one that has no name any more is closed for good
 * when the last of them ends.
 */
export class NodeFile extends CachedDescriptor implements DiskFile, LeasedFile, WriteTarget {
  readonly lane: number;
  readonly #owner: NodeFileOwner;
  readonly #place: PathNode<NodeFile>;
  #mode: OpenMode;
  readonly #writer: FileWriter;
  readonly #leases = new Set<Lease>();
  #path: string;
  #pathAt: number;
  #open = true;
  #named = true;

  /** @throws DiskError when the file cannot be opened */
  constructor(owner: NodeFileOwner, path: string, mode: OpenMode) {
    super();
    this.#owner = owner;
    this.#path = path;
    this.#pathAt = owner.paths.renames;
    this.#mode = mode;
    const descriptor = this.#acquire('open');
    // Opened again after an eviction, the file must be there.
    this.#mode = mode === 'read' ? 'read' : 'read-write';
    const { sizeBytes, lane } = owner.inspect(descriptor);
    this.lane = lane;
    this.#writer = new FileWriter(this, sizeBytes);
    this.#place = owner.paths.add(path, this);
  }

  get path(): string {
    const { paths } = this.#owner;
    if (this.#named && this.#pathAt !== paths.renames) {
      this.#path = paths.pathOf(this.#place);
      this.#pathAt = paths.renames;
    }
    return this.#path;
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
    this.#call('write', (descriptor) => this.#owner.operations.writeNow(descriptor, data, position));
  }

  read(position: number, target: Buffer, targetStart: number, lengthBytes: number): number {
    this.#check(false);
    assert(targetStart + lengthBytes <= target.length, 'what is read fits its target');
    return this.#read(position, target, targetStart, lengthBytes);
  }

  truncate(sizeBytes: number): void {
    this.#check(true);
    assert(!this.#writer.appending, 'a file is not truncated with appends in flight');
    for (const lease of this.#leases) {
      if (lease.position + lease.lengthBytes > sizeBytes) lease.revoke();
    }
    this.#call('truncate', (descriptor) => this.#owner.operations.truncate(descriptor, sizeBytes));
    this.#writer.resized(sizeBytes);
  }

  preallocate(lengthBytes: number): void {
    this.#check(true);
    assert(!this.#writer.appending, 'a file is not preallocated with appends in flight');
    assert(lengthBytes >= this.sizeBytes, 'preallocation takes nothing away');
    this.#call('preallocate', (descriptor) => this.#owner.operations.truncate(descriptor, lengthBytes));
  }

  flush(done: DiskCallback): void {
    this.#check(false);
    this.#writer.flush(done);
  }

  lease(position: number, lengthBytes: number): NodeRange {
    this.#check(false);
    assert(position + lengthBytes <= this.sizeBytes, 'a lease lies inside the file');
    this.#acquire('open');
    this.#owner.descriptors.pin(this);
    const range = new NodeRange(this.#owner.leases, this, position, lengthBytes);
    this.#leases.add(range);
    return range;
  }

  renameTo(path: string): void {
    this.#check(false);
    this.#owner.rename(this.path, path);
  }

  unlink(): void {
    this.#check(false);
    if (this.#named) this.#owner.remove(this.path);
    this.close();
  }

  close(): void {
    if (!this.#open) return;
    assert(!this.#writer.appending, 'a file is not closed with appends in flight');
    this.#open = false;
    if (this.#named) this.#owner.paths.remove(this.#place, this);
    this.#writer.whenIdle(() => {
      this.#owner.forget(this);
      this.#closeIfDone();
    });
  }

  /** Its name is gone (unlinked, or replaced by a rename): only what is pinned can be read from now on. */
  lostName(): void {
    this.#path = this.path;
    this.#named = false;
  }

  /** Calls back when no append or flush is in flight. */
  whenIdle(callback: () => void): void {
    this.#writer.whenIdle(callback);
  }

  // What leases ask for.

  /** The descriptor while a lease lives. */
  pinnedDescriptor(): number {
    assert(this.pins > 0, 'a leased file is pinned');
    return this.descriptor;
  }

  readLeased(position: number, target: Buffer, targetStart: number, lengthBytes: number): number {
    return this.#read(position, target, targetStart, lengthBytes);
  }

  leaseEnded(lease: Lease): void {
    assert(this.#leases.delete(lease), 'a lease ends once');
    this.#unpin();
  }

  // What the writer asks for.

  writeParts(
    parts: readonly Buffer[],
    position: number,
    done: (code: string | null, writtenBytes: number) => void,
  ): void {
    const descriptor = this.#tryPin(done);
    if (descriptor < 0) return;
    this.#owner.operations.write(descriptor, parts, position, this.lane, (code, writtenBytes) => {
      this.#unpin();
      done(code, writtenBytes);
    });
  }

  sync(done: (code: string | null) => void): void {
    const descriptor = this.#tryPin(done);
    if (descriptor < 0) return;
    this.#owner.operations.sync(descriptor, this.lane, (code) => {
      this.#unpin();
      done(code);
    });
  }

  cut(sizeBytes: number): string | null {
    try {
      this.#owner.operations.truncate(this.#owner.descriptors.acquire(this), sizeBytes);
      return null;
    } catch (error) {
      return systemCode(error);
    }
  }

  // What the descriptor cache asks for.

  openDescriptor(): number {
    if (!this.#named) throw new DiskError('ENOENT', this.path, 'open again');
    return this.#owner.operations.open(this.path, this.#mode);
  }

  closeDescriptor(descriptor: number): void {
    this.#owner.operations.close(descriptor);
  }

  #read(position: number, target: Buffer, targetStart: number, lengthBytes: number): number {
    const descriptor = this.#acquire('read');
    const { operations, waitless } = this.#owner;
    try {
      if (!waitless) return operations.read(descriptor, target, targetStart, lengthBytes, position);
      const read = operations.readCached(descriptor, target, targetStart, lengthBytes, position);
      if (read >= 0) return read;
    } catch (error) {
      throw this.#diskError(error, 'read');
    }
    throw new ColdRead(this.path, (done) => this.#warm(position, lengthBytes, done));
  }

  /** Has a range brought into memory by the thread of the device. */
  #warm(position: number, lengthBytes: number, done: () => void): void {
    const descriptor = this.#tryPin(done);
    if (descriptor < 0) return;
    this.#owner.operations.warm(descriptor, position, lengthBytes, this.lane, () => {
      this.#unpin();
      done();
    });
  }

  #call(operation: string, call: (descriptor: number) => void): void {
    const descriptor = this.#acquire(operation);
    try {
      call(descriptor);
    } catch (error) {
      throw this.#diskError(error, operation);
    }
  }

  #acquire(operation: string): number {
    try {
      return this.#owner.descriptors.acquire(this);
    } catch (error) {
      throw this.#diskError(error, operation);
    }
  }

  /** Pins, or tells the failure and returns -1. */
  #tryPin(failed: (code: string, writtenBytes: number) => void): number {
    try {
      return this.#owner.descriptors.pin(this);
    } catch (error) {
      failed(systemCode(error), 0);
      return -1;
    }
  }

  #unpin(): void {
    this.#owner.descriptors.unpin(this);
    this.#closeIfDone();
  }

  /** A closed handle needs no descriptor once nothing hangs on it. */
  #closeIfDone(): void {
    if (!this.#open && this.pins === 0 && !this.#writer.busy) this.#owner.descriptors.drop(this);
  }

  #check(writing: boolean): void {
    assert(this.#open, `${this.#path} is closed`);
    assert(!writing || this.#mode !== 'read', `${this.#path} is open for reading only`);
  }

  #diskError(error: unknown, operation: string): DiskError {
    if (error instanceof DiskError) return error;
    return new DiskError(systemCode(error), this.path, operation, { cause: error });
  }
}
