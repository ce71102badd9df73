import { CallbackTimer } from '../../../base/timer-wheel.ts';
import type { CoordinatorRecord } from '../../runtime/coordinator-record.ts';
import { type CoordinatorResult, written } from '../../runtime/coordinator-result.ts';
import { offsetTombstone } from '../group-records.ts';
import type { GroupState } from '../group-state.ts';
import type { Group } from '../group.ts';
import type { OffsetAndMetadata } from './offset-and-metadata.ts';

/** Offsets looked at, and tombstones written, in one step. */
const OFFSETS_A_STEP = 1000;

/**
 * Deletes offsets that nobody has used for `offsets.retention.minutes`, and groups that are left with nothing (KIP-211). A round begins every
 * `offsets.retention.check.interval.ms` and goes over the groups in steps of a bounded number of offsets.
 */
export class OffsetExpiry {
  readonly #state: GroupState;
  readonly #timer: CallbackTimer;
  /** Groups of the present round that are still to come; empty between rounds. */
  #left: string[] = [];

  constructor(state: GroupState) {
    this.#state = state;
    this.#timer = new CallbackTimer(() => state.context.perform(() => this.#step()));
  }

  /** Has the first round begin after one interval. */
  start(): void {
    this.#state.context.schedule(this.#timer, this.#state.config.offsetsRetentionCheckIntervalMs);
  }

  #step(): CoordinatorResult<null> {
    const { context, config, groups } = this.#state;
    if (this.#left.length === 0) this.#left = [...groups.view().keys()];
    const records: CoordinatorRecord[] = [];
    for (let budget = OFFSETS_A_STEP; budget > 0; ) {
      const groupId = this.#left.pop();
      if (groupId === undefined) break;
      budget -= this.#expire(groupId, records, budget);
    }
    context.schedule(this.#timer, this.#left.length === 0 ? config.offsetsRetentionCheckIntervalMs : 0);
    return written(records, null);
  }

  /** Returns what it cost. A group that is too large for the rest of the step is gone on with in the next. */
  #expire(groupId: string, records: CoordinatorRecord[], budget: number): number {
    const { groups, offsets } = this.#state;
    const group = groups.get(groupId);
    if (group === undefined) return 1;
    let looked = 1;
    let kept = 0;
    const before = records.length;
    for (const [topic, partitions] of offsets.ofGroup(groupId) ?? []) {
      for (const [partition, offset] of partitions) {
        looked++;
        const key = { groupId, topic, partition };
        if (!this.#isExpired(group, topic, offset) || offsets.hasPending(key)) kept++;
        else records.push(offsetTombstone(key));
        if (records.length - before >= budget) {
          this.#left.push(groupId);
          return looked;
        }
      }
    }
    if (kept === 0 && group.isEmpty && !offsets.hasPendingOfGroup(groupId)) group.delete(records);
    return looked;
  }

  #isExpired(group: Group, topic: string, offset: OffsetAndMetadata): boolean {
    const sinceMs = group.unusedSinceMs(offset);
    if (sinceMs === null || group.isSubscribedTo(topic)) return false;
    const { context, config } = this.#state;
    if (offset.expireTimestampMs >= 0) return context.wallMs >= offset.expireTimestampMs;
    return context.wallMs - sinceMs >= config.offsetsRetentionMs;
  }
}
