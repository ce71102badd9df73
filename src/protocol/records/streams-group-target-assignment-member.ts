import { array, commonStruct, message, string, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 21: the target assignment of a member. */
export const StreamsGroupTargetAssignmentMemberKey = message(
  {
    name: 'StreamsGroupTargetAssignmentMemberKey',
    kind: 'coordinator-key',
    apiKey: 21,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type StreamsGroupTargetAssignmentMemberKey = MessageOf<typeof StreamsGroupTargetAssignmentMemberKey>;

const TaskIds = commonStruct('TaskIds', '0+', {
  subtopologyId: string('0+'),
  partitions: array('0+', 'int32'),
});

/** Value for a `StreamsGroupTargetAssignmentMemberKey`. */
export const StreamsGroupTargetAssignmentMemberValue = message(
  {
    name: 'StreamsGroupTargetAssignmentMemberValue',
    kind: 'coordinator-value',
    apiKey: 21,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    activeTasks: array('0+', TaskIds),
    standbyTasks: array('0+', TaskIds),
    warmupTasks: array('0+', TaskIds),
  }),
);
export type StreamsGroupTargetAssignmentMemberValue = MessageOf<
  typeof StreamsGroupTargetAssignmentMemberValue
>;
