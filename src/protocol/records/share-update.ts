import { int16, int32, int64, int8, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** Key in `__share_group_state`, type 1: what changed of a share partition since the last snapshot. */
export const ShareUpdateKey = message(
  { name: 'ShareUpdateKey', kind: 'coordinator-key', apiKey: 1, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    topicId: uuid('0'),
    partition: int32('0'),
  }),
);
export type ShareUpdateKey = MessageOf<typeof ShareUpdateKey>;

/** Value for a `ShareUpdateKey`. */
export const ShareUpdateValue = message(
  { name: 'ShareUpdateValue', kind: 'coordinator-value', apiKey: 1, versions: '0', flexible: '0+' },
  () => ({
    snapshotEpoch: int32('0+'),
    leaderEpoch: int32('0+'),
    startOffset: int64('0+'),
    deliveryCompleteCount: int32('0+', { tag: 0, default: -1 }),
    stateBatches: structs('0+', 'StateBatch', {
      firstOffset: int64('0+'),
      lastOffset: int64('0+'),
      deliveryState: int8('0+'),
      deliveryCount: int16('0+'),
    }),
  }),
);
export type ShareUpdateValue = MessageOf<typeof ShareUpdateValue>;
