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
import type { LoadProgress } from './load-progress.ts';
import { loadLog, type LoadRequest } from './log-loader.ts';
import { type LogResources, newScanner } from './log-resources.ts';
import type { PartitionLog } from './partition-log.ts';
import type { StepRunner } from './step-runner.ts';
import type { Steps } from './steps.ts';
import { suspectBytes } from './suspect-segments.ts';

/** Most logs of a directory in progress at the same time: each has a buffer to read into. */
const MAX_PARALLEL = 64;

/** What was found in a log directory. */
export interface LoadedDirectory {
  readonly logs: PartitionLog[];
  /** Directories of deleted logs that are still there. */
  readonly deleted: string[];
  /** Names in the checkpoints that no log here has. */
  readonly orphans: Set<string>;
}

/** How the logs of a directory are loaded. */
export interface DirectoryLoading {
  readonly configOf: (topic: string) => LogConfig;
  /** Logs that are in progress at the same time (`num.recovery.threads.per.data.dir`): while the rebuilt files of one are made durable, another is read. */
  readonly parallel: number;
  /** Runs what is in progress. */
  readonly runner: StepRunner;
  readonly progress: LoadProgress;
}

/** Loads every log of a directory; after a crash those with the most bytes to be checked come first. @throws DiskError; no log stays open then */
export function* loadDirectory(
  resources: LogResources,
  directory: LogDirectory,
  loading: DirectoryLoading,
): Steps<LoadedDirectory> {
  const { requests, ...found } = yield* findLogs(resources, directory, loading);
  const logs: PartitionLog[] = [];
  let failure: unknown = null;
  let next = 0;
  const loadSome = function* (): Steps<void> {
    const scanner = newScanner();
    while (next < requests.length && failure === null) {
      logs.push(yield* loadLog(resources, scanner, requests[next++] as LoadRequest));
      loading.progress.loaded();
      yield;
    }
  };
  yield (resume) => {
    let left = Math.max(1, Math.min(loading.parallel, MAX_PARALLEL, requests.length));
    for (let i = left; i > 0; i--) {
      loading.runner.run(loadSome(), (error) => {
        failure ??= error;
        if (--left === 0) resume();
      });
    }
  };
  if (failure === null) return { ...found, logs };
  for (const log of logs) log.abandon(() => {});
  throw failure;
}

/** What there is in a directory, and what is known of its logs; nothing is changed. */
function* findLogs(
  resources: LogResources,
  directory: LogDirectory,
  loading: DirectoryLoading,
): Steps<Omit<LoadedDirectory, 'logs'> & { readonly requests: LoadRequest[] }> {
  const { disk, logger } = resources.environment;
  const recoveryPoints = readCheckpoint(resources, directory, RECOVERY_POINT_FILE);
  const logStarts = readCheckpoint(resources, directory, LOG_START_FILE);
  const highWatermarks = readCheckpoint(resources, directory, HIGH_WATERMARK_FILE);
  const requests: { readonly request: LoadRequest; readonly bytes: number }[] = [];
  const deleted: string[] = [];
  const orphans = new Set([...recoveryPoints.keys(), ...logStarts.keys(), ...highWatermarks.keys()]);
  for (const entry of disk.list(directory.path)) {
    const parsed = entry.kind === 'directory' ? parsePartitionDirectory(entry.name) : null;
    if (parsed === null || parsed.topic === METADATA_TOPIC) continue;
    const path = `${directory.path}/${entry.name}`;
    if (parsed.state === 'delete') {
      deleted.push(path);
    } else if (parsed.state !== 'live') {
      logger.warn('A directory is passed by: a replica that was set aside, or a copy without its original', {
        path,
      });
    } else {
      const { topic, partition } = parsed;
      const key = partitionDirectoryName(topic, partition);
      orphans.delete(key);
      const entries = disk.list(path);
      const checkpointed = {
        recoveryPoint: recoveryPoints.get(key) ?? 0,
        logStartOffset: logStarts.get(key) ?? 0,
        highWatermark: highWatermarks.get(key) ?? 0,
      };
      const bytes = directory.wasClean ? 0 : suspectBytes(entries, checkpointed.recoveryPoint);
      loading.progress.found(bytes);
      const request = {
        topic,
        partition,
        directory,
        place: { path },
        config: loading.configOf(topic),
        trusted: directory.wasClean,
        checkpointed,
        entries,
        onChecked: (checkedBytes: number) => loading.progress.checked(checkedBytes),
      };
      requests.push({ request, bytes });
    }
    yield;
  }
  requests.sort((a, b) => b.bytes - a.bytes);
  return { requests: requests.map(({ request }) => request), deleted, orphans };
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
