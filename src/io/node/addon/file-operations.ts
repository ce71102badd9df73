import type { OpenMode } from '../../disk.ts';
import type { FileLock, FileOperations } from '../file-operations.ts';
import type { FilesBinding, NativeHandle } from './binding.ts';
import { errorName, systemError } from './system-error.ts';

/** Modes in the order of `enum file_mode`. */
const MODES: Readonly<Record<OpenMode, number>> = {
  create: 0,
  'open-or-create': 1,
  'read-write': 2,
  read: 3,
};
/** Rows that one wake-up tells at most, and numbers per row: id, result, and how long a write took. */
const RESULT_ROWS = 256;
const RESULT_FIELDS = 3;
/** A larger write goes to the lane's thread at once: copying it would take the loop more than a millisecond. */
const INLINE_BYTES = 1 << 20;
/** Two writes of this length within `SLOW_LANE_MS` show that the kernel makes writers wait for the device; one alone may be chance. */
const SLOW_WRITE_MS = 4;
/** For so long the lane's writes then go to its thread, and on while they stay slow there. */
const SLOW_LANE_MS = 1000;

/** What is under way in a thread; holds the buffers of a write, which the thread reads. */
interface Pending {
  readonly parts: readonly Buffer[] | null;
  readonly done: (code: string | null, writtenBytes: number) => void;
  readonly lane: number;
}

/**
 * The system calls of the addon: inline where they touch the page cache only, else in the lane's threads (one for syncs, one for writes that must leave
 * the loop).
 */
export class AddonFileOperations implements FileOperations {
  readonly name = 'addon';
  readonly #binding: FilesBinding;
  readonly #results = new Float64Array(RESULT_ROWS * RESULT_FIELDS);
  readonly #pending = new Map<number, Pending>();
  /** Until when the writes of a lane go to its thread, and when it was last slow, by lane. */
  readonly #slowUntilMs: number[] = [];
  readonly #lastSlowMs: number[] = [];
  #threads: NativeHandle | null = null;
  #lastId = 0;

  constructor(binding: FilesBinding) {
    this.#binding = binding;
  }

  open(path: string, mode: OpenMode): number {
    return checked(this.#binding.fileOpen(path, MODES[mode]), 'open');
  }

  close(descriptor: number): void {
    this.#binding.fileClose(descriptor);
  }

  write(
    descriptor: number,
    parts: readonly Buffer[],
    position: number,
    lane: number,
    done: (code: string | null, writtenBytes: number) => void,
  ): void {
    const startedMs = performance.now();
    if (startedMs < (this.#slowUntilMs[lane] ?? 0) || totalBytes(parts) > INLINE_BYTES) {
      const id = this.#begin({ parts, done, lane });
      const error = this.#binding.fileWriteLater(this.#open(), lane, descriptor, parts, position, id);
      if (error < 0) this.#complete(id, error, 0);
      return;
    }
    const only = parts.length === 1 ? parts[0] : undefined;
    const written =
      only === undefined
        ? this.#binding.fileWriteParts(descriptor, parts, position)
        : this.#binding.fileWrite(descriptor, only, 0, position);
    this.#noteWrite(lane, performance.now() - startedMs);
    if (written < 0) done(errorName(written), 0);
    else done(null, written);
  }

  writeNow(descriptor: number, data: Buffer, position: number): void {
    for (let at = 0; at < data.length; ) {
      at += checked(this.#binding.fileWrite(descriptor, data, at, position + at), 'write');
    }
  }

  read(
    descriptor: number,
    target: Buffer,
    targetStart: number,
    lengthBytes: number,
    position: number,
  ): number {
    return checked(this.#binding.fileRead(descriptor, target, targetStart, lengthBytes, position), 'read');
  }

  readCached(
    descriptor: number,
    target: Buffer,
    targetStart: number,
    lengthBytes: number,
    position: number,
  ): number {
    const read = this.#binding.fileReadCached(descriptor, target, targetStart, lengthBytes, position);
    return read < 0 && errorName(read) === 'EAGAIN' ? -1 : checked(read, 'read');
  }

  warm(descriptor: number, position: number, lengthBytes: number, lane: number, done: () => void): void {
    const id = this.#begin({ parts: null, done, lane });
    const error = this.#binding.fileWarmLater(this.#open(), lane, descriptor, position, lengthBytes, id);
    if (error < 0) this.#complete(id, error, 0);
  }

  truncate(descriptor: number, sizeBytes: number): void {
    checked(this.#binding.fileTruncate(descriptor, sizeBytes), 'truncate');
  }

  sync(descriptor: number, lane: number, done: (code: string | null) => void): void {
    const id = this.#begin({ parts: null, done, lane });
    const error = this.#binding.fileSyncLater(this.#open(), lane, descriptor, id);
    if (error < 0) this.#complete(id, error, 0);
  }

  lock(path: string): FileLock | null {
    const descriptor = this.#binding.fileLock(path);
    if (descriptor < 0 && errorName(descriptor) === 'EAGAIN') return null;
    checked(descriptor, 'lock');
    return { release: () => this.#binding.fileClose(descriptor) };
  }

  shutdown(): void {
    if (this.#threads !== null) this.#binding.fileThreadsClose(this.#threads);
    this.#threads = null;
  }

  #open(): NativeHandle {
    this.#threads ??= this.#binding.fileThreadsOpen(this.#completed, this.#results);
    return this.#threads;
  }

  #begin(pending: Pending): number {
    const id = ++this.#lastId;
    this.#pending.set(id, pending);
    return id;
  }

  /** Called by the native side when work is done; in the order it was done. */
  readonly #completed = (rows: number): void => {
    // The table is free for the next rows as soon as a callback returns to the native side; callbacks may ask for more work, never for results.
    for (let row = 0; row < rows; row++) {
      const at = row * RESULT_FIELDS;
      const [id = 0, result = 0, tookMs = 0] = this.#results.subarray(at, at + RESULT_FIELDS);
      this.#complete(id, result, tookMs);
    }
  };

  #complete(id: number, result: number, tookMs: number): void {
    const { done, lane } = this.#pending.get(id) as Pending;
    this.#pending.delete(id);
    this.#noteWrite(lane, tookMs);
    if (result < 0) done(errorName(result), 0);
    else done(null, result);
  }

  #noteWrite(lane: number, tookMs: number): void {
    if (tookMs < SLOW_WRITE_MS) return;
    const nowMs = performance.now();
    if (nowMs - (this.#lastSlowMs[lane] ?? -Infinity) < SLOW_LANE_MS)
      this.#slowUntilMs[lane] = nowMs + SLOW_LANE_MS;
    this.#lastSlowMs[lane] = nowMs;
  }
}

/** A result that is no error. @throws Error with the system's code */
function checked(result: number, call: string): number {
  if (result < 0) throw systemError(result, call);
  return result;
}

function totalBytes(parts: readonly Buffer[]): number {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  return bytes;
}
