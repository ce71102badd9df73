import { int16, int32, int64, int8, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** ReadShareGroupState: reads the persisted state of a share group's partitions (KIP-932). */
export const ReadShareGroupStateRequest = message(
  {
    name: 'ReadShareGroupStateRequest',
    kind: 'request',
    apiKey: 84,
    listeners: ['broker'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    groupId: string('0+'),
    topics: structs('0+', 'ReadStateData', {
      topicId: uuid('0+'),
      partitions: structs('0+', 'PartitionData', {
        partition: int32('0+'),
        leaderEpoch: int32('0+'),
      }),
    }),
  }),
);
export type ReadShareGroupStateRequest = MessageOf<typeof ReadShareGroupStateRequest>;

/** Answer to `ReadShareGroupStateRequest`. */
export const ReadShareGroupStateResponse = message(
  { name: 'ReadShareGroupStateResponse', kind: 'response', apiKey: 84, versions: '0', flexible: '0+' },
  () => ({
    results: structs('0+', 'ReadStateResult', {
      topicId: uuid('0+'),
      partitions: structs('0+', 'PartitionResult', {
        partition: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
        stateEpoch: int32('0+'),
        startOffset: int64('0+'),
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
export type ReadShareGroupStateResponse = MessageOf<typeof ReadShareGroupStateResponse>;
