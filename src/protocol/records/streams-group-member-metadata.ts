import { array, commonStruct, int32, message, single, string, uint16, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 19: a member of a streams group. */
export const StreamsGroupMemberMetadataKey = message(
  {
    name: 'StreamsGroupMemberMetadataKey',
    kind: 'coordinator-key',
    apiKey: 19,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type StreamsGroupMemberMetadataKey = MessageOf<typeof StreamsGroupMemberMetadataKey>;

const Endpoint = commonStruct('Endpoint', '0+', {
  host: string('0+'),
  port: uint16('0+'),
});

const KeyValue = commonStruct('KeyValue', '0+', {
  key: string('0+'),
  value: string('0+'),
});

/** Value for a `StreamsGroupMemberMetadataKey`. */
export const StreamsGroupMemberMetadataValue = message(
  {
    name: 'StreamsGroupMemberMetadataValue',
    kind: 'coordinator-value',
    apiKey: 19,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    instanceId: string('0+', { nullable: '0+' }),
    rackId: string('0+', { nullable: '0+' }),
    clientId: string('0+'),
    clientHost: string('0+'),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    topologyEpoch: int32('0+'),
    processId: string('0+'),
    userEndpoint: single('0+', Endpoint, { nullable: '0+', default: null }),
    clientTags: array('0+', KeyValue),
  }),
);
export type StreamsGroupMemberMetadataValue = MessageOf<typeof StreamsGroupMemberMetadataValue>;
