import { int16, int32, int64, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** ReadShareGroupStateSummary: reads the start offsets of a share group's partitions (KIP-932). */
export const ReadShareGroupStateSummaryRequest = message(
  {
    name: 'ReadShareGroupStateSummaryRequest',
    kind: 'request',
    apiKey: 87,
    listeners: ['broker'],
    versions: '0-1',
    flexible: '0+',
  },
  () => ({
    groupId: string('0+'),
    topics: structs('0+', 'ReadStateSummaryData', {
      topicId: uuid('0+'),
      partitions: structs('0+', 'PartitionData', {
        partition: int32('0+'),
        leaderEpoch: int32('0+'),
      }),
    }),
  }),
);
export type ReadShareGroupStateSummaryRequest = MessageOf<typeof ReadShareGroupStateSummaryRequest>;

/** Answer to `ReadShareGroupStateSummaryRequest`. */
export const ReadShareGroupStateSummaryResponse = message(
  {
    name: 'ReadShareGroupStateSummaryResponse',
    kind: 'response',
    apiKey: 87,
    versions: '0-1',
    flexible: '0+',
  },
  () => ({
    results: structs('0+', 'ReadStateSummaryResult', {
      topicId: uuid('0+'),
      partitions: structs('0+', 'PartitionResult', {
        partition: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
        stateEpoch: int32('0+'),
        leaderEpoch: int32('0+'),
        startOffset: int64('0+'),
        deliveryCompleteCount: int32('1+', { default: -1, ignorable: true }),
      }),
    }),
  }),
);
export type ReadShareGroupStateSummaryResponse = MessageOf<typeof ReadShareGroupStateSummaryResponse>;
