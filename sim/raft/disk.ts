import type { Random } from '../../src/base/random.ts';
import type { Uuid } from '../../src/base/uuid.ts';
import type { ElectionState } from '../../src/raft/election-state.ts';
import { compareSnapshots, type LogFacts } from '../../src/raft/log-state.ts';
import type { QuorumRecord, RaftStart } from '../../src/raft/raft-api.ts';
import type { Batch, Snapshot } from './batch.ts';
import { LogCopy } from './log-copy.ts';

/** A change of the log that is on its way to the platter. */
export type LogChange =
  | { readonly kind: 'append'; readonly batch: Batch }
  | { readonly kind: 'truncate'; readonly endOffset: number }
  | { readonly kind: 'drop'; readonly startOffset: number };

/** One directory: what was written to it, and what of that survives a loss of power. `quorum-state` and snapshots are there as soon as they are written. */
export class Disk {
  readonly directoryId: Uuid;
  /** As programs see it. */
  written = new LogCopy();
  /** As it is after the power was gone. */
  durable = new LogCopy();
  /** Ascending. */
  snapshots: Snapshot[] = [];
  election: ElectionState | null = null;
  #unsynced: LogChange[] = [];

  constructor(directoryId: Uuid) {
    this.directoryId = directoryId;
  }

  get latestSnapshot(): Snapshot | null {
    return this.snapshots.at(-1) ?? null;
  }

  /** Changes what programs see. False for an append that does not continue the log: one before it has failed. */
  apply(change: LogChange): boolean {
    if (!applyTo(this.written, change)) return false;
    if (change.kind === 'drop') {
      this.snapshots = this.snapshots.filter(({ id }) => id.endOffset >= change.startOffset);
    }
    this.#unsynced.push(change);
    return true;
  }

  sync(): void {
    for (const change of this.#unsynced) applyTo(this.durable, change);
    this.#unsynced = [];
  }

  /** A whole snapshot is there. */
  addSnapshot(snapshot: Snapshot): void {
    this.snapshots = this.snapshots
      .filter(({ id }) => compareSnapshots(id, snapshot.id) !== 0)
      .concat(snapshot)
      .sort((a, b) => compareSnapshots(a.id, b.id));
  }

  /** A snapshot takes the place of the log; durably. */
  install(snapshot: Snapshot): void {
    this.#unsynced = [];
    this.addSnapshot(snapshot);
    this.snapshots = this.snapshots.filter(({ id }) => id.endOffset >= snapshot.id.endOffset);
    this.written.replaceBy(snapshot.id.endOffset);
    this.durable.replaceBy(snapshot.id.endOffset);
  }

  /** The power goes: of what was not synced, a part of its beginning is left. */
  losePower(random: Random): void {
    this.#unsynced.length = random.below(this.#unsynced.length + 1);
    this.written = this.durable.copy();
    for (const change of this.#unsynced) applyTo(this.written, change);
  }

  /** A process starts: it makes durable what it finds, and takes no log that ends before a snapshot. @returns what the machine is told */
  open(): RaftStart {
    const latest = this.latestSnapshot;
    if (latest !== null && latest.id.endOffset > this.written.endOffset) {
      this.written.replaceBy(latest.id.endOffset);
    }
    this.#unsynced = [];
    this.durable = this.written.copy();
    return startOf(this);
  }

  /** True if the batch, or a snapshot that was made of it, survives a loss of power. */
  keeps(batch: Batch): boolean {
    if (this.durable.batchAt(batch.baseOffset) === batch) return true;
    const latest = this.latestSnapshot;
    return latest !== null && latest.id.endOffset >= batch.endOffset;
  }
}

function applyTo(log: LogCopy, change: LogChange): boolean {
  switch (change.kind) {
    case 'append':
      if (change.batch.baseOffset !== log.endOffset) return false;
      log.batches.push(change.batch);
      return true;
    case 'truncate':
      log.truncate(change.endOffset);
      return true;
    case 'drop':
      log.startAt(change.startOffset);
      return true;
  }
}

function startOf(disk: Disk): RaftStart {
  const { written, election } = disk;
  const epochs: { epoch: number; startOffset: number }[] = [];
  const controlRecords: { readonly offset: number; readonly record: QuorumRecord }[] = [];
  const from = disk.latestSnapshot?.id.endOffset ?? 0;
  for (const batch of written.batches) {
    if (epochs.at(-1)?.epoch !== batch.epoch) {
      epochs.push({ epoch: batch.epoch, startOffset: batch.baseOffset });
    }
    if (batch.baseOffset >= from) controlRecords.push(...batch.controlRecords);
  }
  const log: LogFacts = {
    startOffset: written.startOffset,
    endOffset: written.endOffset,
    epochs,
    snapshots: disk.snapshots.map(({ id, sizeBytes }) => ({ id, sizeBytes })),
  };
  const snapshot = disk.latestSnapshot;
  return { election, log, snapshot: snapshot && { id: snapshot.id, facts: snapshot.facts }, controlRecords };
}
