import {
  array,
  bool,
  int16,
  int32,
  message,
  nested,
  string,
  structs,
  uuid,
  type MessageOf,
} from '../schema.ts';

/** DescribeTopicPartitions: describes partitions of topics page by page (KIP-966). */
export const DescribeTopicPartitionsRequest = message(
  {
    name: 'DescribeTopicPartitionsRequest',
    kind: 'request',
    apiKey: 75,
    listeners: ['broker'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    topics: structs('0+', 'TopicRequest', { name: string('0+', { entityType: 'topicName' }) }),
    responsePartitionLimit: int32('0+', { default: 2000 }),
    cursor: nested(
      '0+',
      'Cursor',
      {
        topicName: string('0+', { entityType: 'topicName' }),
        partitionIndex: int32('0+'),
      },
      { nullable: '0+', default: null },
    ),
  }),
);
export type DescribeTopicPartitionsRequest = MessageOf<typeof DescribeTopicPartitionsRequest>;

/** Answer to `DescribeTopicPartitionsRequest`. */
export const DescribeTopicPartitionsResponse = message(
  { name: 'DescribeTopicPartitionsResponse', kind: 'response', apiKey: 75, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+', { ignorable: true }),
    topics: structs('0+', 'DescribeTopicPartitionsResponseTopic', {
      errorCode: int16('0+'),
      name: string('0+', { nullable: '0+', mapKey: true, entityType: 'topicName' }),
      topicId: uuid('0+', { ignorable: true }),
      isInternal: bool('0+', { default: false, ignorable: true }),
      partitions: structs('0+', 'DescribeTopicPartitionsResponsePartition', {
        errorCode: int16('0+'),
        partitionIndex: int32('0+'),
        leaderId: int32('0+', { entityType: 'brokerId' }),
        leaderEpoch: int32('0+', { default: -1, ignorable: true }),
        replicaNodes: array('0+', 'int32', { entityType: 'brokerId' }),
        isrNodes: array('0+', 'int32', { entityType: 'brokerId' }),
        eligibleLeaderReplicas: array('0+', 'int32', {
          nullable: '0+',
          default: null,
          entityType: 'brokerId',
        }),
        lastKnownElr: array('0+', 'int32', { nullable: '0+', default: null, entityType: 'brokerId' }),
        offlineReplicas: array('0+', 'int32', { ignorable: true, entityType: 'brokerId' }),
      }),
      topicAuthorizedOperations: int32('0+', { default: -2147483648 }),
    }),
    nextCursor: nested(
      '0+',
      'Cursor',
      {
        topicName: string('0+', { entityType: 'topicName' }),
        partitionIndex: int32('0+'),
      },
      { nullable: '0+', default: null },
    ),
  }),
);
export type DescribeTopicPartitionsResponse = MessageOf<typeof DescribeTopicPartitionsResponse>;
