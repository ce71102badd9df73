import { assert } from '../base/assert.ts';

/** A snapshot: the state before `endOffset`; `epoch` is that of the record at `endOffset - 1`. */
export interface SnapshotId {
  readonly endOffset: number;
  readonly epoch: number;
}

/** A snapshot that is whole on disk. */
export interface SnapshotFact {
  readonly id: SnapshotId;
  readonly sizeBytes: number;
}

/** Where an epoch ends: `epoch` is the largest one not above what was asked for. */
export interface EpochEnd {
  readonly epoch: number;
  readonly endOffset: number;
}

/** What is in the log when the node starts; all of it is durable. */
export interface LogFacts {
  readonly startOffset: number;
  readonly endOffset: number;
  /** First offset of each epoch, ascending. */
  readonly epochs: readonly { readonly epoch: number; readonly startOffset: number }[];
  /** Whole snapshots, in any order. */
  readonly snapshots: readonly SnapshotFact[];
}

/** What a fetch at an offset gets: records, or where the replica differs, or a snapshot in their place. */
export type FetchPosition =
  | { readonly kind: 'valid' }
  | { readonly kind: 'diverging'; readonly end: EpochEnd }
  | { readonly kind: 'snapshot'; readonly id: SnapshotId };

/** Snapshots are ordered by epoch, then offset. */
export function compareSnapshots(a: SnapshotId, b: SnapshotId): number {
  return a.epoch - b.epoch || a.endOffset - b.endOffset;
}

/** The snapshot a node is formatted with: it holds the first voters only, is never sent, and no log continues after it. */
export function isBootstrapSnapshot(id: SnapshotId): boolean {
  return id.endOffset === 0 && id.epoch === 0;
}

/**
 * The metadata log as the machine knows it: offsets and epochs, never bytes. It is what the log will be once the effects given out so far are carried
 * out in their order; `flushedOffset` is how far that is known to be durable.
 *
 *     start <= flushed <= end        epochs rise with offsets        the log begins at 0 or continues a snapshot
 */
export class LogState {
  startOffset: number;
  endOffset: number;
  /** All below is durable. */
  flushedOffset: number;
  /** Rises whenever something was cut off or replaced: what was asked of the log before does not tell about it any more. */
  generation = 0;
  #epochs: { readonly epoch: number; readonly startOffset: number }[];
  #snapshots: SnapshotFact[];

  constructor(facts: LogFacts) {
    this.startOffset = facts.startOffset;
    this.endOffset = facts.endOffset;
    this.flushedOffset = facts.endOffset;
    this.#epochs = facts.epochs.slice();
    this.#snapshots = facts.snapshots.toSorted((a, b) => compareSnapshots(a.id, b.id));
    const latest = this.latestSnapshot;
    if (latest !== null && latest.endOffset > this.endOffset) this.#continueAfter(latest);
    this.#addSnapshotEpoch();
    this.checkInvariants();
  }

  /** Epoch of the last record; where the log holds none, that of the snapshot it continues; 0 when there is neither. */
  get lastEpoch(): number {
    return this.#epochs.at(-1)?.epoch ?? 0;
  }

  get latestSnapshot(): SnapshotId | null {
    return this.#snapshots.at(-1)?.id ?? null;
  }

  get earliestSnapshot(): SnapshotId | null {
    return this.#snapshots[0]?.id ?? null;
  }

  /** Size of a snapshot in bytes; null when it is not there. */
  snapshotSize(id: SnapshotId): number | null {
    return this.#snapshots.find((one) => compareSnapshots(one.id, id) === 0)?.sizeBytes ?? null;
  }

  /** Largest epoch not above `epoch`, and its end. */
  endOfEpoch(epoch: number): EpochEnd {
    const index = this.#epochs.findLastIndex((entry) => entry.epoch <= epoch);
    const entry = this.#epochs[index];
    if (entry === undefined) {
      return { epoch: this.earliestSnapshot?.epoch ?? 0, endOffset: this.startOffset };
    }
    return { epoch: entry.epoch, endOffset: this.#epochs[index + 1]?.startOffset ?? this.endOffset };
  }

  /** Epoch of the record at an offset that is in the log. */
  epochAt(offset: number): number {
    return this.#epochs.findLast((entry) => entry.startOffset <= offset)?.epoch ?? 0;
  }

  /** What a replica gets whose log ends at `fetchOffset` with a record of `lastFetchedEpoch` (formats §26). */
  positionOf(fetchOffset: number, lastFetchedEpoch: number): FetchPosition {
    const latest = this.latestSnapshot;
    const earliest = this.earliestSnapshot;
    if (latest !== null && earliest !== null && !isBootstrapSnapshot(latest)) {
      const isBefore =
        fetchOffset === 0 ||
        fetchOffset < this.startOffset ||
        lastFetchedEpoch < earliest.epoch ||
        (fetchOffset === this.startOffset &&
          fetchOffset === earliest.endOffset &&
          lastFetchedEpoch !== earliest.epoch);
      if (isBefore) return { kind: 'snapshot', id: latest };
    }
    const end = this.endOfEpoch(lastFetchedEpoch);
    if (end.epoch !== lastFetchedEpoch || end.endOffset < fetchOffset) return { kind: 'diverging', end };
    return { kind: 'valid' };
  }

  /** Where a replica cuts its log when its leader says where an epoch ends there. */
  truncationOffset(leaders: EpochEnd): number {
    const own = this.endOfEpoch(leaders.epoch);
    const offset = own.epoch === leaders.epoch ? Math.min(own.endOffset, leaders.endOffset) : own.endOffset;
    return Math.min(offset, this.endOffset);
  }

  /** Adds records of one epoch. @returns their base offset */
  append(epoch: number, count: number): number {
    assert(epoch >= this.lastEpoch, 'epochs never fall within a log');
    assert(count > 0, 'an append has records');
    const baseOffset = this.endOffset;
    if (epoch > this.lastEpoch) this.#epochs.push({ epoch, startOffset: baseOffset });
    this.endOffset += count;
    return baseOffset;
  }

  /** Cuts off everything at or past an offset. */
  truncate(endOffset: number): void {
    assert(endOffset <= this.endOffset && endOffset >= this.startOffset, 'a log is cut within its bounds');
    this.endOffset = endOffset;
    this.flushedOffset = Math.min(this.flushedOffset, endOffset);
    this.#epochs = this.#epochs.filter(({ startOffset }) => startOffset < endOffset);
    this.#addSnapshotEpoch();
    this.generation++;
  }

  /** True if the log would be replaced by this snapshot: it is past what the log holds. */
  isBehind(id: SnapshotId): boolean {
    return id.epoch > this.lastEpoch || (id.epoch === this.lastEpoch && id.endOffset > this.endOffset);
  }

  /** Replaces the whole log by a snapshot. */
  install(fact: SnapshotFact): void {
    assert(this.isBehind(fact.id), 'a snapshot is loaded only by a log that does not reach it');
    this.addSnapshot(fact);
    this.#continueAfter(fact.id);
  }

  /** A snapshot was written or fetched. */
  addSnapshot(fact: SnapshotFact): void {
    this.#snapshots = this.#snapshots
      .filter(({ id }) => compareSnapshots(id, fact.id) !== 0)
      .concat(fact)
      .sort((a, b) => compareSnapshots(a.id, b.id));
  }

  /** The log now starts later, and older snapshots are gone. */
  startAt(startOffset: number): void {
    assert(startOffset >= this.startOffset && startOffset <= this.endOffset, 'the log start only rises');
    assert(
      this.#snapshots.some(({ id }) => id.endOffset >= startOffset),
      'what is dropped from the log is in a snapshot',
    );
    this.startOffset = startOffset;
    this.#snapshots = this.#snapshots.filter(({ id }) => id.endOffset >= startOffset);
    const floor = this.#epochs.findLastIndex((entry) => entry.startOffset <= startOffset);
    this.#epochs = this.#epochs.slice(Math.max(floor, 0));
    this.#addSnapshotEpoch();
  }

  checkInvariants(): void {
    assert(this.startOffset <= this.flushedOffset, 'what is durable is in the log');
    assert(this.flushedOffset <= this.endOffset, 'nothing past the end is durable');
    assert(
      this.startOffset === 0 || this.#snapshots.some(({ id }) => id.endOffset >= this.startOffset),
      'a log that does not begin at 0 continues a snapshot',
    );
    for (const [i, entry] of this.#epochs.entries()) {
      const next = this.#epochs[i + 1];
      if (next === undefined) break;
      assert(entry.epoch < next.epoch && entry.startOffset <= next.startOffset, 'epochs rise with offsets');
    }
  }

  #continueAfter(id: SnapshotId): void {
    this.startOffset = id.endOffset;
    this.endOffset = id.endOffset;
    this.flushedOffset = id.endOffset;
    this.#epochs = [{ epoch: id.epoch, startOffset: id.endOffset }];
    this.#snapshots = this.#snapshots.filter((one) => one.id.endOffset >= id.endOffset);
    this.generation++;
  }

  /** The epoch of the snapshot that the log continues is one the log knows, though its last record may be in the snapshot only. */
  #addSnapshotEpoch(): void {
    const before = this.#snapshots.find(({ id }) => id.endOffset === this.startOffset);
    if (before === undefined || this.startOffset === 0) return;
    const [first] = this.#epochs;
    if (first !== undefined && first.epoch <= before.id.epoch) return;
    this.#epochs.unshift({ epoch: before.id.epoch, startOffset: this.startOffset });
  }
}
