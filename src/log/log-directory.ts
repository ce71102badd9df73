import type { BrokerError } from '../base/broker-error.ts';
import type { Uuid } from '../base/uuid.ts';
import type { LogEnvironment } from './log-environment.ts';

/** How `openLogDirectories` is to treat the directories. */
export interface OpenDirectoriesOptions {
  /** Absolute paths (`log.dirs` and `metadata.log.dir`, each once). */
  readonly paths: readonly string[];
  /** `node.id`; a directory of another node is refused. */
  readonly nodeId: number;
  /** Cluster id the directories must have; null takes what the first formatted one says, or a random one if all are blank. */
  readonly clusterId: string | null;
  /** True to format blank directories (development profile); else a blank one is refused unless another is formatted. */
  readonly formatBlank: boolean;
}

/** A locked log directory: what its small files said when it was opened. */
export interface LogDirectory {
  readonly path: string;
  readonly directoryId: Uuid;
  readonly clusterId: string;
  /** True if the last stop left the clean marker (it has been removed, durably). */
  readonly wasClean: boolean;
  /** Broker epoch in the marker, -1 without one. */
  readonly markerBrokerEpoch: number;
  /** True after a disk error that cannot be survived. */
  readonly offline: boolean;
  /** Why it is offline; null while it is not. */
  readonly offlineCause: Error | null;
  /** Leaves the lock; last act of a stop, after every log in it is closed. */
  release(): void;
}

/** Makes, locks, formats (if asked for) and reads log directories. On failure no lock is held. */
export type OpenLogDirectories = (
  environment: LogEnvironment,
  options: OpenDirectoriesOptions,
  done: (error: BrokerError | null, directories: LogDirectory[]) => void,
) => void;
