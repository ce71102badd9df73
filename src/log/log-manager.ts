import type { BrokerError } from '../base/broker-error.ts';
import type { Uuid } from '../base/uuid.ts';
import type { LogConfig } from './log-config.ts';
import type { LogDirectory } from './log-directory.ts';
import type { PartitionLog } from './partition-log.ts';

/** How the manager is opened. */
export interface LogManagerOptions {
  /** Directories for data logs, opened and locked. */
  readonly directories: readonly LogDirectory[];
  /** Config of a topic's logs; asked for each log found and again never: changes go to `PartitionLog.updateConfig`. */
  readonly configOf: (topic: string) => LogConfig;
  /** `producer.id.expiration.ms`. */
  readonly producerIdExpirationMs?: number;
  /** `log.flush.offset.checkpoint.interval.ms`: recovery points and log starts. */
  readonly checkpointIntervalMs?: number;
  /** `replica.high.watermark.checkpoint.interval.ms`. */
  readonly highWatermarkCheckpointIntervalMs?: number;
  /** Told when a directory went offline (a failed flush, a vanished directory): all its logs are offline too. */
  readonly onDirectoryOffline?: (directory: LogDirectory, cause: Error) => void;
}

/** Skeleton: the signatures are settled, the bodies follow. `LogManager.open(environment, options, done)` makes one. */
export abstract class LogManager {
  abstract readonly directories: readonly LogDirectory[];
  /** For BrokerRegistration.previousBrokerEpoch: the epoch all clean markers agree on, else -1. */
  abstract readonly previousBrokerEpoch: number;

  abstract get(topic: string, partition: number): PartitionLog | null;
  /** Every log, in no particular order. */
  abstract all(): Iterable<PartitionLog>;
  /**
   * Makes an empty log in the online directory with the fewest logs (or in the named one).
   * @throws BrokerError `LOG_DIRECTORY_OFFLINE` when no directory can take it, `DISK_FAILED` when the disk refuses.
   */
  abstract create(
    topic: string,
    partition: number,
    topicId: Uuid,
    options?: { directoryId?: Uuid; config?: LogConfig },
  ): PartitionLog;
  /** Takes the log out of service at once and deletes its files later (`file.delete.delay.ms`). */
  abstract delete(topic: string, partition: number): void;
  /** Appends made between `cork` and `uncork` are written together, one write per log; calls nest. For the frames of one wake-up. */
  abstract cork(): void;
  abstract uncork(): void;
  /** Flushes and closes all; with `clean` the markers are written. `brokerEpoch` goes into them. The directories stay locked. */
  abstract close(options: { clean: boolean; brokerEpoch: number }, done: () => void): void;
}

/** `__cluster_metadata-0` in a directory, made when it is not there, recovered from its start. Not known to the manager. */
export type OpenMetadataLog = (
  directory: LogDirectory,
  config: LogConfig,
  done: (error: BrokerError | null, log: PartitionLog | null) => void,
) => void;
