import { array, bytes, int32, message, nested, string, structs, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 5: a member of a consumer group and its subscription. */
export const ConsumerGroupMemberMetadataKey = message(
  {
    name: 'ConsumerGroupMemberMetadataKey',
    kind: 'coordinator-key',
    apiKey: 5,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type ConsumerGroupMemberMetadataKey = MessageOf<typeof ConsumerGroupMemberMetadataKey>;

/** Value for a `ConsumerGroupMemberMetadataKey`. */
export const ConsumerGroupMemberMetadataValue = message(
  {
    name: 'ConsumerGroupMemberMetadataValue',
    kind: 'coordinator-value',
    apiKey: 5,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    instanceId: string('0+', { nullable: '0+' }),
    rackId: string('0+', { nullable: '0+' }),
    clientId: string('0+'),
    clientHost: string('0+'),
    subscribedTopicNames: array('0+', 'string'),
    subscribedTopicRegex: string('0+', { nullable: '0+' }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    serverAssignor: string('0+', { nullable: '0+' }),
    classicMemberMetadata: nested(
      '0+',
      'ClassicMemberMetadata',
      {
        sessionTimeoutMs: int32('0+'),
        supportedProtocols: structs('0+', 'ClassicProtocol', {
          name: string('0+'),
          metadata: bytes('0+'),
        }),
      },
      { nullable: '0+', tag: 0 },
    ),
  }),
);
export type ConsumerGroupMemberMetadataValue = MessageOf<typeof ConsumerGroupMemberMetadataValue>;
