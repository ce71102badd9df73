import { array, commonStruct, int32, int8, message, string, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 22: the current assignment of a member. */
export const StreamsGroupCurrentMemberAssignmentKey = message(
  {
    name: 'StreamsGroupCurrentMemberAssignmentKey',
    kind: 'coordinator-key',
    apiKey: 22,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type StreamsGroupCurrentMemberAssignmentKey = MessageOf<typeof StreamsGroupCurrentMemberAssignmentKey>;

const TaskIds = commonStruct('TaskIds', '0+', {
  subtopologyId: string('0+'),
  partitions: array('0+', 'int32'),
  assignmentEpochs: array('0+', 'int32', { nullable: '0+', tag: 0 }),
});

/** Value for a `StreamsGroupCurrentMemberAssignmentKey`. */
export const StreamsGroupCurrentMemberAssignmentValue = message(
  {
    name: 'StreamsGroupCurrentMemberAssignmentValue',
    kind: 'coordinator-value',
    apiKey: 22,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    activeTasks: array('0+', TaskIds),
    standbyTasks: array('0+', TaskIds),
    warmupTasks: array('0+', TaskIds),
    activeTasksPendingRevocation: array('0+', TaskIds),
    standbyTasksPendingRevocation: array('0+', TaskIds),
    warmupTasksPendingRevocation: array('0+', TaskIds),
  }),
);
export type StreamsGroupCurrentMemberAssignmentValue = MessageOf<
  typeof StreamsGroupCurrentMemberAssignmentValue
>;
