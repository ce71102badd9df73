import { ErrorCode } from '../../../base/errors.ts';
import { type Uuid, ZERO_UUID } from '../../../base/uuid.ts';
import type { OffsetFetchRequest, OffsetFetchResponse } from '../../../protocol/messages/offset-fetch.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import { answered, type CoordinatorResult, refused } from '../../runtime/coordinator-result.ts';
import type { Group } from '../group.ts';
import type { GroupState } from '../group-state.ts';
import type { OffsetAndMetadata } from './offset-and-metadata.ts';
import type { GroupOffsets } from './offset-store.ts';

/** One group of an OffsetFetch. */
export type FetchedGroup = OffsetFetchRequest['groups'][number];
/** The answer to it. */
export type FetchedGroupAnswer = NonNullable<InputOf<typeof OffsetFetchResponse>['groups']>[number];
/** One topic of an answer. */
export type FetchedTopicAnswer = NonNullable<FetchedGroupAnswer['topics']>[number];
type TopicAnswer = FetchedTopicAnswer;
type PartitionAnswer = NonNullable<TopicAnswer['partitions']>[number];

/** Outcome of a read: refused as a whole, or the offsets. */
export interface OffsetFetchOutcome {
  readonly errorCode: ErrorCode;
  readonly answer: FetchedGroupAnswer | null;
}

/** What one read looks at: committed state, or everything for a client that wants stable offsets. */
interface Sight {
  readonly group: Group | undefined;
  readonly offsets: GroupOffsets | undefined;
  readonly stable: boolean;
}

/** Offsets of a group as far as they are committed. `topics` null asks for all; topics by id carry their names. */
export function fetchCommittedOffsets(state: GroupState, request: FetchedGroup): OffsetFetchOutcome {
  const { context, groups, offsets } = state;
  return look(state, request, {
    group: context.committed(groups).get(request.groupId),
    offsets: context.committed(offsets.byGroup).get(request.groupId),
    stable: false,
  });
}

/**
 * Offsets of a group for a client that must not see what a transaction may take back: those are told as UNSTABLE_OFFSET_COMMIT, and the answer waits until all that it
 * rests on is committed.
 */
export function fetchStableOffsets(
  state: GroupState,
  request: FetchedGroup,
): CoordinatorResult<FetchedGroupAnswer> {
  const { errorCode, answer } = look(state, request, {
    group: state.groups.get(request.groupId),
    offsets: state.offsets.ofGroup(request.groupId),
    stable: true,
  });
  return answer === null ? refused(errorCode) : answered(answer);
}

function look(state: GroupState, request: FetchedGroup, sight: Sight): OffsetFetchOutcome {
  const { groupId, memberId, memberEpoch, topics } = request;
  const errorCode = sight.group?.fetchRefusal(memberId, memberEpoch) ?? ErrorCode.GROUP_ID_NOT_FOUND;
  // Nobody needs to have a group for asking: what it has not committed is -1.
  if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.GROUP_ID_NOT_FOUND)
    return { errorCode, answer: null };
  const offsets = errorCode === ErrorCode.NONE ? sight.offsets : undefined;
  const isUnstable = (topic: string, partition: number): boolean =>
    sight.stable && state.offsets.hasPending({ groupId, topic, partition });
  const answers = topics === null ? all(offsets, isUnstable) : named(topics, offsets, isUnstable);
  return { errorCode: ErrorCode.NONE, answer: { groupId, topics: answers } };
}

type IsUnstable = (topic: string, partition: number) => boolean;

function all(offsets: GroupOffsets | undefined, isUnstable: IsUnstable): TopicAnswer[] {
  const answers: TopicAnswer[] = [];
  for (const [name, partitions] of offsets ?? []) {
    const found: PartitionAnswer[] = [];
    for (const [index, offset] of partitions) {
      found.push(
        isUnstable(name, index) ? none(index, ErrorCode.UNSTABLE_OFFSET_COMMIT) : some(index, offset),
      );
    }
    answers.push({ name, topicId: ZERO_UUID, partitions: found });
  }
  return answers;
}

function named(
  topics: NonNullable<FetchedGroup['topics']>,
  offsets: GroupOffsets | undefined,
  isUnstable: IsUnstable,
): TopicAnswer[] {
  return topics.map(({ name, topicId, partitionIndexes }) => {
    const partitions = offsets?.get(name);
    return {
      name,
      topicId,
      partitions: partitionIndexes.map((index) => {
        if (isUnstable(name, index)) return none(index, ErrorCode.UNSTABLE_OFFSET_COMMIT);
        const offset = partitions?.get(index);
        if (offset === undefined || isOfAnother(offset.topicId, topicId)) return none(index, ErrorCode.NONE);
        return some(index, offset);
      }),
    };
  });
}

/** True if an offset was committed for an earlier topic of the same name. */
function isOfAnother(committed: Uuid, wanted: Uuid): boolean {
  return committed !== ZERO_UUID && wanted !== ZERO_UUID && committed !== wanted;
}

function some(partitionIndex: number, offset: OffsetAndMetadata): PartitionAnswer {
  return {
    partitionIndex,
    committedOffset: offset.committedOffset,
    committedLeaderEpoch: offset.leaderEpoch,
    metadata: offset.metadata,
    errorCode: ErrorCode.NONE,
  };
}

function none(partitionIndex: number, errorCode: ErrorCode): PartitionAnswer {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode };
}
