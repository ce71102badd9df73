import { array, int16, int32, int64, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** DescribeShareGroupOffsets: lists the share-partition start offsets of share groups. */
export const DescribeShareGroupOffsetsRequest = message(
  {
    name: 'DescribeShareGroupOffsetsRequest',
    kind: 'request',
    apiKey: 90,
    listeners: ['broker'],
    versions: '0-1',
    flexible: '0+',
  },
  () => ({
    groups: structs('0+', 'DescribeShareGroupOffsetsRequestGroup', {
      groupId: string('0+', { entityType: 'groupId' }),
      topics: structs(
        '0+',
        'DescribeShareGroupOffsetsRequestTopic',
        {
          topicName: string('0+', { entityType: 'topicName' }),
          partitions: array('0+', 'int32'),
        },
        { nullable: '0+' },
      ),
    }),
  }),
);
export type DescribeShareGroupOffsetsRequest = MessageOf<typeof DescribeShareGroupOffsetsRequest>;

/** Answer to `DescribeShareGroupOffsetsRequest`. */
export const DescribeShareGroupOffsetsResponse = message(
  {
    name: 'DescribeShareGroupOffsetsResponse',
    kind: 'response',
    apiKey: 90,
    versions: '0-1',
    flexible: '0+',
  },
  () => ({
    throttleTimeMs: int32('0+'),
    groups: structs('0+', 'DescribeShareGroupOffsetsResponseGroup', {
      groupId: string('0+', { entityType: 'groupId' }),
      topics: structs('0+', 'DescribeShareGroupOffsetsResponseTopic', {
        topicName: string('0+', { entityType: 'topicName' }),
        topicId: uuid('0+'),
        partitions: structs('0+', 'DescribeShareGroupOffsetsResponsePartition', {
          partitionIndex: int32('0+'),
          startOffset: int64('0+'),
          leaderEpoch: int32('0+'),
          lag: int64('1+', { default: -1, ignorable: true }),
          errorCode: int16('0+'),
          errorMessage: string('0+', { nullable: '0+', default: null }),
        }),
      }),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  }),
);
export type DescribeShareGroupOffsetsResponse = MessageOf<typeof DescribeShareGroupOffsetsResponse>;
