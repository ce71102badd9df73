import { int16, int32, int64, int8, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** WriteShareGroupState: writes the persisted state of a share group's partitions (KIP-932). */
export const WriteShareGroupStateRequest = message(
  {
    name: 'WriteShareGroupStateRequest',
    kind: 'request',
    apiKey: 85,
    listeners: ['broker'],
    versions: '0-1',
    flexible: '0+',
  },
  () => ({
    groupId: string('0+'),
    topics: structs('0+', 'WriteStateData', {
      topicId: uuid('0+'),
      partitions: structs('0+', 'PartitionData', {
        partition: int32('0+'),
        stateEpoch: int32('0+'),
        leaderEpoch: int32('0+'),
        startOffset: int64('0+'),
        deliveryCompleteCount: int32('1+', { default: -1, ignorable: true }),
        stateBatches: structs('0+', 'StateBatch', {
          firstOffset: int64('0+'),
          lastOffset: int64('0+'),
          deliveryState: int8('0+'),
          deliveryCount: int16('0+'),
        }),
      }),
    }),
  }),
);
export type WriteShareGroupStateRequest = MessageOf<typeof WriteShareGroupStateRequest>;

/** Answer to `WriteShareGroupStateRequest`. */
export const WriteShareGroupStateResponse = message(
  { name: 'WriteShareGroupStateResponse', kind: 'response', apiKey: 85, versions: '0-1', flexible: '0+' },
  () => ({
    results: structs('0+', 'WriteStateResult', {
      topicId: uuid('0+'),
      partitions: structs('0+', 'PartitionResult', {
        partition: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
      }),
    }),
  }),
);
export type WriteShareGroupStateResponse = MessageOf<typeof WriteShareGroupStateResponse>;
