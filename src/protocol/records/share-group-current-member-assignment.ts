import { array, commonStruct, int32, int8, message, string, uuid, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 14: the current assignment of a member. */
export const ShareGroupCurrentMemberAssignmentKey = message(
  {
    name: 'ShareGroupCurrentMemberAssignmentKey',
    kind: 'coordinator-key',
    apiKey: 14,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type ShareGroupCurrentMemberAssignmentKey = MessageOf<typeof ShareGroupCurrentMemberAssignmentKey>;

const TopicPartitions = commonStruct('TopicPartitions', '0+', {
  topicId: uuid('0+'),
  partitions: array('0+', 'int32'),
});

/** Value for a `ShareGroupCurrentMemberAssignmentKey`. */
export const ShareGroupCurrentMemberAssignmentValue = message(
  {
    name: 'ShareGroupCurrentMemberAssignmentValue',
    kind: 'coordinator-value',
    apiKey: 14,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: array('0+', TopicPartitions),
  }),
);
export type ShareGroupCurrentMemberAssignmentValue = MessageOf<typeof ShareGroupCurrentMemberAssignmentValue>;
