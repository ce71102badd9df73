import { array, commonStruct, int32, int8, message, string, uuid, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 8: the current assignment of a member. */
export const ConsumerGroupCurrentMemberAssignmentKey = message(
  {
    name: 'ConsumerGroupCurrentMemberAssignmentKey',
    kind: 'coordinator-key',
    apiKey: 8,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type ConsumerGroupCurrentMemberAssignmentKey = MessageOf<
  typeof ConsumerGroupCurrentMemberAssignmentKey
>;

const TopicPartitions = commonStruct('TopicPartitions', '0+', {
  topicId: uuid('0+'),
  partitions: array('0+', 'int32'),
});

/** Value for a `ConsumerGroupCurrentMemberAssignmentKey`. */
export const ConsumerGroupCurrentMemberAssignmentValue = message(
  {
    name: 'ConsumerGroupCurrentMemberAssignmentValue',
    kind: 'coordinator-value',
    apiKey: 8,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: array('0+', TopicPartitions),
    partitionsPendingRevocation: array('0+', TopicPartitions),
  }),
);
export type ConsumerGroupCurrentMemberAssignmentValue = MessageOf<
  typeof ConsumerGroupCurrentMemberAssignmentValue
>;
