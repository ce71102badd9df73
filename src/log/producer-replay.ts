import { CURRENT_MAGIC } from '../records/batch.ts';
import { markerOf } from '../records/transaction-marker.ts';
import type { BatchScanner } from './batch-scanner.ts';
import type { ProducerState } from './producer-state.ts';
import type { Segment } from './segment.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import type { Steps } from './steps.ts';
import type { AbortedTransaction } from './transaction-index.ts';

/** What is needed to rebuild the producer state of a log from its files. */
export interface ReplaySource {
  readonly producers: ProducerState<unknown>;
  readonly snapshots: SnapshotStore;
  readonly scanner: BatchScanner;
  /** Wall clock, ms; expired producers are left out. */
  readonly nowMs: number;
  /** Transactions that ended at or above it are to be known: they hold the last stable offset back. Infinity if nobody asks. */
  readonly highWatermark: number;
}

/** Takes in the batch under the scanner. @returns the transaction that it aborts, null in general @throws DiskError */
export function applyScanned(
  producers: ProducerState<unknown>,
  scanner: BatchScanner,
): AbortedTransaction | null {
  if (scanner.magic !== CURRENT_MAGIC || !scanner.view.hasProducerId) return null;
  if (!scanner.view.isControl) return producers.apply(scanner.view, null);
  // A marker is in the record, not in the header; markers are small.
  return scanner.whole() < 0 ? null : producers.apply(scanner.view, markerOf(scanner.view));
}

/**
 * Rebuilds the state as it was before `endOffset`: the newest usable snapshot, then the headers of the batches after it. A snapshot says nothing of transactions that have ended, so that one at or below
 * the high watermark is preferred. `segments` hold everything below `endOffset`, in order. @throws DiskError
 */
export function* replayProducers(
  source: ReplaySource,
  segments: readonly Segment[],
  endOffset: number,
): Steps<void> {
  const { producers, snapshots, scanner, nowMs } = source;
  const decidedOffset = Math.min(
    endOffset,
    Math.max(source.highWatermark, segments[0]?.baseOffset ?? endOffset),
  );
  const isNearStart = decidedOffset < (segments[1]?.baseOffset ?? Number.POSITIVE_INFINITY);
  const snapshot = snapshots.newest(decidedOffset) ?? (isNearStart ? null : snapshots.newest(endOffset));
  producers.transactions.setHighWatermark(source.highWatermark);
  producers.load(snapshot?.entries ?? [], nowMs);
  const from = snapshot?.offset ?? 0;
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i] as Segment;
    const nextBase = segments[i + 1]?.baseOffset ?? Number.POSITIVE_INFINITY;
    if (nextBase <= from || segment.baseOffset >= endOffset || segment.sizeBytes === 0) continue;
    if (!segment.find(scanner, Math.max(from, segment.baseOffset))) continue;
    scanner.over(segment.file, scanner.position, segment.sizeBytes);
    while (scanner.next() && scanner.lastOffset < endOffset) {
      applyScanned(producers, scanner);
      yield;
    }
  }
}
