import { ErrorCode } from '../../base/errors.ts';
import type { DeleteGroupsResponse } from '../../protocol/messages/delete-groups.ts';
import type { DescribeGroupsResponse } from '../../protocol/messages/describe-groups.ts';
import type { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/list-groups.ts';
import type { InputOf } from '../../protocol/schema.ts';
import type { CoordinatorRecord } from '../runtime/coordinator-record.ts';
import { type CoordinatorResult, written } from '../runtime/coordinator-result.ts';
import { ClassicGroup } from './classic/classic-group.ts';
import { NO_ASSIGNMENT } from './classic/classic-member.ts';
import type { GroupState } from './group-state.ts';
import { deleteAllOffsets } from './offsets/offset-delete.ts';

/** One group in the list of ListGroups. */
export type ListedGroup = InputOf<typeof ListGroupsResponse>['groups'][number];
/** One group as DescribeGroups tells it. */
export type DescribedGroup = InputOf<typeof DescribeGroupsResponse>['groups'][number];
/** What became of one group that was to be deleted. */
export type DeletedGroup = InputOf<typeof DeleteGroupsResponse>['results'][number];

const FIRST_VERSION_WITH_GROUP_ID_NOT_FOUND = 6;

/** The groups of the shard that pass the filters; an empty filter lets all pass. States and types are told apart without regard to case. */
export function listGroups(
  state: GroupState,
  { statesFilter, typesFilter }: Pick<ListGroupsRequest, 'statesFilter' | 'typesFilter'>,
): ListedGroup[] {
  const states = new Set(statesFilter.map((text) => text.toLowerCase().trim()));
  const types = new Set(typesFilter.map((text) => text.toLowerCase()));
  const listed: ListedGroup[] = [];
  state.context.committed(state.groups).forEach((group, groupId) => {
    if (states.size > 0 && !states.has(group.stateText.toLowerCase())) return;
    if (types.size > 0 && !types.has(group.type.toLowerCase())) return;
    listed.push({
      groupId,
      protocolType: group.protocolTypeText,
      groupState: group.stateText,
      groupType: group.type,
    });
  });
  return listed;
}

/** A classic group with its members; one that is not there is dead. */
export function describeGroup(state: GroupState, groupId: string, apiVersion: number): DescribedGroup {
  const group = state.context.committed(state.groups).get(groupId);
  if (!(group instanceof ClassicGroup)) {
    const unknown = apiVersion >= FIRST_VERSION_WITH_GROUP_ID_NOT_FOUND;
    const why =
      group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a classic group.`;
    return {
      errorCode: unknown ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.NONE,
      // The field is there from the same version on.
      ...(unknown ? { errorMessage: why } : {}),
      groupId,
      groupState: 'Dead',
      protocolType: '',
      protocolData: '',
      members: [],
    };
  }
  const protocol = group.state === 'Stable' ? group.protocolName : null;
  return {
    errorCode: ErrorCode.NONE,
    groupId,
    groupState: group.stateText,
    protocolType: group.protocolTypeText,
    protocolData: protocol ?? '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: (protocol === null ? undefined : member.metadata(protocol)) ?? NO_ASSIGNMENT,
      memberAssignment: member.assignment,
    })),
  };
}

/** Deletes groups of any kind that are empty, with their offsets. */
export function deleteGroups(
  state: GroupState,
  groupIds: readonly string[],
): CoordinatorResult<DeletedGroup[]> {
  const records: CoordinatorRecord[] = [];
  const results = groupIds.map((groupId) => {
    const group = state.groups.get(groupId);
    const errorCode = group === undefined ? ErrorCode.GROUP_ID_NOT_FOUND : group.deleteRefusal();
    if (group !== undefined && errorCode === ErrorCode.NONE) {
      deleteAllOffsets(state, groupId, records);
      group.delete(records);
    }
    return { groupId, errorCode };
  });
  return written(records, results);
}
