import { int16, int32, int64, message, string, structs, type MessageOf } from '../schema.ts';

/** OffsetForLeaderEpoch: asks where a leader epoch ends, to find out where logs diverge. */
export const OffsetForLeaderEpochRequest = message(
  {
    name: 'OffsetForLeaderEpochRequest',
    kind: 'request',
    apiKey: 23,
    listeners: ['broker'],
    versions: '2-4',
    flexible: '4+',
  },
  () => ({
    replicaId: int32('3+', { default: -2, ignorable: true, entityType: 'brokerId' }),
    topics: structs('0+', 'OffsetForLeaderTopic', {
      topic: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitions: structs('0+', 'OffsetForLeaderPartition', {
        partition: int32('0+'),
        currentLeaderEpoch: int32('2+', { default: -1, ignorable: true }),
        leaderEpoch: int32('0+'),
      }),
    }),
  }),
);
export type OffsetForLeaderEpochRequest = MessageOf<typeof OffsetForLeaderEpochRequest>;

/** Answer to `OffsetForLeaderEpochRequest`. */
export const OffsetForLeaderEpochResponse = message(
  { name: 'OffsetForLeaderEpochResponse', kind: 'response', apiKey: 23, versions: '2-4', flexible: '4+' },
  () => ({
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: structs('0+', 'OffsetForLeaderTopicResult', {
      topic: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitions: structs('0+', 'EpochEndOffset', {
        errorCode: int16('0+'),
        partition: int32('0+'),
        leaderEpoch: int32('1+', { default: -1, ignorable: true }),
        endOffset: int64('0+', { default: -1 }),
      }),
    }),
  }),
);
export type OffsetForLeaderEpochResponse = MessageOf<typeof OffsetForLeaderEpochResponse>;
