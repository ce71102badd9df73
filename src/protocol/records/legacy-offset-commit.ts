import { int32, int64, message, string, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 0: an offset committed by a very old broker; read only. */
export const LegacyOffsetCommitKey = message(
  { name: 'LegacyOffsetCommitKey', kind: 'coordinator-key', apiKey: 0, versions: '0', flexible: 'none' },
  () => ({
    group: string('0'),
    topic: string('0'),
    partition: int32('0'),
  }),
);
export type LegacyOffsetCommitKey = MessageOf<typeof LegacyOffsetCommitKey>;

/** Value for a `LegacyOffsetCommitKey`. */
export const LegacyOffsetCommitValue = message(
  { name: 'LegacyOffsetCommitValue', kind: 'coordinator-value', apiKey: 0, versions: '0', flexible: 'none' },
  () => ({
    offset: int64('0'),
    metadata: string('0'),
    commitTimestamp: int64('0'),
  }),
);
export type LegacyOffsetCommitValue = MessageOf<typeof LegacyOffsetCommitValue>;
