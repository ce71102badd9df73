import {
  array,
  bool,
  commonStruct,
  int16,
  int32,
  message,
  single,
  string,
  structs,
  uuid,
  type MessageOf,
} from '../schema.ts';

/** ShareGroupDescribe: describes share groups (KIP-932). */
export const ShareGroupDescribeRequest = message(
  {
    name: 'ShareGroupDescribeRequest',
    kind: 'request',
    apiKey: 77,
    listeners: ['broker'],
    versions: '1',
    flexible: '0+',
  },
  () => ({
    groupIds: array('0+', 'string', { entityType: 'groupId' }),
    includeAuthorizedOperations: bool('0+'),
  }),
);
export type ShareGroupDescribeRequest = MessageOf<typeof ShareGroupDescribeRequest>;

const TopicPartitions = commonStruct('TopicPartitions', '0+', {
  topicId: uuid('0+'),
  topicName: string('0+', { entityType: 'topicName' }),
  partitions: array('0+', 'int32'),
});

const Assignment = commonStruct('Assignment', '0+', { topicPartitions: array('0+', TopicPartitions) });

/** Answer to `ShareGroupDescribeRequest`. */
export const ShareGroupDescribeResponse = message(
  { name: 'ShareGroupDescribeResponse', kind: 'response', apiKey: 77, versions: '1', flexible: '0+' },
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
        rackId: string('0+', { nullable: '0+', default: null }),
        memberEpoch: int32('0+'),
        clientId: string('0+'),
        clientHost: string('0+'),
        subscribedTopicNames: array('0+', 'string', { entityType: 'topicName' }),
        assignment: single('0+', Assignment),
      }),
      authorizedOperations: int32('0+', { default: -2147483648 }),
    }),
  }),
);
export type ShareGroupDescribeResponse = MessageOf<typeof ShareGroupDescribeResponse>;
