import type { OpenMode } from '../disk.ts';

/**
 * The system calls on open files that `NodeDisk` is built on. One implementation uses `node:fs`, the other the addon and its threads. Synchronous calls
 * throw an `Error` whose `code` is the system's name (`ENOSPC`, …); callbacks get that name, or null. A callback comes exactly once, before the call
 * returns or in a later turn.
 *
 * `NodeDisk` keeps to this: one write at a time per file, one sync at a time per file (a write may run beside it), and no descriptor is closed while a
 * call on it is in flight. A *lane* is a small number that names a device; calls of one lane may wait for each other, those of two lanes never.
 */
export interface FileOperations {
  readonly name: 'addon' | 'portable';

  /** Opens for reading and writing (`read`: reading only), close-on-exec, permissions 0644 less the umask. */
  open(path: string, mode: OpenMode): number;

  /** Closes; errors are ignored. */
  close(descriptor: number): void;

  /**
   * Writes the parts one after the other at `position`: some or all of them, `writtenBytes` > 0 where there is no code. Whoever implements it decides
   * whether it happens inline (page cache, the usual case) or in a thread of the lane. The parts stay untouched until `done`.
   */
  write(
    descriptor: number,
    parts: readonly Buffer[],
    position: number,
    lane: number,
    done: (code: string | null, writtenBytes: number) => void,
  ): void;

  /** Writes all of `data` at `position` before it returns. */
  writeNow(descriptor: number, data: Buffer, position: number): void;

  /** Reads at `position`; returns the bytes read, 0 at the end. */
  read(
    descriptor: number,
    target: Buffer,
    targetStart: number,
    lengthBytes: number,
    position: number,
  ): number;

  /** Like `read`, but -1 where it would have to wait for the device, as far as that can be told. */
  readCached(
    descriptor: number,
    target: Buffer,
    targetStart: number,
    lengthBytes: number,
    position: number,
  ): number;

  /** Brings a range into memory, never on the JS thread; `done` in any case, also when that failed. */
  warm(descriptor: number, position: number, lengthBytes: number, lane: number, done: () => void): void;

  /** Sets the size. */
  truncate(descriptor: number, sizeBytes: number): void;

  /** `fdatasync`, never on the JS thread. */
  sync(descriptor: number, lane: number, done: (code: string | null) => void): void;

  /**
   * Takes an exclusive lock on the whole file, which conflicts with the one that Apache Kafka takes (a `fcntl` record lock); makes an empty file when there
   * is none, and never changes its bytes. Null when another process holds it. The registry of locks within the process is the disk's business:
   * this is never asked twice for one file.
   */
  lock(path: string): FileLock | null;

  /** Ends the threads, if there are any; nothing is in flight. */
  shutdown(): void;
}

/** A lock that was taken. */
export interface FileLock {
  release(): void;
}

/** What a `FileRange` of `NodeDisk` offers beyond the port: a network that sends by descriptor uses it instead of `read`. */
export interface DescriptorRange {
  /** Descriptor of the file, open and not to be closed; valid until the range is released for the last time. */
  acquireDescriptor(): number;
  /** Lane of the file's device, for reads that may wait for it. */
  readonly lane: number;
}
