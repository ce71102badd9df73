import { CheckpointFormatError, type OffsetEntry, parseOffsetCheckpoint } from './checkpoint-file.ts';
import {
  HIGH_WATERMARK_FILE,
  LOG_START_FILE,
  METADATA_TOPIC,
  parsePartitionDirectory,
  partitionDirectoryName,
  RECOVERY_POINT_FILE,
} from './file-names.ts';
import type { LogConfig } from './log-config.ts';
import type { LogDirectory } from './log-directory.ts';
import { loadLog } from './log-loader.ts';
import { type LogResources, newScanner } from './log-resources.ts';
import type { PartitionLog } from './partition-log.ts';
import type { Steps } from './steps.ts';

/** What was found in a log directory. */
export interface LoadedDirectory {
  readonly logs: PartitionLog[];
  /** Directories of deleted logs that are still there. */
  readonly deleted: string[];
  /** Names in the checkpoints that no log here has. */
  readonly orphans: Set<string>;
}

/** Loads every log of a directory, one after the other. @throws DiskError */
export function* loadDirectory(
  resources: LogResources,
  directory: LogDirectory,
  configOf: (topic: string) => LogConfig,
): Steps<LoadedDirectory> {
  const { disk, logger } = resources.environment;
  const recoveryPoints = readCheckpoint(resources, directory, RECOVERY_POINT_FILE);
  const logStarts = readCheckpoint(resources, directory, LOG_START_FILE);
  const highWatermarks = readCheckpoint(resources, directory, HIGH_WATERMARK_FILE);
  const scanner = newScanner();
  const logs: PartitionLog[] = [];
  const deleted: string[] = [];
  const orphans = new Set([...recoveryPoints.keys(), ...logStarts.keys(), ...highWatermarks.keys()]);
  for (const entry of disk.list(directory.path)) {
    const parsed = entry.kind === 'directory' ? parsePartitionDirectory(entry.name) : null;
    if (parsed === null || parsed.topic === METADATA_TOPIC) continue;
    const path = `${directory.path}/${entry.name}`;
    if (parsed.state === 'delete') {
      deleted.push(path);
    } else if (parsed.state !== 'live') {
      logger.warn('A directory is passed by: this broker does not move or keep foreign replicas', { path });
    } else {
      const key = partitionDirectoryName(parsed.topic, parsed.partition);
      orphans.delete(key);
      logs.push(
        yield* loadLog(resources, scanner, {
          topic: parsed.topic,
          partition: parsed.partition,
          directory,
          place: { path },
          config: configOf(parsed.topic),
          trusted: directory.wasClean,
          checkpointed: {
            recoveryPoint: recoveryPoints.get(key) ?? 0,
            logStartOffset: logStarts.get(key) ?? 0,
            highWatermark: highWatermarks.get(key) ?? 0,
          },
        }),
      );
    }
    yield;
  }
  return { logs, deleted, orphans };
}

/** Offsets by partition directory name; none if the file is missing or cannot be read. @throws DiskError */
function readCheckpoint(resources: LogResources, directory: LogDirectory, file: string): Map<string, number> {
  const { disk, logger } = resources.environment;
  const path = `${directory.path}/${file}`;
  let entries: OffsetEntry[] = [];
  try {
    if (disk.exists(path)) entries = parseOffsetCheckpoint(disk.readFile(path).toString());
  } catch (error) {
    if (!(error instanceof CheckpointFormatError)) throw error;
    logger.warn('A checkpoint cannot be read; the logs are taken to have none', { path, error });
  }
  return new Map(
    entries.map(({ topic, partition, offset }) => [
      partitionDirectoryName(topic, partition),
      Math.max(offset, 0),
    ]),
  );
}
