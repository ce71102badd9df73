import { assert } from '../../base/assert.ts';
import type { GroupMetadataKey, GroupMetadataValue } from '../../protocol/records/group-metadata.ts';
import type { OffsetCommitKey, OffsetCommitValue } from '../../protocol/records/offset-commit.ts';
import type { HeartbeatRequest } from '../../protocol/messages/heartbeat.ts';
import type { JoinGroupRequest } from '../../protocol/messages/join-group.ts';
import type { LeaveGroupRequest } from '../../protocol/messages/leave-group.ts';
import type { ListGroupsRequest } from '../../protocol/messages/list-groups.ts';
import type { OffsetCommitRequest } from '../../protocol/messages/offset-commit.ts';
import type { OffsetDeleteRequest } from '../../protocol/messages/offset-delete.ts';
import type { SyncGroupRequest } from '../../protocol/messages/sync-group.ts';
import type { CoordinatorRecord } from '../runtime/coordinator-record.ts';
import type { Answer, CoordinatorResult } from '../runtime/coordinator-result.ts';
import type { Coordinator, ShardContext } from '../runtime/coordinator.ts';
import { ClassicGroups } from './classic/classic-groups.ts';
import type { Caller } from './classic/classic-join.ts';
import { type HeartbeatAnswer, heartbeat } from './classic/classic-heartbeat.ts';
import type { LeaveAnswer } from './classic/classic-leave.ts';
import type { JoinAnswer, SyncAnswer } from './classic/classic-member.ts';
import type { ClassicResult } from './classic/classic-rebalance.ts';
import {
  type DeletedGroup,
  deleteGroups,
  type DescribedGroup,
  describeGroup,
  type ListedGroup,
  listGroups,
} from './group-administration.ts';
import type { GroupConfig } from './group-config.ts';
import { GROUP_METADATA, LEGACY_OFFSET_COMMIT, OFFSET_COMMIT, offsetFromRecord } from './group-records.ts';
import { type GroupState, newGroupState } from './group-state.ts';
import { commitOffsets, type OffsetCommitAnswer } from './offsets/offset-commit.ts';
import { deleteOffsets, deleteOffsetsOfTopics, type OffsetDeleteAnswer } from './offsets/offset-delete.ts';
import { OffsetExpiry } from './offsets/offset-expiry.ts';
import {
  type FetchedGroup,
  type FetchedGroupAnswer,
  fetchCommittedOffsets,
  fetchStableOffsets,
  type OffsetFetchOutcome,
} from './offsets/offset-fetch.ts';

const NO_PRODUCER = -1;

/**
 * The group coordinator on one partition of `__consumer_offsets`: groups, their members, their offsets. What it does stands in the files of each kind of request; here they are put
 * together, and records find their way to whom they belong.
 */
export class GroupShard implements Coordinator {
  readonly state: GroupState;
  readonly #classic: ClassicGroups;
  readonly #expiry: OffsetExpiry;

  constructor(context: ShardContext, config: GroupConfig) {
    this.state = newGroupState(context, config);
    this.#classic = new ClassicGroups(this.state);
    this.#expiry = new OffsetExpiry(this.state);
  }

  // Records.

  replay(record: CoordinatorRecord, offset: number, producerId: number): void {
    const { type, key, value } = record;
    if (type === OFFSET_COMMIT || type === LEGACY_OFFSET_COMMIT) {
      this.#replayOffset(key as OffsetCommitKey, value as OffsetCommitValue | null, offset, producerId);
    } else if (type === GROUP_METADATA) {
      this.#classic.replay(key as GroupMetadataKey, value as GroupMetadataValue | null);
    }
    // What is left is a kind that no longer carries anything.
  }

  #replayOffset(
    { group: groupId, topic, partition }: OffsetCommitKey,
    value: OffsetCommitValue | null,
    offset: number,
    producerId: number,
  ): void {
    const key = { groupId, topic, partition };
    if (value === null) {
      this.state.offsets.remove(key);
      return;
    }
    // Who commits without being a member has a group all the same.
    if (!this.state.groups.has(groupId)) this.#classic.create(groupId);
    const committed = offsetFromRecord(value, offset);
    if (producerId === NO_PRODUCER) this.state.offsets.put(key, committed);
    else this.state.offsets.putPending(producerId, key, committed);
  }

  replayTransactionEnd(producerId: number, committed: boolean): void {
    this.state.offsets.endTransaction(producerId, committed);
  }

  onLoaded(): void {
    this.#classic.onLoaded();
    this.#expiry.start();
  }

  onUnloaded(): void {
    this.#classic.onUnloaded();
  }

  // Offsets.

  commitOffsets(request: OffsetCommitRequest, apiVersion: number): CoordinatorResult<OffsetCommitAnswer> {
    return commitOffsets(this.state, request, apiVersion);
  }

  fetchCommittedOffsets(request: FetchedGroup): OffsetFetchOutcome {
    return fetchCommittedOffsets(this.state, request);
  }

  fetchStableOffsets(request: FetchedGroup): CoordinatorResult<FetchedGroupAnswer> {
    return fetchStableOffsets(this.state, request);
  }

  deleteOffsets(request: OffsetDeleteRequest): CoordinatorResult<OffsetDeleteAnswer> {
    return deleteOffsets(this.state, request);
  }

  /** Topics are gone: so are the offsets committed of them. */
  topicsDeleted(topics: readonly string[]): CoordinatorResult<null> {
    return deleteOffsetsOfTopics(this.state, topics);
  }

  // Classic members.

  join(caller: Caller, request: JoinGroupRequest, answer: Answer<JoinAnswer>): ClassicResult {
    return this.#classic.join(caller, request, answer);
  }

  sync(request: SyncGroupRequest, answer: Answer<SyncAnswer>): ClassicResult {
    return this.#classic.sync(request, answer);
  }

  heartbeat(request: HeartbeatRequest): CoordinatorResult<HeartbeatAnswer> {
    return heartbeat(this.state, request);
  }

  leave(request: Pick<LeaveGroupRequest, 'groupId' | 'members'>): CoordinatorResult<LeaveAnswer> {
    return this.#classic.leave(request);
  }

  // Administration.

  list(filters: Pick<ListGroupsRequest, 'statesFilter' | 'typesFilter'>): ListedGroup[] {
    return listGroups(this.state, filters);
  }

  describe(groupId: string, apiVersion: number): DescribedGroup {
    return describeGroup(this.state, groupId, apiVersion);
  }

  delete(groupIds: readonly string[]): CoordinatorResult<DeletedGroup[]> {
    return deleteGroups(this.state, groupIds);
  }

  checkInvariants(): void {
    this.state.offsets.checkInvariants();
    for (const group of this.state.groups.view().values()) {
      assert(this.state.groups.get(group.groupId) === group, 'groups are found by their ids');
    }
    this.#classic.checkInvariants();
  }
}
