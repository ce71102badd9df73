import { array, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 13: the target assignment of a member. */
export const ShareGroupTargetAssignmentMemberKey = message(
  {
    name: 'ShareGroupTargetAssignmentMemberKey',
    kind: 'coordinator-key',
    apiKey: 13,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type ShareGroupTargetAssignmentMemberKey = MessageOf<typeof ShareGroupTargetAssignmentMemberKey>;

/** Value for a `ShareGroupTargetAssignmentMemberKey`. */
export const ShareGroupTargetAssignmentMemberValue = message(
  {
    name: 'ShareGroupTargetAssignmentMemberValue',
    kind: 'coordinator-value',
    apiKey: 13,
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
export type ShareGroupTargetAssignmentMemberValue = MessageOf<typeof ShareGroupTargetAssignmentMemberValue>;
