import {
  array,
  bool,
  int16,
  int32,
  int64,
  message,
  string,
  structs,
  uuid,
  type MessageOf,
} from '../schema.ts';

/** OffsetFetch: reads the offsets that groups have committed. */
export const OffsetFetchRequest = message(
  {
    name: 'OffsetFetchRequest',
    kind: 'request',
    apiKey: 9,
    listeners: ['broker'],
    versions: '1-10',
    flexible: '6+',
  },
  () => ({
    groupId: string('0-7', { entityType: 'groupId' }),
    topics: structs(
      '0-7',
      'OffsetFetchRequestTopic',
      {
        name: string('0-7', { entityType: 'topicName' }),
        partitionIndexes: array('0-7', 'int32'),
      },
      { nullable: '2-7' },
    ),
    groups: structs('8+', 'OffsetFetchRequestGroup', {
      groupId: string('8+', { entityType: 'groupId' }),
      memberId: string('9+', { nullable: '9+', default: null, ignorable: true }),
      memberEpoch: int32('9+', { default: -1, ignorable: true }),
      topics: structs(
        '8+',
        'OffsetFetchRequestTopics',
        {
          name: string('8-9', { ignorable: true, entityType: 'topicName' }),
          topicId: uuid('10+', { ignorable: true }),
          partitionIndexes: array('8+', 'int32'),
        },
        { nullable: '8+' },
      ),
    }),
    requireStable: bool('7+', { default: false }),
  }),
);
export type OffsetFetchRequest = MessageOf<typeof OffsetFetchRequest>;

/** Answer to `OffsetFetchRequest`. */
export const OffsetFetchResponse = message(
  { name: 'OffsetFetchResponse', kind: 'response', apiKey: 9, versions: '1-10', flexible: '6+' },
  () => ({
    throttleTimeMs: int32('3+', { ignorable: true }),
    topics: structs('0-7', 'OffsetFetchResponseTopic', {
      name: string('0-7', { entityType: 'topicName' }),
      partitions: structs('0-7', 'OffsetFetchResponsePartition', {
        partitionIndex: int32('0-7'),
        committedOffset: int64('0-7'),
        committedLeaderEpoch: int32('5-7', { default: -1, ignorable: true }),
        metadata: string('0-7', { nullable: '0-7' }),
        errorCode: int16('0-7'),
      }),
    }),
    errorCode: int16('2-7', { default: 0, ignorable: true }),
    groups: structs('8+', 'OffsetFetchResponseGroup', {
      groupId: string('8+', { entityType: 'groupId' }),
      topics: structs('8+', 'OffsetFetchResponseTopics', {
        name: string('8-9', { ignorable: true, entityType: 'topicName' }),
        topicId: uuid('10+', { ignorable: true }),
        partitions: structs('8+', 'OffsetFetchResponsePartitions', {
          partitionIndex: int32('8+'),
          committedOffset: int64('8+'),
          committedLeaderEpoch: int32('8+', { default: -1, ignorable: true }),
          metadata: string('8+', { nullable: '8+' }),
          errorCode: int16('8+'),
        }),
      }),
      errorCode: int16('8+', { default: 0 }),
    }),
  }),
);
export type OffsetFetchResponse = MessageOf<typeof OffsetFetchResponse>;
