import { int32, message, string, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 12: the epoch of a share group's target assignment. */
export const ShareGroupTargetAssignmentMetadataKey = message(
  {
    name: 'ShareGroupTargetAssignmentMetadataKey',
    kind: 'coordinator-key',
    apiKey: 12,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
  }),
);
export type ShareGroupTargetAssignmentMetadataKey = MessageOf<typeof ShareGroupTargetAssignmentMetadataKey>;

/** Value for a `ShareGroupTargetAssignmentMetadataKey`. */
export const ShareGroupTargetAssignmentMetadataValue = message(
  {
    name: 'ShareGroupTargetAssignmentMetadataValue',
    kind: 'coordinator-value',
    apiKey: 12,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    assignmentEpoch: int32('0+'),
  }),
);
export type ShareGroupTargetAssignmentMetadataValue = MessageOf<
  typeof ShareGroupTargetAssignmentMetadataValue
>;
