import { BrokerError } from '../base/broker-error.ts';
import { randomUuid, ZERO_UUID } from '../base/uuid.ts';
import { DiskError, type DiskLock } from '../io/disk.ts';
import { CheckpointFormatError } from './checkpoint-file.ts';
import { parseCleanShutdown } from './clean-shutdown.ts';
import {
  CLEAN_SHUTDOWN_FILE,
  LOCK_FILE,
  META_PROPERTIES_FILE,
  parsePartitionDirectory,
} from './file-names.ts';
import { type DirectoryFacts, LogDirectory } from './log-directory.ts';
import type { LogEnvironment } from './log-environment.ts';
import { formatMetaProperties, type MetaProperties, parseMetaProperties } from './meta-properties.ts';
import { awaitDisk, runSteps, type Steps } from './steps.ts';

/** How `openLogDirectories` is to treat the directories. */
export interface OpenDirectoriesOptions {
  /** Absolute paths (`log.dirs` and `metadata.log.dir`, each once). */
  readonly paths: readonly string[];
  /** `node.id`; a directory of another node is refused. */
  readonly nodeId: number;
  /** Cluster id the directories must have; null takes what the first formatted one says, or a random one if all are blank. */
  readonly clusterId: string | null;
  /** True to format blank directories (development profile); else they are refused. */
  readonly formatBlank: boolean;
  /** The directory without which there is nothing to start; each if left out. Of the others one whose disk fails is opened offline. */
  readonly essentialPath?: string;
}

/** Called once. On failure no lock is held. */
export type OpenDirectoriesCallback = (error: BrokerError | null, directories: LogDirectory[]) => void;

/**
 * Makes, locks, formats (if asked for) and reads log directories. Clean markers are read and removed durably, so that a crash from here on is known as one.
 * Errors: `DIRECTORY_LOCKED`, `DIRECTORY_NOT_FORMATTED`, `DIRECTORY_MISMATCH`, `DIRECTORY_UNREADABLE`.
 */
export function openLogDirectories(
  environment: LogEnvironment,
  options: OpenDirectoriesOptions,
  done: OpenDirectoriesCallback,
): void {
  const locks = new Map<string, DiskLock>();
  runSteps(environment.clock, openAll(environment, options, locks), (error, directories) => {
    if (directories !== undefined) return done(null, directories);
    for (const lock of locks.values()) lock.release();
    if (error instanceof BrokerError) return done(error, []);
    if (error instanceof DiskError) return done(unreadable(error.path, error), []);
    throw error;
  });
}

function* openAll(
  environment: LogEnvironment,
  options: OpenDirectoriesOptions,
  locks: Map<string, DiskLock>,
): Steps<LogDirectory[]> {
  const { disk, random } = environment;
  const failed = new Map<string, DiskError>();
  const metas = new Map<string, MetaProperties | null>();
  for (const path of options.paths) {
    try {
      yield* makeDirectory(environment, path);
      locks.set(path, lockDirectory(environment, path));
      metas.set(path, readMeta(environment, path));
    } catch (error) {
      failed.set(path, toleratedFailure(options, path, error));
    }
  }
  let clusterId = options.clusterId;
  for (const [path, meta] of metas) {
    if (meta === null) continue;
    checkNode(path, meta, options.nodeId);
    clusterId ??= meta.clusterId;
    if (meta.clusterId !== null && meta.clusterId !== clusterId) {
      throw new BrokerError(
        'DIRECTORY_MISMATCH',
        `${path} belongs to cluster ${meta.clusterId}, not ${clusterId}: point log.dirs elsewhere, or remove the directory if its data is not needed`,
      );
    }
  }
  checkDirectoryIds(metas);
  clusterId ??= randomUuid(random);
  const directories: LogDirectory[] = [];
  for (const [path, meta] of metas) {
    if (meta === null && !options.formatBlank) throw notFormatted(path, 'it has no meta.properties');
    const directoryId = meta?.directoryId ?? randomUuid(random);
    if (meta?.directoryId === null)
      environment.logger.warn('A log directory without an id is given one', {
        path: `${path}/${META_PROPERTIES_FILE}`,
        directoryId,
      });
    try {
      if (meta?.version !== 1 || meta.directoryId === null) {
        const text = formatMetaProperties({ clusterId, nodeId: options.nodeId, directoryId });
        const error = yield* awaitDisk((done) =>
          disk.replaceFile(`${path}/${META_PROPERTIES_FILE}`, Buffer.from(text), done),
        );
        if (error !== null) throw error;
      }
      const marker = yield* takeMarker(environment, path);
      const facts: DirectoryFacts = { path, directoryId, clusterId, ...marker };
      directories.push(new LogDirectory(facts, locks.get(path) as DiskLock));
    } catch (error) {
      failed.set(path, toleratedFailure(options, path, error));
    }
  }
  for (const [path, cause] of failed) {
    environment.logger.error('A log directory cannot be used and is offline', { path, error: cause });
    const facts = { path, directoryId: ZERO_UUID, clusterId, wasClean: false, markerBrokerEpoch: -1 };
    const directory = new LogDirectory(facts, locks.get(path) ?? { release: () => undefined });
    directory.fail(cause);
    directories.push(directory);
  }
  return directories;
}

/** The failure of a disk without which the others can serve. @throws what else was caught */
function toleratedFailure(options: OpenDirectoriesOptions, path: string, error: unknown): DiskError {
  const isTolerated = options.essentialPath !== undefined && options.essentialPath !== path;
  if (isTolerated && error instanceof DiskError) return error;
  throw error;
}

/** Makes a directory and the missing ones above it, durably: what is flushed inside it later would else be lost with it. */
function* makeDirectory(environment: LogEnvironment, path: string): Steps<void> {
  const { disk } = environment;
  const parents: string[] = [];
  for (let at = path; at !== '/' && !disk.exists(at); at = parentOf(at)) parents.push(parentOf(at));
  disk.makeDirectory(path);
  for (const parent of parents.toReversed()) {
    const error = yield* awaitDisk((done) => disk.flushDirectory(parent, done));
    if (error !== null) throw error;
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

function lockDirectory(environment: LogEnvironment, path: string): DiskLock {
  try {
    return environment.disk.lock(`${path}/${LOCK_FILE}`);
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== 'ELOCKED') throw error;
    throw new BrokerError(
      'DIRECTORY_LOCKED',
      `${path} is in use by another broker (${error.message}): stop that one, or give this one a directory of its own`,
      { cause: error },
    );
  }
}

function readMeta(environment: LogEnvironment, path: string): MetaProperties | null {
  const file = `${path}/${META_PROPERTIES_FILE}`;
  if (!environment.disk.exists(file)) {
    const holdsLogs = environment.disk
      .list(path)
      .some((entry) => entry.kind === 'directory' && parsePartitionDirectory(entry.name) !== null);
    if (holdsLogs) throw notFormatted(path, 'it holds logs but no meta.properties');
    return null;
  }
  try {
    return parseMetaProperties(environment.disk.readFile(file).toString());
  } catch (error) {
    if (!(error instanceof CheckpointFormatError)) throw error;
    throw unreadable(file, error);
  }
}

function checkNode(path: string, meta: MetaProperties, nodeId: number): void {
  if (meta.nodeId === nodeId) return;
  throw new BrokerError(
    'DIRECTORY_MISMATCH',
    `${path} belongs to node ${meta.nodeId}, this is node ${nodeId}: set node.id to ${meta.nodeId} or point log.dirs elsewhere`,
  );
}

/** A directory that was copied has the id of the other: the controller could not tell them apart. */
function checkDirectoryIds(metas: ReadonlyMap<string, MetaProperties | null>): void {
  const paths = new Map<string, string>();
  for (const [path, meta] of metas) {
    if (meta === null || meta.directoryId === null) continue;
    const other = paths.get(meta.directoryId);
    if (other !== undefined) {
      throw new BrokerError(
        'DIRECTORY_MISMATCH',
        `${other} and ${path} have the same directory id ${meta.directoryId}, one is a copy of the other: take one of them out of log.dirs`,
      );
    }
    paths.set(meta.directoryId, path);
  }
}

/** Reads the marker of a clean stop and removes it for good: whatever happens next is no clean stop. */
function* takeMarker(
  environment: LogEnvironment,
  path: string,
): Steps<{ wasClean: boolean; markerBrokerEpoch: number }> {
  const { disk } = environment;
  const file = `${path}/${CLEAN_SHUTDOWN_FILE}`;
  if (!disk.exists(file)) return { wasClean: false, markerBrokerEpoch: -1 };
  const markerBrokerEpoch = parseCleanShutdown(disk.readFile(file).toString());
  disk.remove(file);
  const error = yield* awaitDisk((done) => disk.flushDirectory(path, done));
  if (error !== null) throw error;
  return { wasClean: true, markerBrokerEpoch };
}

function notFormatted(path: string, why: string): BrokerError {
  return new BrokerError(
    'DIRECTORY_NOT_FORMATTED',
    `${path} is not formatted (${why}): format it first, or point log.dirs elsewhere`,
  );
}

function unreadable(path: string, cause: Error): BrokerError {
  return new BrokerError('DIRECTORY_UNREADABLE', `${path} cannot be used: ${cause.message}`, { cause });
}
