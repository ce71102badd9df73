import { BrokerError } from '../base/broker-error.ts';
import type { Uuid } from '../base/uuid.ts';
import type { PartitionChangeRecord } from '../protocol/records/partition-change-record.ts';
import type { PartitionRecord } from '../protocol/records/partition-record.ts';
import { MIGRATING_DIRECTORY, UNASSIGNED_DIRECTORY } from './directory-id.ts';
import { type MetadataRecordOf, metadataRecord } from './metadata-record.ts';
import { type MetadataVersion, partitionRecordVersion } from './metadata-version.ts';

/** Leader of a partition that has none. */
export const NO_LEADER = -1;
/** In a PartitionChangeRecord: the leader and its epoch stay. */
export const NO_LEADER_CHANGE = -2;
/** Leader recovery state: the leader has (or needs) nothing to recover. */
export const RECOVERED = 0;
/** Leader recovery state: elected uncleanly; the ISR stays the leader alone until it has recovered. */
export const RECOVERING = 1;

const NO_BROKERS: readonly number[] = [];

/** The state of one partition, immutable. Broker ids in the order of the records; equal lists are one array. */
export interface PartitionRegistration {
  readonly replicas: readonly number[];
  /** Directory of each replica, in the order of `replicas`. */
  readonly directories: readonly Uuid[];
  readonly isr: readonly number[];
  readonly removingReplicas: readonly number[];
  readonly addingReplicas: readonly number[];
  /** Eligible leader replicas (KIP-966): outside the ISR, yet holding all that was ever acknowledged. */
  readonly elr: readonly number[];
  /** Holds the last leader alone while there is none, else is empty. */
  readonly lastKnownElr: readonly number[];
  /** Broker id or `NO_LEADER`. */
  readonly leader: number;
  /** `RECOVERED` or `RECOVERING`. */
  readonly leaderRecoveryState: number;
  /** Grows with each change of the leader. */
  readonly leaderEpoch: number;
  /** Grows with each change. */
  readonly partitionEpoch: number;
}

/** The state that a PartitionRecord sets. */
export function partitionFromRecord(record: Readonly<PartitionRecord>): PartitionRegistration {
  const replicas = record.replicas;
  const directories =
    record.directories.length === 0 ? replicas.map(() => MIGRATING_DIRECTORY) : record.directories;
  checkDirectories(record, replicas, directories);
  return {
    replicas,
    directories,
    isr: shared(record.isr, replicas),
    removingReplicas: shared(record.removingReplicas, NO_BROKERS),
    addingReplicas: shared(record.addingReplicas, NO_BROKERS),
    elr: shared(record.eligibleLeaderReplicas ?? NO_BROKERS, NO_BROKERS),
    lastKnownElr: shared(record.lastKnownElr ?? NO_BROKERS, NO_BROKERS),
    leader: record.leader,
    leaderRecoveryState: record.leaderRecoveryState,
    leaderEpoch: record.leaderEpoch,
    partitionEpoch: record.partitionEpoch,
  };
}

/** The state after a PartitionChangeRecord: a field at its "no change" value stays; a named leader begins a new leader epoch even if it is the same. */
export function mergePartition(
  partition: PartitionRegistration,
  record: Readonly<PartitionChangeRecord>,
): PartitionRegistration {
  const replicas = record.replicas ?? partition.replicas;
  const directories =
    record.directories ??
    (record.replicas === null ? partition.directories : movedDirectories(partition, record.replicas));
  checkDirectories(record, replicas, directories);
  const leaderChanges = record.leader !== NO_LEADER_CHANGE;
  return {
    replicas,
    directories,
    isr: shared(record.isr ?? partition.isr, replicas),
    removingReplicas: shared(record.removingReplicas ?? partition.removingReplicas, NO_BROKERS),
    addingReplicas: shared(record.addingReplicas ?? partition.addingReplicas, NO_BROKERS),
    elr: shared(record.eligibleLeaderReplicas ?? partition.elr, NO_BROKERS),
    lastKnownElr: shared(record.lastKnownElr ?? partition.lastKnownElr, NO_BROKERS),
    leader: leaderChanges ? record.leader : partition.leader,
    leaderRecoveryState:
      record.leaderRecoveryState === -1 ? partition.leaderRecoveryState : record.leaderRecoveryState,
    leaderEpoch: leaderChanges ? partition.leaderEpoch + 1 : partition.leaderEpoch,
    partitionEpoch: partition.partitionEpoch + 1,
  };
}

/** The record that sets a partition to this state, for creation and snapshots. */
export function partitionToRecord(
  topicId: Uuid,
  partitionId: number,
  partition: PartitionRegistration,
  metadataVersion: MetadataVersion,
): MetadataRecordOf<'PartitionRecord'> {
  const version = partitionRecordVersion(metadataVersion);
  return metadataRecord(
    'PartitionRecord',
    {
      partitionId,
      topicId,
      replicas: [...partition.replicas],
      isr: [...partition.isr],
      removingReplicas: [...partition.removingReplicas],
      addingReplicas: [...partition.addingReplicas],
      leader: partition.leader,
      leaderRecoveryState: partition.leaderRecoveryState,
      leaderEpoch: partition.leaderEpoch,
      partitionEpoch: partition.partitionEpoch,
      directories: version >= 1 ? [...partition.directories] : [],
      eligibleLeaderReplicas: version >= 2 && partition.elr.length > 0 ? [...partition.elr] : null,
      lastKnownElr: version >= 2 && partition.lastKnownElr.length > 0 ? [...partition.lastKnownElr] : null,
    },
    version,
  );
}

/** The directory of a broker's replica; `UNASSIGNED_DIRECTORY` if it is no replica. */
export function directoryOf(partition: PartitionRegistration, brokerId: number): Uuid {
  return partition.directories[partition.replicas.indexOf(brokerId)] ?? UNASSIGNED_DIRECTORY;
}

/** True if two lists have the same elements in the same order. */
export function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((element, i) => element === b[i]));
}

/** `likely` when it equals `list`: most ISRs are the replicas, most of the other lists are empty. */
function shared(list: readonly number[], likely: readonly number[]): readonly number[] {
  return sameList(list, likely) ? likely : list;
}

/** Directories after a change of replicas by a record too old to name them. */
function movedDirectories(partition: PartitionRegistration, replicas: readonly number[]): Uuid[] {
  return replicas.map((replica) => directoryOf(partition, replica));
}

function checkDirectories(
  record: { readonly topicId: Uuid; readonly partitionId: number },
  replicas: readonly number[],
  directories: readonly Uuid[],
): void {
  if (directories.length !== replicas.length) {
    throw new BrokerError(
      'METADATA_INCONSISTENT',
      `partition ${record.partitionId} of topic ${record.topicId} has ${replicas.length} replicas but ${directories.length} directories`,
    );
  }
}
