/**
 * The disk port. Paths are absolute, `/`-separated strings. Small directory operations are synchronous (they touch
 * the page cache's inodes); anything that may wait for the device takes a callback. A callback is called exactly once,
 * either before the call returns or in a later turn, always on the JS thread.
 */

/** What went wrong, by the system's own name (`ENOSPC`, `EIO`, `ENOENT`, `EROFS`, …). */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code: string;
  readonly path: string;

  /** @param options `detail`: one more sentence for the user, without a full stop */
  constructor(code: string, path: string, operation: string, options?: { cause?: unknown; detail?: string }) {
    super(
      `${operation} ${path}: ${code}${options?.detail === undefined ? '' : ` (${options.detail})`}`,
      options,
    );
    this.code = code;
    this.path = path;
  }
}

/**
 * Thrown out of `Disk.withoutWaiting`: a read would have had to wait for the device. It says no word of whether the bytes are good.
 */
export class ColdRead extends Error {
  override readonly name = 'ColdRead';
  readonly #warm: (done: () => void) => void;

  /** @param warm see `ColdRead.warm` */
  constructor(path: string, warm: (done: () => void) => void) {
    super(`${path} is not in memory`);
    this.#warm = warm;
  }

  /** Has the bytes brought into memory; `done` is called once, later or before the call returns, whether that worked or not. To be called in the turn in which it was thrown. */
  warm(done: () => void): void {
    this.#warm(done);
  }
}

/** Result of an operation that may complete later: `null` when it succeeded. */
export type DiskCallback = (error: DiskError | null) => void;

/** How `Disk.open` treats the file. `create`: must not exist; `open-or-create`; `read-write` and `read`: must exist. */
export type OpenMode = 'create' | 'open-or-create' | 'read-write' | 'read';

/**
 * A lease on a range of bytes of a file, `[position, position + lengthBytes)`, all of which had been written when it
 * was taken. It keeps the bytes readable after the file is unlinked and keeps the descriptor from being evicted. Born
 * with one reference; the last `release()` ends it. `Network.send` takes over one reference of every range given to it.
 */
export interface FileRange {
  /** Path of the file at the time of the lease; for messages. */
  readonly path: string;
  /** First byte in the file. */
  readonly position: number;
  /** Number of bytes, > 0. */
  readonly lengthBytes: number;
  /** True once the bytes may no longer be sent: the file was truncated into the range, or the lease got too old. */
  readonly revoked: boolean;
  /** Adds a reference. */
  retain(): void;
  /** Drops a reference. Releasing more often than retained is a bug (assertion). */
  release(): void;
  /** Calls `callback` once if the lease is revoked while it lives (at once when it is already). Replaces any former callback; null removes it. */
  onRevoked(callback: (() => void) | null): void;
  /**
   * Copies `lengthBytes` bytes from `offset` within the range into `target` at `targetStart`, synchronously. For small
   * ranges, for the virtual network, for tests. @throws DiskError on an I/O error, a revoked lease or a short file.
   */
  read(target: Buffer, targetStart: number, offset: number, lengthBytes: number): void;
}

/**
 * An open file. Descriptors come and go behind it (the implementation keeps a bounded number open), so holding many
 * `DiskFile`s is cheap. One owner writes; appends are executed in the order they were asked for.
 */
export interface DiskFile {
  /** Current path; follows `Disk.rename` of this file when made through `renameTo`. */
  readonly path: string;
  /** Bytes written and completed so far; appends in flight are not in it. */
  readonly sizeBytes: number;
  /**
   * Writes `parts` one after the other at the end of the file (end of earlier appends in flight). The parts belong to the
   * disk until `done`. On failure nothing of this append or of later ones in flight counts: the file is cut back to the
   * size before it (if even that fails, `done` gets code `ECUT` and the file must be considered broken), and all later
   * appends in flight fail with `ECANCELED`. Short writes are continued by the implementation.
   */
  append(parts: readonly Buffer[], done: DiskCallback): void;
  /** Overwrites bytes inside the file (`position + data.length <= sizeBytes`), synchronously (index files, small files). @throws DiskError */
  write(position: number, data: Buffer): void;
  /** Reads up to `lengthBytes` at `position` into `target` synchronously; returns the bytes read, 0 at the end. @throws DiskError */
  read(position: number, target: Buffer, targetStart: number, lengthBytes: number): number;
  /**
   * Sets the size. Cutting revokes every lease taken through this handle that reaches past the new size before the file shrinks; growing fills with zeros. Must not be called with
   * appends in flight. @throws DiskError
   */
  truncate(sizeBytes: number): void;
  /**
   * Makes the file `lengthBytes` long on the disk, zeros after `sizeBytes`, which stays what it is: appends go on there. Whoever opens the file anew finds the zeros, unless
   * `truncate(sizeBytes)` took them away before; a failed append does so too. Must not be called with appends in flight. @throws DiskError
   */
  preallocate(lengthBytes: number): void;
  /**
   * Makes everything appended or written before the call durable (`fdatasync`), off the thread; it waits for the appends in flight. A failed one is
   * never retried: the system may have dropped the pages, so every later flush of this handle fails as well.
   */
  flush(done: DiskCallback): void;
  /** Takes a lease; the range must lie within `sizeBytes`. */
  lease(position: number, lengthBytes: number): FileRange;
  /** Renames (same directory tree); leases and this handle stay valid. @throws DiskError */
  renameTo(path: string): void;
  /** Unlinks; leases already taken stay readable. The handle is closed. @throws DiskError */
  unlink(): void;
  /** Closes the handle; leases stay readable until released. Must not be called with appends in flight. */
  close(): void;
}

/** One entry of a directory listing. */
export interface DirectoryEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'other';
  /** Size of a file in bytes; 0 for the others. */
  readonly sizeBytes: number;
  /** Last modification, wall-clock milliseconds. */
  readonly modifiedMs: number;
}

/** An exclusive lock on a file, held until `release()` or the end of the process. */
export interface DiskLock {
  release(): void;
}

/** The file system as the broker sees it. All synchronous methods throw `DiskError`. */
export interface Disk {
  /** Opens a file. */
  open(path: string, mode: OpenMode): DiskFile;
  /** True if the path names a file or directory. */
  exists(path: string): boolean;
  /** Entries of a directory in byte order of their names; `ENOENT` when there is none. */
  list(path: string): DirectoryEntry[];
  /** Makes a directory and its parents; no error when it exists. */
  makeDirectory(path: string): void;
  /** Renames a file or directory; open `DiskFile`s below it keep working and their `path` follows. */
  rename(from: string, to: string): void;
  /** Unlinks a file. */
  remove(path: string): void;
  /** Removes a directory with all that is in it, if there is one; leases into it stay readable. */
  removeTree(path: string): void;
  /** Whole content of a small file. */
  readFile(path: string): Buffer;
  /** Makes a directory's entries durable (fsync of the directory), off the thread. */
  flushDirectory(path: string, done: DiskCallback): void;
  /**
   * Replaces a small file atomically and durably: writes `path + '.tmp'`, flushes it, renames it over `path`, flushes the directory.
   * `done` says when it is durable. Replacements of one path happen in the order they were asked for.
   */
  replaceFile(path: string, content: Buffer, done: DiskCallback): void;
  /**
   * Takes the exclusive lock that Kafka takes on `{dir}/.lock` (`F_OFD_SETLK`, whole file, created when missing), and registers it within
   * the process. @throws DiskError with code `ELOCKED`, whose message names the holder when it can be told.
   */
  lock(path: string): DiskLock;
  /**
   * Runs `work`, in which a file's `read` that would have to wait for the device throws `ColdRead` instead, as far as the implementation can tell. The work is then to be done
   * anew once the bytes are there. Calls do not nest.
   */
  withoutWaiting<T>(work: () => T): T;
  /** Free bytes for this user on the file system of `path`. */
  freeBytes(path: string): number;
  /** Bytes that the file system of `path` holds in all. */
  totalBytes(path: string): number;
  /** Waits until all appends and flushes asked for so far are completed, then closes all. */
  close(done: () => void): void;
}
