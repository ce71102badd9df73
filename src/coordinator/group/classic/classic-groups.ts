import { ErrorCode } from '../../../base/errors.ts';
import type { GroupMetadataKey, GroupMetadataValue } from '../../../protocol/records/group-metadata.ts';
import type { JoinGroupRequest } from '../../../protocol/messages/join-group.ts';
import type { LeaveGroupRequest } from '../../../protocol/messages/leave-group.ts';
import type { SyncGroupRequest } from '../../../protocol/messages/sync-group.ts';
import type { Answer, CoordinatorResult } from '../../runtime/coordinator-result.ts';
import type { GroupState } from '../group-state.ts';
import { ClassicGroup } from './classic-group.ts';
import { type Caller, ClassicJoin } from './classic-join.ts';
import { type LeaveAnswer, leaveGroup } from './classic-leave.ts';
import { ClassicMember, type JoinAnswer, NO_ASSIGNMENT, type SyncAnswer } from './classic-member.ts';
import { ClassicRebalance, type ClassicResult, failedJoin } from './classic-rebalance.ts';
import { ClassicSync } from './classic-sync.ts';

/** All classic groups of a shard: their requests, their record, and what happens to them when the shard comes and goes. */
export class ClassicGroups {
  readonly #state: GroupState;
  readonly #rebalance: ClassicRebalance;
  readonly #join: ClassicJoin;
  readonly #sync: ClassicSync;

  constructor(state: GroupState) {
    this.#state = state;
    this.#rebalance = new ClassicRebalance(state);
    this.#join = new ClassicJoin(state, this.#rebalance);
    this.#sync = new ClassicSync(state, this.#rebalance);
  }

  /** JoinGroup. */
  join(caller: Caller, request: JoinGroupRequest, answer: Answer<JoinAnswer>): ClassicResult {
    return this.#join.join(caller, request, answer);
  }

  /** SyncGroup. */
  sync(request: SyncGroupRequest, answer: Answer<SyncAnswer>): ClassicResult {
    return this.#sync.sync(request, answer);
  }

  /** LeaveGroup. */
  leave(request: Pick<LeaveGroupRequest, 'groupId' | 'members'>): CoordinatorResult<LeaveAnswer> {
    return leaveGroup(this.#state, this.#rebalance, request);
  }

  /** Makes an empty group. */
  create(groupId: string): ClassicGroup {
    const group = new ClassicGroup(this.#state.context, groupId);
    this.#rebalance.arm(group);
    this.#state.groups.set(groupId, group);
    return group;
  }

  /** Takes a group's record over: the group as it was when that was written, or its end. */
  replay({ group: groupId }: GroupMetadataKey, value: GroupMetadataValue | null): void {
    if (value === null) {
      this.#state.groups.delete(groupId);
      return;
    }
    const group = new ClassicGroup(this.#state.context, groupId);
    for (const member of value.members) {
      group.add(
        new ClassicMember({
          memberId: member.memberId,
          groupInstanceId: member.groupInstanceId,
          clientId: member.clientId,
          clientHost: member.clientHost,
          // Records of old have one timeout for both.
          rebalanceTimeoutMs:
            member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
          sessionTimeoutMs: member.sessionTimeout,
          protocolType: value.protocolType,
          protocols: [{ name: value.protocol ?? '', metadata: member.subscription }],
          assignment: member.assignment,
        }),
      );
    }
    group.restore(value);
    this.#rebalance.arm(group);
    this.#state.groups.set(groupId, group);
  }

  /** Sessions begin; a group over its bound has to shrink. */
  onLoaded(): void {
    const { context, config } = this.#state;
    for (const group of this.#all()) {
      for (const member of group.members.values()) group.keepSession(member);
      if (group.members.size > config.maxGroupSize) context.perform(() => this.#rebalance.begin(group));
    }
  }

  /** Parked requests are sent to the new coordinator. */
  onUnloaded(): void {
    for (const group of this.#all()) {
      group.transitionTo('Dead');
      for (const member of group.members.values()) {
        group.answerJoin(member, failedJoin(member.memberId, ErrorCode.NOT_COORDINATOR));
        group.answerSync(member, { errorCode: ErrorCode.NOT_COORDINATOR, assignment: NO_ASSIGNMENT });
      }
    }
  }

  *#all(): IterableIterator<ClassicGroup> {
    for (const group of this.#state.groups.view().values()) {
      if (group instanceof ClassicGroup) yield group;
    }
  }

  /** Asserts what must hold between two events. */
  checkInvariants(): void {
    for (const group of this.#all()) group.checkInvariants();
  }
}
