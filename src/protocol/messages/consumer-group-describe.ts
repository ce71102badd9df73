import {
  array,
  bool,
  commonStruct,
  int16,
  int32,
  int8,
  message,
  single,
  string,
  structs,
  uuid,
  type MessageOf,
} from '../schema.ts';

/** ConsumerGroupDescribe: describes consumer groups (KIP-848). */
export const ConsumerGroupDescribeRequest = message(
  {
    name: 'ConsumerGroupDescribeRequest',
    kind: 'request',
    apiKey: 69,
    listeners: ['broker'],
    versions: '0-1',
    flexible: '0+',
  },
  () => ({
    groupIds: array('0+', 'string', { entityType: 'groupId' }),
    includeAuthorizedOperations: bool('0+'),
  }),
);
export type ConsumerGroupDescribeRequest = MessageOf<typeof ConsumerGroupDescribeRequest>;

const TopicPartitions = commonStruct('TopicPartitions', '0+', {
  topicId: uuid('0+'),
  topicName: string('0+', { entityType: 'topicName' }),
  partitions: array('0+', 'int32'),
});

const Assignment = commonStruct('Assignment', '0+', { topicPartitions: array('0+', TopicPartitions) });

/** Answer to `ConsumerGroupDescribeRequest`. */
export const ConsumerGroupDescribeResponse = message(
  { name: 'ConsumerGroupDescribeResponse', kind: 'response', apiKey: 69, versions: '0-1', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    groups: structs('0+', 'DescribedGroup', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
      groupId: string('0+', { entityType: 'groupId' }),
      groupState: string('0+'),
      groupEpoch: int32('0+'),
      assignmentEpoch: int32('0+'),
      assignorName: string('0+'),
      members: structs('0+', 'Member', {
        memberId: string('0+'),
        instanceId: string('0+', { nullable: '0+', default: null }),
        rackId: string('0+', { nullable: '0+', default: null }),
        memberEpoch: int32('0+'),
        clientId: string('0+'),
        clientHost: string('0+'),
        subscribedTopicNames: array('0+', 'string', { entityType: 'topicName' }),
        subscribedTopicRegex: string('0+', { nullable: '0+', default: null }),
        assignment: single('0+', Assignment),
        targetAssignment: single('0+', Assignment),
        memberType: int8('1+', { default: -1, ignorable: true }),
      }),
      authorizedOperations: int32('0+', { default: -2147483648 }),
    }),
  }),
);
export type ConsumerGroupDescribeResponse = MessageOf<typeof ConsumerGroupDescribeResponse>;
