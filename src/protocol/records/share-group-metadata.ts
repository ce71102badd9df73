import { int32, message, string, wideInt64, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 11: a share group and its epoch. */
export const ShareGroupMetadataKey = message(
  { name: 'ShareGroupMetadataKey', kind: 'coordinator-key', apiKey: 11, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
  }),
);
export type ShareGroupMetadataKey = MessageOf<typeof ShareGroupMetadataKey>;

/** Value for a `ShareGroupMetadataKey`. */
export const ShareGroupMetadataValue = message(
  { name: 'ShareGroupMetadataValue', kind: 'coordinator-value', apiKey: 11, versions: '0', flexible: '0+' },
  () => ({
    epoch: int32('0+'),
    metadataHash: wideInt64('0+'),
  }),
);
export type ShareGroupMetadataValue = MessageOf<typeof ShareGroupMetadataValue>;
