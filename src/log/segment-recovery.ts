import type { Compute } from '../io/compute.ts';
import type { BatchScanner } from './batch-scanner.ts';
import type { LeaderEpochCache } from './leader-epoch-cache.ts';
import { applyScanned } from './producer-replay.ts';
import type { ProducerState } from './producer-state.ts';
import { MAX_RELATIVE } from './roll.ts';
import type { Segment } from './segment.ts';
import type { Steps } from './steps.ts';

/** How a segment is gone through. */
export interface RecoveryContext {
  readonly compute: Compute;
  readonly scanner: BatchScanner;
  readonly indexIntervalBytes: number;
  readonly epochs: LeaderEpochCache;
  /** Takes in the batches, null if they are known already. */
  readonly producers: ProducerState<unknown> | null;
  /** Batches that end at or below are durable: only their headers are looked at. */
  readonly durableOffset: number;
}

/** What was found. */
export interface RecoveredSegment {
  /** Offset after the last good batch; the base offset without one. */
  readonly endOffset: number;
  /** Bytes after it that are no part of the log. */
  readonly tornBytes: number;
}

/**
 * Goes through a segment whose indexes are empty, rebuilds them (that of transactions only along with the producers), and takes in epochs and producers, up to the first batch that is not whole and right. The file is not changed.
 * @throws DiskError
 */
export function* recoverSegment(segment: Segment, context: RecoveryContext): Steps<RecoveredSegment> {
  const { scanner, epochs, producers } = context;
  const fileBytes = segment.file.sizeBytes;
  let endOffset = segment.baseOffset;
  let lastEpoch = epochs.epochOf(segment.baseOffset - 1);
  scanner.over(segment.file, 0, fileBytes);
  while (scanner.next() && isGood(segment, context, endOffset, lastEpoch)) {
    segment.add(scanner, context.indexIntervalBytes);
    if (scanner.leaderEpoch > epochs.latestEpoch) epochs.assign(scanner.leaderEpoch, scanner.baseOffset);
    if (producers !== null) takeProducer(segment, producers, scanner);
    lastEpoch = Math.max(lastEpoch, scanner.leaderEpoch);
    endOffset = scanner.lastOffset + 1;
    yield;
  }
  return { endOffset, tornBytes: fileBytes - segment.sizeBytes };
}

function takeProducer(segment: Segment, producers: ProducerState<unknown>, scanner: BatchScanner): void {
  const aborted = applyScanned(producers, scanner);
  if (aborted !== null) segment.addAborted(aborted);
}

/** True if the batch under the scanner can follow. Offsets and epochs never go back: what does is left over from before a cut. */
function isGood(segment: Segment, context: RecoveryContext, endOffset: number, lastEpoch: number): boolean {
  const { scanner } = context;
  const { baseOffset, lastOffset, leaderEpoch } = scanner;
  if (baseOffset < endOffset || lastOffset < baseOffset) return false;
  if (lastOffset - segment.baseOffset > MAX_RELATIVE) return false;
  if (leaderEpoch >= 0 && leaderEpoch < lastEpoch) return false;
  return lastOffset < context.durableOffset || scanner.isValid(context.compute);
}
