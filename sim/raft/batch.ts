import type { FetchedBatch } from '../../src/raft/raft-api.ts';
import type { SnapshotId } from '../../src/raft/log-state.ts';
import type { QuorumFacts } from '../../src/raft/voter-history.ts';

/**
 * A batch of the simulated log. The leader that appends it makes the one object of it, and every log holds that very object: two batches are the same when they are identical.
 */
export interface Batch extends FetchedBatch {
  /** What it holds; no two batches have the same. */
  readonly value: number;
}

/** A snapshot, with what it says of the quorum and the image at its end. */
export interface Snapshot {
  readonly id: SnapshotId;
  readonly sizeBytes: number;
  readonly facts: QuorumFacts;
  /** See `replayed`. */
  readonly image: number;
}

/** The image of nothing. */
export const EMPTY_IMAGE = 0x811c9dc5;

/** The image after one more batch: images are equal only where the same batches made them. */
export function replayed(image: number, batch: Batch): number {
  let hash = Math.imul(image ^ batch.baseOffset, 0x01000193);
  hash = Math.imul(hash ^ batch.endOffset, 0x01000193) ^ (hash >>> 15);
  hash = Math.imul(hash ^ batch.epoch, 0x01000193) ^ (hash >>> 13);
  return Math.imul(hash ^ batch.value, 0x85ebca6b) ^ (hash >>> 16);
}

/** A batch as failures show it. */
export function describeBatch(batch: Batch | null): string {
  if (batch === null) return 'nothing';
  return `${batch.baseOffset}..${batch.endOffset} of epoch ${batch.epoch} (value ${batch.value})`;
}
