import { DiskError } from '../io/disk.ts';
import { parsePartitionDirectory, partitionDirectoryName } from './file-names.ts';
import type { LogDirectory } from './log-directory.ts';
import type { LogEnvironment } from './log-environment.ts';

/** A replica that was on its way into a directory when the broker stopped. */
export interface UnfinishedMove {
  readonly topic: string;
  readonly partition: number;
  /** Where it was to go. */
  readonly directory: LogDirectory;
}

/**
 * Looks after the copies (`-future`) that a stop of the broker left, before logs are loaded. A copy whose original has been renamed to `-delete` was complete and durable: it takes the
 * original's name, which was the next step. All others are removed, to be begun anew: the original has everything. Nothing is touched if a directory cannot be read, for the original may be there.
 * @returns the moves to be begun anew
 */
export function settleFutures(
  environment: LogEnvironment,
  directories: readonly LogDirectory[],
): UnfinishedMove[] {
  const { disk, logger } = environment;
  const unfinished: UnfinishedMove[] = [];
  const futures: (UnfinishedMove & { readonly path: string })[] = [];
  const live = new Set<string>();
  const deleted = new Set<string>();
  if (directories.some(({ offline }) => offline)) return unfinished;
  try {
    for (const directory of directories) {
      for (const { kind, name } of disk.list(directory.path)) {
        const parsed = kind === 'directory' ? parsePartitionDirectory(name) : null;
        if (parsed === null) continue;
        const key = partitionDirectoryName(parsed.topic, parsed.partition);
        if (parsed.state === 'live') live.add(key);
        else if (parsed.state === 'delete') deleted.add(key);
        else if (parsed.state === 'future')
          futures.push({ ...parsed, directory, path: `${directory.path}/${name}` });
      }
    }
    for (const { topic, partition, directory, path } of futures) {
      const key = partitionDirectoryName(topic, partition);
      if (live.has(key)) {
        disk.removeTree(path);
        unfinished.push({ topic, partition, directory });
      } else if (deleted.has(key)) {
        logger.info('A replica that was moved takes its place', { path });
        disk.rename(path, `${directory.path}/${key}`);
        live.add(key);
      }
    }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    logger.warn('Replicas on their way between directories are left as they are', { error });
  }
  return unfinished;
}
