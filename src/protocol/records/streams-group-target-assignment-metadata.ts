import { int32, message, string, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 20: the epoch of a streams group's target assignment. */
export const StreamsGroupTargetAssignmentMetadataKey = message(
  {
    name: 'StreamsGroupTargetAssignmentMetadataKey',
    kind: 'coordinator-key',
    apiKey: 20,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
  }),
);
export type StreamsGroupTargetAssignmentMetadataKey = MessageOf<
  typeof StreamsGroupTargetAssignmentMetadataKey
>;

/** Value for a `StreamsGroupTargetAssignmentMetadataKey`. */
export const StreamsGroupTargetAssignmentMetadataValue = message(
  {
    name: 'StreamsGroupTargetAssignmentMetadataValue',
    kind: 'coordinator-value',
    apiKey: 20,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    assignmentEpoch: int32('0+'),
  }),
);
export type StreamsGroupTargetAssignmentMetadataValue = MessageOf<
  typeof StreamsGroupTargetAssignmentMetadataValue
>;
