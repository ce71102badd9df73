import type { Disk, DiskError } from '../io/disk.ts';
import type { Clock } from '../io/clock.ts';
import type { Compute } from '../io/compute.ts';
import { CheckpointFormatError } from './checkpoint-file.ts';
import { offsetFileName, SNAPSHOT_SUFFIX } from './file-names.ts';
import type { LogPlace } from './log-place.ts';
import type { ProducerEntry } from './producer-entry.ts';
import { decodeProducerSnapshot, encodeInSteps } from './producer-snapshot.ts';
import type { ProducerState } from './producer-state.ts';
import { runSteps, type Steps } from './steps.ts';

/** The producer snapshots of one log: which there are, writing and removing them. */
export class SnapshotStore {
  readonly #disk: Disk;
  readonly #compute: Compute;
  readonly #place: LogPlace;
  /** Offsets of the snapshots there are, ascending. */
  #offsets: number[];
  /** Offsets of those being written; false once the offset is no longer in the log. */
  #writing: Map<number, boolean> | null = null;

  constructor(disk: Disk, compute: Compute, place: LogPlace, offsets: readonly number[]) {
    this.#disk = disk;
    this.#compute = compute;
    this.#place = place;
    this.#offsets = offsets.toSorted((a, b) => a - b);
  }

  get offsets(): readonly number[] {
    return this.#offsets;
  }

  /** Writes the state of producers before `offset` as it is now, durably, in steps; `done` when it is there, or could not be. */
  write(
    offset: number,
    producers: ProducerState<unknown>,
    clock: Clock,
    done: (error: DiskError | null) => void,
  ): void {
    const writing = (this.#writing ??= new Map<number, boolean>());
    if (writing.has(offset)) return done(null);
    writing.set(offset, true);
    return runSteps(clock, encodeInSteps(producers.freeze(), this.#compute), (error, bytes) => {
      producers.thaw();
      if (bytes === undefined) throw error;
      this.#replace(offset, bytes, writing, done);
    });
  }

  #replace(
    offset: number,
    bytes: Buffer,
    writing: Map<number, boolean>,
    done: (error: DiskError | null) => void,
  ): void {
    this.#disk.replaceFile(this.#fileOf(offset), bytes, (error) => {
      const wanted = writing.get(offset);
      writing.delete(offset);
      if (error === null && wanted === false) this.#remove(offset);
      else if (error === null) this.#insert(offset);
      done(error);
    });
  }

  /**
   * The newest usable snapshot at or below `offset`; ones that are not whole are removed on the way. Null when there is none.
   * @throws DiskError
   */
  newest(offset: number): { readonly offset: number; readonly entries: ProducerEntry[] } | null {
    for (const candidate of this.#offsets.toReversed()) {
      if (candidate > offset) continue;
      try {
        const bytes = this.#disk.readFile(this.#fileOf(candidate));
        return { offset: candidate, entries: decodeProducerSnapshot(bytes, this.#compute) };
      } catch (error) {
        if (!(error instanceof CheckpointFormatError)) throw error;
        this.#forget(candidate);
      }
    }
    return null;
  }

  /** Removes the snapshots above `offset`. @throws DiskError */
  removeAbove(offset: number): void {
    this.#cancel((one) => one > offset);
    for (const found of this.#offsets.filter((one) => one > offset)) this.#forget(found);
  }

  /** Removes the snapshots below `offset`, one a step. @throws DiskError */
  *removeBelow(offset: number): Steps<void> {
    this.#cancel((one) => one < offset);
    for (let first = this.#offsets[0]; first !== undefined && first < offset; first = this.#offsets[0]) {
      this.#forget(first);
      yield;
    }
  }

  /** Removes those that are neither at a segment's base offset nor the newest: what earlier closes left. @throws DiskError */
  removeStrays(segmentBaseOffsets: ReadonlySet<number>): void {
    const newest = this.#offsets.at(-1);
    for (const found of this.#offsets.filter((one) => one !== newest && !segmentBaseOffsets.has(one))) {
      this.#forget(found);
    }
  }

  /** Has those being written removed once they are there. */
  #cancel(isUnwanted: (offset: number) => boolean): void {
    if (this.#writing === null) return;
    for (const offset of this.#writing.keys()) if (isUnwanted(offset)) this.#writing.set(offset, false);
  }

  #forget(offset: number): void {
    this.#offsets = this.#offsets.filter((one) => one !== offset);
    this.#remove(offset);
  }

  #remove(offset: number): void {
    const path = this.#fileOf(offset);
    if (this.#disk.exists(path)) this.#disk.remove(path);
  }

  #insert(offset: number): void {
    if (this.#offsets.includes(offset)) return;
    this.#offsets = [...this.#offsets, offset].sort((a, b) => a - b);
  }

  #fileOf(offset: number): string {
    return `${this.#place.path}/${offsetFileName(offset, SNAPSHOT_SUFFIX)}`;
  }
}
