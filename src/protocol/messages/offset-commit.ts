import { int16, int32, int64, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** OffsetCommit: stores the offsets a group has consumed up to. */
export const OffsetCommitRequest = message(
  {
    name: 'OffsetCommitRequest',
    kind: 'request',
    apiKey: 8,
    listeners: ['broker'],
    versions: '2-10',
    flexible: '8+',
  },
  () => ({
    groupId: string('0+', { entityType: 'groupId' }),
    generationIdOrMemberEpoch: int32('1+', { default: -1, ignorable: true }),
    memberId: string('1+', { ignorable: true }),
    groupInstanceId: string('7+', { nullable: '7+', default: null }),
    retentionTimeMs: int64('2-4', { default: -1, ignorable: true }),
    topics: structs('0+', 'OffsetCommitRequestTopic', {
      name: string('0-9', { ignorable: true, entityType: 'topicName' }),
      topicId: uuid('10+', { ignorable: true }),
      partitions: structs('0+', 'OffsetCommitRequestPartition', {
        partitionIndex: int32('0+'),
        committedOffset: int64('0+'),
        committedLeaderEpoch: int32('6+', { default: -1, ignorable: true }),
        committedMetadata: string('0+', { nullable: '0+' }),
      }),
    }),
  }),
);
export type OffsetCommitRequest = MessageOf<typeof OffsetCommitRequest>;

/** Answer to `OffsetCommitRequest`. */
export const OffsetCommitResponse = message(
  { name: 'OffsetCommitResponse', kind: 'response', apiKey: 8, versions: '2-10', flexible: '8+' },
  () => ({
    throttleTimeMs: int32('3+', { ignorable: true }),
    topics: structs('0+', 'OffsetCommitResponseTopic', {
      name: string('0-9', { ignorable: true, entityType: 'topicName' }),
      topicId: uuid('10+', { ignorable: true }),
      partitions: structs('0+', 'OffsetCommitResponsePartition', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  }),
);
export type OffsetCommitResponse = MessageOf<typeof OffsetCommitResponse>;
