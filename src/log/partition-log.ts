import { assert } from '../base/assert.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { Uuid } from '../base/uuid.ts';
import type { DiskError } from '../io/disk.ts';
import type { AppendCallback, AppendRequest } from './append-request.ts';
import type { LogConfig } from './log-config.ts';
import type { EpochEnd, LogRead, ReadOptions, TimestampAndOffset } from './log-read.ts';

/** Skeleton: the signatures are settled, the bodies follow. */
export abstract class PartitionLog {
  abstract readonly topic: string;
  abstract readonly partition: number;
  /** `ZERO_UUID` when the directory names none (an old log). */
  abstract readonly topicId: Uuid;
  /** Absolute path of the partition's directory; follows a rename. */
  abstract readonly path: string;
  /** Id of the log directory it lies in. */
  abstract readonly directoryId: Uuid;
  abstract readonly config: LogConfig;
  /** First offset that may be read. */
  abstract readonly logStartOffset: number;
  /** Offset after the last published record (exclusive). */
  abstract readonly logEndOffset: number;
  /** Everything below is on the device. */
  abstract readonly flushedEndOffset: number;
  /** The end that counts for the high watermark: the flushed one where `flush.messages` is 1, else `logEndOffset`. */
  abstract readonly acknowledgedEndOffset: number;
  /** Epoch of the last entry of the leader epoch checkpoint, -1 when empty. */
  abstract readonly latestEpoch: number;
  /** High watermark of the last checkpoint before the start; later what the owner sets (kept here so that the manager can checkpoint it). */
  abstract highWatermark: number;
  /** True after an unrecoverable disk error: appends and reads answer KAFKA_STORAGE_ERROR. */
  abstract readonly offline: boolean;
  /** Bytes of all segments. */
  abstract readonly sizeBytes: number;

  /**
   * Appends batches through the lane: admit, write, publish. Outcomes of one log come in the order of the appends, except that a refused one may
   * come early.
   */
  abstract append(request: AppendRequest, done: AppendCallback): void;

  /** One range of bytes at `fetchOffset`; see `LogRead`. Leases are the caller's to release. */
  abstract read(fetchOffset: number, options: ReadOptions): LogRead;

  /** The first record with a timestamp >= `timestampMs`, null when there is none. May finish later if a large compressed batch must be opened. */
  abstract offsetForTimestamp(
    timestampMs: number,
    done: (errorCode: ErrorCode, found: TimestampAndOffset | null) => void,
  ): void;

  /** The first record that has the largest timestamp of the log (ListOffsets -3), null when the log is empty. */
  abstract offsetForMaxTimestamp(
    done: (errorCode: ErrorCode, found: TimestampAndOffset | null) => void,
  ): void;

  /** Largest known epoch <= `epoch` with its end; null when undefined (no epochs, or `epoch` above all known). formats §25. */
  abstract endOffsetForEpoch(epoch: number): EpochEnd | null;

  /** Records that `epoch` begins at `startOffset` (usually the log end, when leadership begins); made durable before the next flush is. */
  abstract assignEpoch(epoch: number, startOffset: number): void;

  /** Epoch of the record at `offset`, -1 when unknown. */
  abstract epochOfOffset(offset: number): number;

  /** Cuts everything at and above `offset`, revoking leases that reach past it. The lane must be idle (see `whenIdle`). */
  abstract truncateTo(offset: number): void;

  /** Drops all records; the log is empty and starts at `offset` (follower far behind, or a snapshot was loaded). The lane must be idle. */
  abstract truncateFullyAndStartAt(offset: number): void;

  /** Raises the log start; segments wholly below it are deleted. Never above the log end. */
  abstract advanceLogStart(offset: number): void;

  /** Makes everything published before the call durable. Calls made while a flush runs share the next one. */
  abstract flush(done: (error: DiskError | null) => void): void;

  /** `listener` is called after each publish (once per group of appends), before the outcomes are told. One listener; null removes it. */
  abstract onAppended(listener: (() => void) | null): void;

  /** `listener` is called when `flushedEndOffset` has grown. One listener; null removes it. */
  abstract onFlushed(listener: (() => void) | null): void;

  /** Calls `done` once no append is queued or in flight: at once, or later. */
  abstract whenIdle(done: () => void): void;

  /** Takes a new configuration; it counts from the next append. */
  abstract updateConfig(config: LogConfig): void;

  /** Asserts everything that must hold between two events. */
  abstract checkInvariants(): void;
}

void assert;
