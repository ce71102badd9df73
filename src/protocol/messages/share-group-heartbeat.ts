import {
  array,
  commonStruct,
  int16,
  int32,
  message,
  nested,
  string,
  uuid,
  type MessageOf,
} from '../schema.ts';

/** ShareGroupHeartbeat: joins, leaves and keeps alive a member of a share group (KIP-932). */
export const ShareGroupHeartbeatRequest = message(
  {
    name: 'ShareGroupHeartbeatRequest',
    kind: 'request',
    apiKey: 76,
    listeners: ['broker'],
    versions: '1',
    flexible: '0+',
  },
  () => ({
    groupId: string('0+', { entityType: 'groupId' }),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    rackId: string('0+', { nullable: '0+', default: null }),
    subscribedTopicNames: array('0+', 'string', { nullable: '0+', default: null, entityType: 'topicName' }),
  }),
);
export type ShareGroupHeartbeatRequest = MessageOf<typeof ShareGroupHeartbeatRequest>;

const TopicPartitions = commonStruct('TopicPartitions', '0+', {
  topicId: uuid('0+'),
  partitions: array('0+', 'int32'),
});

/** Answer to `ShareGroupHeartbeatRequest`. */
export const ShareGroupHeartbeatResponse = message(
  { name: 'ShareGroupHeartbeatResponse', kind: 'response', apiKey: 76, versions: '1', flexible: '0+' },
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
export type ShareGroupHeartbeatResponse = MessageOf<typeof ShareGroupHeartbeatResponse>;
