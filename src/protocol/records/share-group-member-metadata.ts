import { array, message, string, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 10: a member of a share group and its subscription. */
export const ShareGroupMemberMetadataKey = message(
  {
    name: 'ShareGroupMemberMetadataKey',
    kind: 'coordinator-key',
    apiKey: 10,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type ShareGroupMemberMetadataKey = MessageOf<typeof ShareGroupMemberMetadataKey>;

/** Value for a `ShareGroupMemberMetadataKey`. */
export const ShareGroupMemberMetadataValue = message(
  {
    name: 'ShareGroupMemberMetadataValue',
    kind: 'coordinator-value',
    apiKey: 10,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    rackId: string('0+', { nullable: '0+' }),
    clientId: string('0+'),
    clientHost: string('0+'),
    subscribedTopicNames: array('0+', 'string'),
  }),
);
export type ShareGroupMemberMetadataValue = MessageOf<typeof ShareGroupMemberMetadataValue>;
