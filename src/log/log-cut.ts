import type { Disk } from '../io/disk.ts';
import type { BatchScanner } from './batch-scanner.ts';
import { replayProducers } from './producer-replay.ts';
import type { ProducerState } from './producer-state.ts';
import { createSegment, type Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/** The parts of a log that a cut changes. Nothing of them may be in flight. */
export interface CutTarget {
  readonly disk: Disk;
  /** The partition's directory. */
  readonly path: string;
  readonly segments: SegmentList;
  readonly producers: ProducerState<unknown>;
  readonly snapshots: SnapshotStore;
  readonly scanner: BatchScanner;
  readonly nowMs: number;
  readonly highWatermark: number;
}

/**
 * Removes every batch that ends above `offset`, which lies in the log. Segments go from the last one back, so that whatever a crash leaves is a log without a hole.
 * @throws DiskError with the log half cut
 */
export function cutLog(target: CutTarget, offset: number): void {
  const { segments, producers, snapshots, scanner } = target;
  const holding = segments.floor(offset);
  if (holding + 1 < segments.count) for (const segment of segments.removeFrom(holding + 1)) segment.discard();
  const active = segments.active;
  active.prepareToGrow();
  const position = active.find(scanner, offset) ? scanner.position : active.sizeBytes;
  active.truncate(position, offset, scanner);
  snapshots.removeAbove(offset);
  if (!producers.dependsOn(offset)) return;
  const steps = replayProducers({ ...target, producers }, segments.all(), offset);
  while (!steps.next().done);
}

/** Removes everything; the log goes on with an empty segment at `offset`. @throws DiskError with the log half cut */
export function emptyLog(target: CutTarget, offset: number): void {
  const { disk, path, segments, producers, snapshots, nowMs } = target;
  const all = segments.all().toReversed();
  for (const segment of all) segment.discard();
  const fresh: Segment = createSegment(disk, path, offset, nowMs);
  segments.replaceAll(fresh);
  snapshots.removeAbove(-1);
  producers.clear();
}
