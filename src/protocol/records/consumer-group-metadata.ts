import { int32, message, string, wideInt64, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 3: a consumer group and its epoch. */
export const ConsumerGroupMetadataKey = message(
  { name: 'ConsumerGroupMetadataKey', kind: 'coordinator-key', apiKey: 3, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
  }),
);
export type ConsumerGroupMetadataKey = MessageOf<typeof ConsumerGroupMetadataKey>;

/** Value for a `ConsumerGroupMetadataKey`. */
export const ConsumerGroupMetadataValue = message(
  { name: 'ConsumerGroupMetadataValue', kind: 'coordinator-value', apiKey: 3, versions: '0', flexible: '0+' },
  () => ({
    epoch: int32('0+'),
    metadataHash: wideInt64('0+', { tag: 0, default: 0n }),
  }),
);
export type ConsumerGroupMetadataValue = MessageOf<typeof ConsumerGroupMetadataValue>;
