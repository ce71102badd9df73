import { array, commonStruct, int32, message, string, wideInt64, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 17: a streams group and its epoch. */
export const StreamsGroupMetadataKey = message(
  { name: 'StreamsGroupMetadataKey', kind: 'coordinator-key', apiKey: 17, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
  }),
);
export type StreamsGroupMetadataKey = MessageOf<typeof StreamsGroupMetadataKey>;

const LastAssignmentConfig = commonStruct('LastAssignmentConfig', '0+', {
  key: string('0+'),
  value: string('0+'),
});

/** Value for a `StreamsGroupMetadataKey`. */
export const StreamsGroupMetadataValue = message(
  { name: 'StreamsGroupMetadataValue', kind: 'coordinator-value', apiKey: 17, versions: '0', flexible: '0+' },
  () => ({
    epoch: int32('0+'),
    metadataHash: wideInt64('0+'),
    validatedTopologyEpoch: int32('0+', { tag: 0, default: -1 }),
    lastAssignmentConfigs: array('0+', LastAssignmentConfig, { nullable: '0+', tag: 1 }),
  }),
);
export type StreamsGroupMetadataValue = MessageOf<typeof StreamsGroupMetadataValue>;
