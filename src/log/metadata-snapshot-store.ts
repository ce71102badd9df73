import { assert } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import { type Disk, type DiskCallback, DiskError, type DiskFile } from '../io/disk.ts';
import { DELETED_SUFFIX } from './file-names.ts';

/**
 * The files of the metadata log's snapshots (formats §16), which lie beside its segments:
 *
 *     {end offset, 20 digits}-{epoch, 10 digits}.checkpoint              whole
 *     {end offset}-{epoch}-{random}.checkpoint.part                      being written
 *     {end offset}-{epoch}.checkpoint.deleted                            on its way out
 */

/** Names a snapshot: the state before `endOffset` (exclusive), whose last record is of `epoch`. */
export interface SnapshotId {
  readonly endOffset: number;
  readonly epoch: number;
}

const SUFFIX = '.checkpoint';
const PART_SUFFIX = `${SUFFIX}.part`;
const OFFSET_DIGITS = 20;
const EPOCH_DIGITS = 10;
const NAME = /^(\d{20})-(\d{10})\.checkpoint$/;

/** File name of a snapshot. */
export function snapshotFileName(id: SnapshotId): string {
  return `${stem(id)}${SUFFIX}`;
}

/** The snapshot with this file name; null if it is no snapshot's. */
export function parseSnapshotFileName(name: string): SnapshotId | null {
  const match = NAME.exec(name);
  if (match === null) return null;
  const id = { endOffset: Number(match[1]), epoch: Number(match[2]) };
  return Number.isSafeInteger(id.endOffset) && id.epoch <= 0x7fffffff ? id : null;
}

/** Orders by end offset, then epoch. */
export function compareSnapshotIds(a: SnapshotId, b: SnapshotId): number {
  return a.endOffset - b.endOffset || a.epoch - b.epoch;
}

/** A snapshot that is being written. Nothing of it counts before it is frozen. */
export interface SnapshotWriter {
  readonly id: SnapshotId;
  /** Bytes appended so far, also those in flight. */
  readonly sizeBytes: number;
  /** Writes `bytes` at the end; they belong to the writer until `done`. After an error only `abort` may follow. */
  append(bytes: Buffer, done: DiskCallback): void;
  /** Makes the file durable and gives it its name; from then on it is one of the store's. If that fails it is removed. No append may be in flight. */
  freeze(done: DiskCallback): void;
  /** Closes and removes the file; nothing may be in flight. */
  abort(): void;
}

/** A snapshot open for reading; stays readable after it was removed from the store. */
export interface SnapshotReader {
  readonly id: SnapshotId;
  readonly sizeBytes: number;
  /** Reads up to `lengthBytes` from `position` into the start of `target`; returns how many, 0 at the end. @throws DiskError */
  read(position: number, target: Buffer, lengthBytes: number): number;
  close(): void;
}

/** The snapshots of one metadata log: which there are, reading, writing and removing them. */
export class MetadataSnapshotStore {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #random: Random;
  #ids: SnapshotId[];

  private constructor(disk: Disk, directory: string, random: Random, ids: SnapshotId[]) {
    this.#disk = disk;
    this.#directory = directory;
    this.#random = random;
    this.#ids = ids;
  }

  /** Finds the snapshots in the log's directory and removes what was never finished, or was being deleted. @throws DiskError */
  static open(disk: Disk, directory: string, random: Random): MetadataSnapshotStore {
    const ids: SnapshotId[] = [];
    for (const { name, kind } of disk.list(directory)) {
      if (kind !== 'file') continue;
      const id = parseSnapshotFileName(name);
      if (id !== null) ids.push(id);
      else if (name.endsWith(PART_SUFFIX) || name.endsWith(SUFFIX + DELETED_SUFFIX))
        disk.remove(`${directory}/${name}`);
    }
    return new MetadataSnapshotStore(disk, directory, random, ids.sort(compareSnapshotIds));
  }

  /** All whole snapshots, oldest first; that of a formatted directory (0-0) among them. */
  get ids(): readonly SnapshotId[] {
    return this.#ids;
  }

  /** The newest, or null. */
  get latest(): SnapshotId | null {
    return this.#ids.at(-1) ?? null;
  }

  /** True if there is such a snapshot. */
  has(id: SnapshotId): boolean {
    return this.#ids.some((one) => compareSnapshotIds(one, id) === 0);
  }

  /** Path of a snapshot's file, for messages. */
  pathOf(id: SnapshotId): string {
    return `${this.#directory}/${snapshotFileName(id)}`;
  }

  /** Size of a snapshot's file. @throws DiskError */
  sizeOf(id: SnapshotId): number {
    const reader = this.openReader(id);
    reader.close();
    return reader.sizeBytes;
  }

  /** Opens a snapshot. @throws DiskError */
  openReader(id: SnapshotId): SnapshotReader {
    const file = this.#disk.open(this.pathOf(id), 'read');
    return {
      id,
      sizeBytes: file.sizeBytes,
      read: (position, target, lengthBytes) => file.read(position, target, 0, lengthBytes),
      close: () => file.close(),
    };
  }

  /** Begins a snapshot. @throws DiskError */
  createWriter(id: SnapshotId): SnapshotWriter {
    const unique = this.#random.bytes(8).toString('hex');
    const path = `${this.#directory}/${stem(id)}-${unique}${PART_SUFFIX}`;
    return new PartFile(this.#disk.open(path, 'create'), id, (file, done) => this.#freeze(file, id, done));
  }

  #freeze(file: DiskFile, id: SnapshotId, done: DiskCallback): void {
    file.flush((error) => {
      const failure = error ?? attempt(() => file.renameTo(this.pathOf(id)));
      if (failure !== null) {
        attempt(() => file.unlink());
        return done(failure);
      }
      file.close();
      return this.#disk.flushDirectory(this.#directory, (problem) => {
        if (problem === null && !this.has(id)) this.#ids = [...this.#ids, id].sort(compareSnapshotIds);
        done(problem);
      });
    });
  }

  /** Takes a snapshot out of use and gives its file the name of one that is deleted; returns what unlinks it. @throws DiskError */
  retire(id: SnapshotId): () => void {
    assert(this.has(id), 'a snapshot is retired once');
    const path = this.pathOf(id);
    this.#disk.rename(path, path + DELETED_SUFFIX);
    this.#ids = this.#ids.filter((one) => compareSnapshotIds(one, id) !== 0);
    return () => {
      if (this.#disk.exists(path + DELETED_SUFFIX)) this.#disk.remove(path + DELETED_SUFFIX);
    };
  }
}

class PartFile implements SnapshotWriter {
  readonly id: SnapshotId;
  sizeBytes = 0;
  readonly #file: DiskFile;
  readonly #finish: (file: DiskFile, done: DiskCallback) => void;

  constructor(file: DiskFile, id: SnapshotId, finish: (file: DiskFile, done: DiskCallback) => void) {
    this.#file = file;
    this.id = id;
    this.#finish = finish;
  }

  append(bytes: Buffer, done: DiskCallback): void {
    this.sizeBytes += bytes.length;
    this.#file.append([bytes], done);
  }

  freeze(done: DiskCallback): void {
    this.#finish(this.#file, done);
  }

  abort(): void {
    attempt(() => this.#file.unlink());
  }
}

/** Does what a disk may refuse. @returns its error; what is left over then is found at the next start */
function attempt(act: () => void): DiskError | null {
  try {
    act();
    return null;
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return error;
  }
}

function stem(id: SnapshotId): string {
  return `${String(id.endOffset).padStart(OFFSET_DIGITS, '0')}-${String(id.epoch).padStart(EPOCH_DIGITS, '0')}`;
}
