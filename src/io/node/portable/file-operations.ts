import fs from 'node:fs';
import type { OpenMode } from '../../disk.ts';
import type { FileLock, FileOperations } from '../file-operations.ts';
import { systemCode } from '../system-code.ts';
import { lockWithSqlite } from './sqlite-lock.ts';

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = fs.constants;

const FLAGS: Record<OpenMode, number> = {
  create: O_RDWR | O_CREAT | O_EXCL,
  'open-or-create': O_RDWR | O_CREAT,
  'read-write': O_RDWR,
  read: O_RDONLY,
};

/** `node:fs`: writes and reads inline, as for warm data they take microseconds; syncs in libuv's threads. */
export class PortableFileOperations implements FileOperations {
  readonly name = 'portable';

  open(path: string, mode: OpenMode): number {
    return fs.openSync(path, FLAGS[mode], 0o644);
  }

  close(descriptor: number): void {
    try {
      fs.closeSync(descriptor);
    } catch {
      // Nothing can be done about it, and the descriptor is gone either way.
    }
  }

  write(
    descriptor: number,
    parts: readonly Buffer[],
    position: number,
    _lane: number,
    done: (code: string | null, writtenBytes: number) => void,
  ): void {
    let writtenBytes: number;
    try {
      const only = parts.length === 1 ? parts[0] : undefined;
      writtenBytes =
        only === undefined
          ? fs.writevSync(descriptor, parts, position)
          : fs.writeSync(descriptor, only, 0, only.length, position);
    } catch (error) {
      done(systemCode(error), 0);
      return;
    }
    done(null, writtenBytes);
  }

  writeNow(descriptor: number, data: Buffer, position: number): void {
    for (let at = 0; at < data.length; ) {
      at += fs.writeSync(descriptor, data, at, data.length - at, position + at);
    }
  }

  read(
    descriptor: number,
    target: Buffer,
    targetStart: number,
    lengthBytes: number,
    position: number,
  ): number {
    return fs.readSync(descriptor, target, targetStart, lengthBytes, position);
  }

  /** Node cannot tell what is in memory: reads as always. */
  readCached(
    descriptor: number,
    target: Buffer,
    targetStart: number,
    lengthBytes: number,
    position: number,
  ): number {
    return fs.readSync(descriptor, target, targetStart, lengthBytes, position);
  }

  warm(_descriptor: number, _position: number, _lengthBytes: number, _lane: number, done: () => void): void {
    done();
  }

  truncate(descriptor: number, sizeBytes: number): void {
    fs.ftruncateSync(descriptor, sizeBytes);
  }

  sync(descriptor: number, _lane: number, done: (code: string | null) => void): void {
    fs.fdatasync(descriptor, (error) => done(error === null ? null : systemCode(error)));
  }

  lock(path: string): FileLock | null {
    return lockWithSqlite(path);
  }

  shutdown(): void {}
}
