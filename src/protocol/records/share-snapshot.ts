import { int16, int32, int64, int8, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** Key in `__share_group_state`, type 0: the whole state of a share partition. */
export const ShareSnapshotKey = message(
  { name: 'ShareSnapshotKey', kind: 'coordinator-key', apiKey: 0, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    topicId: uuid('0'),
    partition: int32('0'),
  }),
);
export type ShareSnapshotKey = MessageOf<typeof ShareSnapshotKey>;

/** Value for a `ShareSnapshotKey`. */
export const ShareSnapshotValue = message(
  { name: 'ShareSnapshotValue', kind: 'coordinator-value', apiKey: 0, versions: '0', flexible: '0+' },
  () => ({
    snapshotEpoch: int32('0+'),
    stateEpoch: int32('0+'),
    leaderEpoch: int32('0+'),
    startOffset: int64('0+'),
    deliveryCompleteCount: int32('0+', { tag: 0, default: -1 }),
    createTimestamp: int64('0+'),
    writeTimestamp: int64('0+'),
    stateBatches: structs('0+', 'StateBatch', {
      firstOffset: int64('0+'),
      lastOffset: int64('0+'),
      deliveryState: int8('0+'),
      deliveryCount: int16('0+'),
    }),
  }),
);
export type ShareSnapshotValue = MessageOf<typeof ShareSnapshotValue>;
