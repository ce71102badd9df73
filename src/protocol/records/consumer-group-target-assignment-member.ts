import { array, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 7: the target assignment of a member. */
export const ConsumerGroupTargetAssignmentMemberKey = message(
  {
    name: 'ConsumerGroupTargetAssignmentMemberKey',
    kind: 'coordinator-key',
    apiKey: 7,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type ConsumerGroupTargetAssignmentMemberKey = MessageOf<typeof ConsumerGroupTargetAssignmentMemberKey>;

/** Value for a `ConsumerGroupTargetAssignmentMemberKey`. */
export const ConsumerGroupTargetAssignmentMemberValue = message(
  {
    name: 'ConsumerGroupTargetAssignmentMemberValue',
    kind: 'coordinator-value',
    apiKey: 7,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    topicPartitions: structs('0+', 'TopicPartition', {
      topicId: uuid('0+'),
      partitions: array('0+', 'int32'),
    }),
  }),
);
export type ConsumerGroupTargetAssignmentMemberValue = MessageOf<
  typeof ConsumerGroupTargetAssignmentMemberValue
>;
