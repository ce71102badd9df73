import { int32, message, string, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 6: the epoch of a consumer group's target assignment. */
export const ConsumerGroupTargetAssignmentMetadataKey = message(
  {
    name: 'ConsumerGroupTargetAssignmentMetadataKey',
    kind: 'coordinator-key',
    apiKey: 6,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
  }),
);
export type ConsumerGroupTargetAssignmentMetadataKey = MessageOf<
  typeof ConsumerGroupTargetAssignmentMetadataKey
>;

/** Value for a `ConsumerGroupTargetAssignmentMetadataKey`. */
export const ConsumerGroupTargetAssignmentMetadataValue = message(
  {
    name: 'ConsumerGroupTargetAssignmentMetadataValue',
    kind: 'coordinator-value',
    apiKey: 6,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    assignmentEpoch: int32('0+'),
  }),
);
export type ConsumerGroupTargetAssignmentMetadataValue = MessageOf<
  typeof ConsumerGroupTargetAssignmentMetadataValue
>;
