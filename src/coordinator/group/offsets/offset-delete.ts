import { ErrorCode } from '../../../base/errors.ts';
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../../../protocol/messages/offset-delete.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts';
import { type CoordinatorResult, refused, written } from '../../runtime/coordinator-result.ts';
import { offsetTombstone } from '../group-records.ts';
import type { GroupState } from '../group-state.ts';

/** Answer to OffsetDelete. */
export type OffsetDeleteAnswer = InputOf<typeof OffsetDeleteResponse>;

/** OffsetDelete, as of topics that the group does not subscribe to. The caller has checked that the partitions exist. */
export function deleteOffsets(
  state: GroupState,
  request: OffsetDeleteRequest,
): CoordinatorResult<OffsetDeleteAnswer> {
  const { groupId } = request;
  const group = state.groups.get(groupId);
  if (group === undefined) return refused(ErrorCode.GROUP_ID_NOT_FOUND);
  const refusal = group.offsetDeleteRefusal();
  if (refusal !== ErrorCode.NONE) return refused(refusal);
  const records: CoordinatorRecord[] = [];
  const topics = request.topics.map(({ name, partitions }) => {
    const subscribed = group.isSubscribedTo(name);
    return {
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        const key = { groupId, topic: name, partition: partitionIndex };
        if (subscribed) return { partitionIndex, errorCode: ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC };
        const exists = state.offsets.get(key) !== undefined || state.offsets.hasPending(key);
        if (exists) records.push(offsetTombstone(key));
        return { partitionIndex, errorCode: ErrorCode.NONE };
      }),
    };
  });
  return written(records, { errorCode: ErrorCode.NONE, topics });
}

/** Adds tombstones for everything a group has committed or would commit by transactions that are open. */
export function deleteAllOffsets(state: GroupState, groupId: string, records: CoordinatorRecord[]): void {
  for (const [topic, partitions] of state.offsets.ofGroup(groupId) ?? []) {
    for (const partition of partitions.keys()) records.push(offsetTombstone({ groupId, topic, partition }));
  }
  for (const key of state.offsets.pendingOfGroup(groupId)) {
    if (state.offsets.get(key) === undefined) records.push(offsetTombstone(key));
  }
}

/** Deletes the offsets that any group has committed of the topics. */
export function deleteOffsetsOfTopics(state: GroupState, topics: readonly string[]): CoordinatorResult<null> {
  const records: CoordinatorRecord[] = [];
  state.offsets.byGroup.view().forEach((offsets, groupId) => {
    for (const topic of topics) {
      for (const partition of offsets.get(topic)?.keys() ?? [])
        records.push(offsetTombstone({ groupId, topic, partition }));
    }
  });
  for (const key of state.offsets.pending()) {
    if (topics.includes(key.topic) && state.offsets.get(key) === undefined)
      records.push(offsetTombstone(key));
  }
  return written(records, null);
}
