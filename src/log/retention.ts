import type { LogConfig } from './log-config.ts';

/** What retention looks at in a segment. */
export interface RetainedSegment {
  readonly baseOffset: number;
  readonly sizeBytes: number;
  /** Largest timestamp of its records, ms; negative when none has one. */
  readonly maxTimestampMs: number;
}

/** What retention looks at in a log. */
export interface RetainedLog {
  /** By base offset, the active one last. */
  readonly segments: readonly RetainedSegment[];
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly highWatermark: number;
  readonly sizeBytes: number;
  /** When the file of segment `i` was last written, ms; asked for only when no record of it has a timestamp. */
  lastModifiedMs(i: number): number;
}

/**
 * How many segments, from the first on, retention deletes: those wholly below the log start; with `delete` in `cleanup.policy` also those past `retention.ms` and
 * what `retention.bytes` leaves no room for. Nothing above the high watermark goes, and never an empty active segment; if the count is that of all segments, the active one must
 * be rolled first. As in Kafka each rule stops at the first segment that it keeps.
 */
export function countDeletable(log: RetainedLog, config: LogConfig, nowMs: number): number {
  const count = countWhile(log, (i) => endOf(log, i) <= log.logStartOffset && i < log.segments.length - 1);
  if (!config.cleanupPolicy.includes('delete')) return count;
  return Math.max(count, countTooMany(log, config), countTooOld(log, config, nowMs));
}

function countTooMany(log: RetainedLog, { retentionBytes }: LogConfig): number {
  if (retentionBytes < 0) return 0;
  let excessBytes = log.sizeBytes - retentionBytes;
  return countWhile(log, (i) => {
    const { sizeBytes } = log.segments[i] as RetainedSegment;
    if (excessBytes < sizeBytes) return false;
    excessBytes -= sizeBytes;
    return true;
  });
}

function countTooOld(log: RetainedLog, { retentionMs }: LogConfig, nowMs: number): number {
  if (retentionMs < 0) return 0;
  return countWhile(log, (i) => {
    const { maxTimestampMs } = log.segments[i] as RetainedSegment;
    return nowMs - (maxTimestampMs >= 0 ? maxTimestampMs : log.lastModifiedMs(i)) > retentionMs;
  });
}

function countWhile(log: RetainedLog, isDeletable: (i: number) => boolean): number {
  const { segments } = log;
  for (let i = 0; i < segments.length; i++) {
    const isEmptyActive = i === segments.length - 1 && (segments[i] as RetainedSegment).sizeBytes === 0;
    if (isEmptyActive || endOf(log, i) > log.highWatermark || !isDeletable(i)) return i;
  }
  return segments.length;
}

/** Offset after the last one that can be in segment `i`. */
function endOf(log: RetainedLog, i: number): number {
  return log.segments[i + 1]?.baseOffset ?? log.logEndOffset;
}
