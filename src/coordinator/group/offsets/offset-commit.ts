import { ErrorCode } from '../../../base/errors.ts';
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../../protocol/messages/offset-commit.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts';
import { type CoordinatorResult, refused, written } from '../../runtime/coordinator-result.ts';
import { GROUP_LIMITS } from '../group-config.ts';
import { offsetCommitRecord } from '../group-records.ts';
import type { GroupState } from '../group-state.ts';

/** Answer to OffsetCommit. */
export type OffsetCommitAnswer = InputOf<typeof OffsetCommitResponse>;
type TopicAnswer = OffsetCommitAnswer['topics'][number];

/** From here on a group that is not there is told apart from an old generation. */
const FIRST_VERSION_WITH_GROUP_ID_NOT_FOUND = 9;
const NO_RETENTION_OF_ITS_OWN = -1;

/** OffsetCommit. The caller has authorized the topics and checked that the partitions exist; topics by id carry their names. */
export function commitOffsets(
  state: GroupState,
  request: OffsetCommitRequest,
  apiVersion: number,
): CoordinatorResult<OffsetCommitAnswer> {
  const refusal = commitRefusal(state, request, apiVersion);
  if (refusal !== ErrorCode.NONE) return refused(refusal);
  const { wallMs } = state.context;
  const expireTimestampMs =
    request.retentionTimeMs === NO_RETENTION_OF_ITS_OWN ? -1 : wallMs + request.retentionTimeMs;
  const records: CoordinatorRecord[] = [];
  const topics: TopicAnswer[] = request.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map((partition) => {
      const { partitionIndex } = partition;
      const metadata = partition.committedMetadata ?? '';
      if (metadata.length > state.config.offsetMetadataMaxLength) {
        return { partitionIndex, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE };
      }
      records.push(
        offsetCommitRecord(
          { groupId: request.groupId, topic: name, partition: partitionIndex },
          {
            recordOffset: -1,
            committedOffset: partition.committedOffset,
            leaderEpoch: partition.committedLeaderEpoch,
            metadata,
            commitTimestampMs: wallMs,
            expireTimestampMs,
            topicId,
          },
        ),
      );
      return { partitionIndex, errorCode: ErrorCode.NONE };
    }),
  }));
  return written(records, { topics });
}

function commitRefusal(state: GroupState, request: OffsetCommitRequest, apiVersion: number): ErrorCode {
  const group = state.groups.get(request.groupId);
  if (group === undefined) {
    if (request.generationIdOrMemberEpoch >= 0) {
      return apiVersion >= FIRST_VERSION_WITH_GROUP_ID_NOT_FOUND
        ? ErrorCode.GROUP_ID_NOT_FOUND
        : ErrorCode.ILLEGAL_GENERATION;
    }
    // A consumer outside of group management: the records make a simple group.
    return state.groups.size < GROUP_LIMITS.groupsPerShard
      ? ErrorCode.NONE
      : ErrorCode.COORDINATOR_NOT_AVAILABLE;
  }
  return group.commitRefusal({
    memberId: request.memberId,
    groupInstanceId: request.groupInstanceId,
    generationIdOrMemberEpoch: request.generationIdOrMemberEpoch,
    apiVersion,
    transactional: false,
  });
}
