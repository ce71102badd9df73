import { int32, int64, message, string, uuid, wideInt64, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 1: an offset that a group committed. */
export const OffsetCommitKey = message(
  { name: 'OffsetCommitKey', kind: 'coordinator-key', apiKey: 1, versions: '0', flexible: 'none' },
  () => ({
    group: string('0'),
    topic: string('0'),
    partition: int32('0'),
  }),
);
export type OffsetCommitKey = MessageOf<typeof OffsetCommitKey>;

/** Value for a `OffsetCommitKey`. */
export const OffsetCommitValue = message(
  { name: 'OffsetCommitValue', kind: 'coordinator-value', apiKey: 1, versions: '0-4', flexible: '4+' },
  () => ({
    offset: int64('0+'),
    leaderEpoch: int32('3+', { default: -1, ignorable: true }),
    metadata: string('0+'),
    commitTimestamp: int64('0+'),
    expireTimestamp: wideInt64('1', { default: -1n, ignorable: true }),
    topicId: uuid('4+', { tag: 0, ignorable: true }),
  }),
);
export type OffsetCommitValue = MessageOf<typeof OffsetCommitValue>;
