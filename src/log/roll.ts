import type { BatchScanner } from './batch-scanner.ts';
import type { LogConfig } from './log-config.ts';
import type { Segment } from './segment.ts';

/** Largest offset minus base offset, and largest file position, that the indexes can hold. */
export const MAX_RELATIVE = 0x7fffffff;

/** What is about to be written. */
export interface Incoming {
  readonly sizeBytes: number;
  readonly lastOffset: number;
  /** Largest timestamp of its batches, ms. */
  readonly maxTimestampMs: number;
  readonly nowMs: number;
}

/** True if `incoming` must go to a new segment (formats §10). An empty segment takes everything its indexes can name. @throws DiskError */
export function mustRoll(
  segment: Segment,
  incoming: Incoming,
  config: LogConfig,
  scanner: BatchScanner,
): boolean {
  if (incoming.lastOffset - segment.baseOffset > MAX_RELATIVE) return true;
  if (segment.sizeBytes === 0) return false;
  const limitBytes = Math.min(config.segmentBytes, MAX_RELATIVE);
  return (
    segment.sizeBytes > limitBytes - incoming.sizeBytes ||
    segment.isIndexFull(config.indexSizeMaxBytes) ||
    waitedMs(segment, incoming, scanner) > config.segmentMs - segment.rollJitterMs
  );
}

/** How long the segment has been collecting: by the records' own time, or by the clock if they have none. */
function waitedMs(segment: Segment, incoming: Incoming, scanner: BatchScanner): number {
  const first = segment.firstBatchTimestamp(scanner);
  return first >= 0 ? incoming.maxTimestampMs - first : incoming.nowMs - segment.createdMs;
}
