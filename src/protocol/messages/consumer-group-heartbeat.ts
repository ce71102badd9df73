import {
  array,
  commonStruct,
  int16,
  int32,
  message,
  nested,
  string,
  structs,
  uuid,
  type MessageOf,
} from '../schema.ts';

/**
 * ConsumerGroupHeartbeat: joins, leaves and keeps alive a member of a consumer group, and reconciles its
 * assignment (KIP-848).
 */
export const ConsumerGroupHeartbeatRequest = message(
  {
    name: 'ConsumerGroupHeartbeatRequest',
    kind: 'request',
    apiKey: 68,
    listeners: ['broker'],
    versions: '0-1',
    flexible: '0+',
  },
  () => ({
    groupId: string('0+', { entityType: 'groupId' }),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    instanceId: string('0+', { nullable: '0+', default: null }),
    rackId: string('0+', { nullable: '0+', default: null }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    subscribedTopicNames: array('0+', 'string', { nullable: '0+', default: null, entityType: 'topicName' }),
    subscribedTopicRegex: string('1+', { nullable: '1+', default: null }),
    serverAssignor: string('0+', { nullable: '0+', default: null }),
    topicPartitions: structs(
      '0+',
      'TopicPartitions',
      {
        topicId: uuid('0+'),
        partitions: array('0+', 'int32'),
      },
      { nullable: '0+', default: null },
    ),
  }),
);
export type ConsumerGroupHeartbeatRequest = MessageOf<typeof ConsumerGroupHeartbeatRequest>;

const TopicPartitions = commonStruct('TopicPartitions', '0+', {
  topicId: uuid('0+'),
  partitions: array('0+', 'int32'),
});

/** Answer to `ConsumerGroupHeartbeatRequest`. */
export const ConsumerGroupHeartbeatResponse = message(
  { name: 'ConsumerGroupHeartbeatResponse', kind: 'response', apiKey: 68, versions: '0-1', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    memberId: string('0+', { nullable: '0+', default: null }),
    memberEpoch: int32('0+'),
    heartbeatIntervalMs: int32('0+'),
    assignment: nested(
      '0+',
      'Assignment',
      { topicPartitions: array('0+', TopicPartitions) },
      { nullable: '0+', default: null },
    ),
  }),
);
export type ConsumerGroupHeartbeatResponse = MessageOf<typeof ConsumerGroupHeartbeatResponse>;
