import { ZERO_UUID } from '../../base/uuid.ts';
import {
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
} from '../../protocol/records/consumer-group-partition-metadata.ts';
import { GroupMetadataKey, GroupMetadataValue } from '../../protocol/records/group-metadata.ts';
import {
  LegacyOffsetCommitKey,
  LegacyOffsetCommitValue,
} from '../../protocol/records/legacy-offset-commit.ts';
import { OffsetCommitKey, OffsetCommitValue } from '../../protocol/records/offset-commit.ts';
import {
  type CoordinatorRecord,
  coordinatorRecord,
  RecordTypes,
  recordType,
} from '../runtime/coordinator-record.ts';
import type { OffsetAndMetadata } from './offsets/offset-and-metadata.ts';

/** Type 0: read, never written. */
export const LEGACY_OFFSET_COMMIT = recordType(LegacyOffsetCommitKey, LegacyOffsetCommitValue, 0);
/** Type 1: a committed offset. */
export const OFFSET_COMMIT = recordType(OffsetCommitKey, OffsetCommitValue, 4);
/** Type 2: a classic group. */
export const GROUP_METADATA = recordType(GroupMetadataKey, GroupMetadataValue, 3);
/** Type 4: written by earlier versions, now only as a tombstone; it carries nothing. */
export const CONSUMER_GROUP_PARTITION_METADATA = recordType(
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
  0,
);

/** The value version that carries an expire timestamp. */
const VERSION_WITH_EXPIRY = 1;

/** The kinds of record in `__consumer_offsets` that are understood. */
export const GROUP_RECORD_TYPES = new RecordTypes([
  LEGACY_OFFSET_COMMIT,
  OFFSET_COMMIT,
  GROUP_METADATA,
  CONSUMER_GROUP_PARTITION_METADATA,
]);

/** Where an offset belongs. */
export interface OffsetKey {
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
}

/** A committed offset. Only a commit with a retention of its own is written with an expire timestamp, in the version that has one. */
export function offsetCommitRecord(key: OffsetKey, offset: OffsetAndMetadata): CoordinatorRecord {
  const expires = offset.expireTimestampMs >= 0;
  return coordinatorRecord(
    OFFSET_COMMIT,
    { group: key.groupId, topic: key.topic, partition: key.partition },
    {
      offset: offset.committedOffset,
      leaderEpoch: offset.leaderEpoch,
      metadata: offset.metadata,
      commitTimestamp: offset.commitTimestampMs,
      expireTimestamp: BigInt(offset.expireTimestampMs),
      topicId: offset.topicId,
    },
    expires ? VERSION_WITH_EXPIRY : OFFSET_COMMIT.writtenVersion,
  );
}

/** Deletes a committed offset. */
export function offsetTombstone({ groupId, topic, partition }: OffsetKey): CoordinatorRecord {
  return coordinatorRecord(OFFSET_COMMIT, { group: groupId, topic, partition }, null);
}

/** A classic group as it is to be found again. */
export function groupMetadataRecord(groupId: string, value: GroupMetadataValue): CoordinatorRecord {
  return coordinatorRecord(GROUP_METADATA, { group: groupId }, value);
}

/** Deletes a classic group. */
export function groupMetadataTombstone(groupId: string): CoordinatorRecord {
  return coordinatorRecord(GROUP_METADATA, { group: groupId }, null);
}

/** An offset as a record has it. */
export function offsetFromRecord(value: OffsetCommitValue, recordOffset: number): OffsetAndMetadata {
  return {
    recordOffset,
    committedOffset: value.offset,
    leaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    commitTimestampMs: value.commitTimestamp,
    expireTimestampMs: Number(value.expireTimestamp),
    topicId: value.topicId ?? ZERO_UUID,
  };
}
