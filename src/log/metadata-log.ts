import { BrokerError } from '../base/broker-error.ts';
import { METADATA_TOPIC_ID } from '../base/uuid.ts';
import { DiskError } from '../io/disk.ts';
import { METADATA_TOPIC, partitionDirectoryName } from './file-names.ts';
import type { LogConfig } from './log-config.ts';
import type { LogDirectory } from './log-directory.ts';
import type { LogEnvironment } from './log-environment.ts';
import { loadLog } from './log-loader.ts';
import { newResources, newScanner } from './log-resources.ts';
import type { PartitionLog } from './partition-log.ts';
import { runSteps } from './steps.ts';

/**
 * Opens `__cluster_metadata-0` in a directory, or makes it. It is not known to the log manager, which passes it by. All of it is checked at every start, clean stop or not: it is
 * small, and everything hangs on it. Errors: `DISK_FAILED`.
 */
export function openMetadataLog(
  environment: LogEnvironment,
  directory: LogDirectory,
  config: LogConfig,
  done: (error: BrokerError | null, log: PartitionLog | null) => void,
): void {
  const path = `${directory.path}/${partitionDirectoryName(METADATA_TOPIC, 0)}`;
  try {
    environment.disk.makeDirectory(path);
  } catch (error) {
    return failed(error);
  }
  const request = {
    topic: METADATA_TOPIC,
    partition: 0,
    directory,
    place: { path },
    config,
    trusted: false,
    checkpointed: { recoveryPoint: 0, logStartOffset: 0, highWatermark: 0 },
    defaultTopicId: METADATA_TOPIC_ID,
  };
  return runSteps(
    environment.clock,
    loadLog(newResources(environment), newScanner(), request),
    (error, log) => (log === undefined ? failed(error) : done(null, log)),
  );

  function failed(error: unknown): void {
    if (!(error instanceof DiskError)) throw error;
    done(
      new BrokerError('DISK_FAILED', `The metadata log cannot be opened: ${error.message}`, { cause: error }),
      null,
    );
  }
}
