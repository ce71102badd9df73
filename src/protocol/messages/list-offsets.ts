import { int16, int32, int64, int8, message, string, structs, wideInt64, type MessageOf } from '../schema.ts';

/** ListOffsets: finds offsets by timestamp, or the earliest (-2), latest (-1) and other special ones. */
export const ListOffsetsRequest = message(
  {
    name: 'ListOffsetsRequest',
    kind: 'request',
    apiKey: 2,
    listeners: ['broker'],
    versions: '1-11',
    flexible: '6+',
  },
  () => ({
    replicaId: int32('0+', { entityType: 'brokerId' }),
    isolationLevel: int8('2+'),
    topics: structs('0+', 'ListOffsetsTopic', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'ListOffsetsPartition', {
        partitionIndex: int32('0+'),
        currentLeaderEpoch: int32('4+', { default: -1, ignorable: true }),
        timestamp: wideInt64('0+'),
      }),
    }),
    timeoutMs: int32('10+', { ignorable: true }),
  }),
);
export type ListOffsetsRequest = MessageOf<typeof ListOffsetsRequest>;

/** Answer to `ListOffsetsRequest`. */
export const ListOffsetsResponse = message(
  { name: 'ListOffsetsResponse', kind: 'response', apiKey: 2, versions: '1-11', flexible: '6+' },
  () => ({
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: structs('0+', 'ListOffsetsTopicResponse', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'ListOffsetsPartitionResponse', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        timestamp: wideInt64('1+', { default: -1n }),
        offset: int64('1+', { default: -1 }),
        leaderEpoch: int32('4+', { default: -1 }),
      }),
    }),
  }),
);
export type ListOffsetsResponse = MessageOf<typeof ListOffsetsResponse>;
