import { int16, int32, int64, message, string, structs, type MessageOf } from '../schema.ts';

/** TxnOffsetCommit: stores a group's offsets as part of a transaction. */
export const TxnOffsetCommitRequest = message(
  {
    name: 'TxnOffsetCommitRequest',
    kind: 'request',
    apiKey: 28,
    listeners: ['broker'],
    versions: '0-5',
    flexible: '3+',
  },
  () => ({
    transactionalId: string('0+', { entityType: 'transactionalId' }),
    groupId: string('0+', { entityType: 'groupId' }),
    producerId: int64('0+', { entityType: 'producerId' }),
    producerEpoch: int16('0+'),
    generationId: int32('3+', { default: -1 }),
    memberId: string('3+', { default: '' }),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
    topics: structs('0+', 'TxnOffsetCommitRequestTopic', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'TxnOffsetCommitRequestPartition', {
        partitionIndex: int32('0+'),
        committedOffset: int64('0+'),
        committedLeaderEpoch: int32('2+', { default: -1, ignorable: true }),
        committedMetadata: string('0+', { nullable: '0+' }),
      }),
    }),
  }),
);
export type TxnOffsetCommitRequest = MessageOf<typeof TxnOffsetCommitRequest>;

/** Answer to `TxnOffsetCommitRequest`. */
export const TxnOffsetCommitResponse = message(
  { name: 'TxnOffsetCommitResponse', kind: 'response', apiKey: 28, versions: '0-5', flexible: '3+' },
  () => ({
    throttleTimeMs: int32('0+'),
    topics: structs('0+', 'TxnOffsetCommitResponseTopic', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'TxnOffsetCommitResponsePartition', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  }),
);
export type TxnOffsetCommitResponse = MessageOf<typeof TxnOffsetCommitResponse>;
