import type { Random } from '../base/random.ts';

/** Names of files and directories of a log directory (formats §10). */

/** Empty file in a log directory, locked while a broker runs on it. */
export const LOCK_FILE = '.lock';
/** Whose directory it is. */
export const META_PROPERTIES_FILE = 'meta.properties';
/** Marker of a clean stop. */
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown';
/** Offsets up to which the logs of a directory are flushed. */
export const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint';
/** First offsets of logs that begin within a segment. */
export const LOG_START_FILE = 'log-start-offset-checkpoint';
/** High watermarks. */
export const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint';

/** In a partition's directory: where its leader epochs begin. */
export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint';
/** In a partition's directory: its topic id. */
export const PARTITION_METADATA_FILE = 'partition.metadata';

/** Record batches of a segment. */
export const LOG_SUFFIX = '.log';
/** Offset index of a segment. */
export const OFFSET_INDEX_SUFFIX = '.index';
/** Time index of a segment. */
export const TIME_INDEX_SUFFIX = '.timeindex';
/** Index of aborted transactions of a segment. */
export const TXN_INDEX_SUFFIX = '.txnindex';
/** Producer state before an offset. */
export const SNAPSHOT_SUFFIX = '.snapshot';
/** Added to a file that is to be unlinked. */
export const DELETED_SUFFIX = '.deleted';
/** Added to the output of a cleaner while it is written. */
export const CLEANED_SUFFIX = '.cleaned';
/** Added to the output of a cleaner once it is whole. */
export const SWAP_SUFFIX = '.swap';

/** The metadata log's topic. */
export const METADATA_TOPIC = '__cluster_metadata';

const OFFSET_DIGITS = 20;
const MAX_NAME_LENGTH = 255;

/** `00000000000000000042` + suffix. */
export function offsetFileName(offset: number, suffix: string): string {
  return String(offset).padStart(OFFSET_DIGITS, '0') + suffix;
}

/** The offset in a name of 20 digits and `suffix`, null if it is none. */
export function offsetOfFileName(name: string, suffix: string): number | null {
  if (!name.endsWith(suffix) || name.length !== OFFSET_DIGITS + suffix.length) return null;
  const digits = name.slice(0, OFFSET_DIGITS);
  if (!/^\d+$/.test(digits)) return null;
  const offset = Number(digits);
  return Number.isSafeInteger(offset) ? offset : null;
}

/** What a directory inside a log directory is. */
export interface PartitionDirectory {
  readonly topic: string;
  readonly partition: number;
  /** `live`: the replica's log; the others are on their way out or in. */
  readonly state: 'live' | 'delete' | 'stray' | 'future';
}

/** `topic-partition`. */
export function partitionDirectoryName(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}

/** Name for a log that is being deleted; the topic is cut if the name would get too long for a file system. */
export function deletedDirectoryName(topic: string, partition: number, random: Random): string {
  const suffix = `-${partition}.${random.bytes(16).toString('hex')}-delete`;
  return topic.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix;
}

/** Name for a log that no topic of the cluster claims; like `deletedDirectoryName`. */
export function strayDirectoryName(topic: string, partition: number, random: Random): string {
  const suffix = `-${partition}.${random.bytes(16).toString('hex')}-stray`;
  return topic.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix;
}

/** Name for a copy of a log that is to take its place from another directory (KIP-113). Not cut: a name above 255 bytes is the caller's to refuse. */
export function futureDirectoryName(topic: string, partition: number, random: Random): string {
  return `${topic}-${partition}.${random.bytes(16).toString('hex')}-future`;
}

/** Null if the name is not that of a partition's directory. */
export function parsePartitionDirectory(name: string): PartitionDirectory | null {
  const marked = /^(.+)\.[0-9a-f]{32}-(delete|stray|future)$/.exec(name);
  const plain = marked?.[1] ?? name;
  const dash = plain.lastIndexOf('-');
  const digits = plain.slice(dash + 1);
  if (dash <= 0 || !/^\d{1,10}$/.test(digits) || Number(digits) > 0x7fffffff) return null;
  return {
    topic: plain.slice(0, dash),
    partition: Number(digits),
    state: (marked?.[2] as 'delete' | 'stray' | 'future' | undefined) ?? 'live',
  };
}
