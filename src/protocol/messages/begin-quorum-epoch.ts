import { int16, int32, message, string, structs, uint16, uuid, type MessageOf } from '../schema.ts';

/** BeginQuorumEpoch: tells a voter that the sender leads a new epoch. */
export const BeginQuorumEpochRequest = message(
  {
    name: 'BeginQuorumEpochRequest',
    kind: 'request',
    apiKey: 53,
    listeners: ['controller'],
    versions: '0-1',
    flexible: '1+',
  },
  () => ({
    clusterId: string('0+', { nullable: '0+', default: null }),
    voterId: int32('1+', { default: -1, ignorable: true, entityType: 'brokerId' }),
    topics: structs('0+', 'TopicData', {
      topicName: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'PartitionData', {
        partitionIndex: int32('0+'),
        voterDirectoryId: uuid('1+', { ignorable: true }),
        leaderId: int32('0+', { entityType: 'brokerId' }),
        leaderEpoch: int32('0+'),
      }),
    }),
    leaderEndpoints: structs(
      '1+',
      'LeaderEndpoint',
      {
        name: string('1+', { mapKey: true }),
        host: string('1+'),
        port: uint16('1+'),
      },
      { ignorable: true },
    ),
  }),
);
export type BeginQuorumEpochRequest = MessageOf<typeof BeginQuorumEpochRequest>;

/** Answer to `BeginQuorumEpochRequest`. */
export const BeginQuorumEpochResponse = message(
  { name: 'BeginQuorumEpochResponse', kind: 'response', apiKey: 53, versions: '0-1', flexible: '1+' },
  () => ({
    errorCode: int16('0+'),
    topics: structs('0+', 'TopicData', {
      topicName: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'PartitionData', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        leaderId: int32('0+', { entityType: 'brokerId' }),
        leaderEpoch: int32('0+'),
      }),
    }),
    nodeEndpoints: structs(
      '1+',
      'NodeEndpoint',
      {
        nodeId: int32('1+', { mapKey: true, entityType: 'brokerId' }),
        host: string('1+'),
        port: uint16('1+'),
      },
      { tag: 0 },
    ),
  }),
);
export type BeginQuorumEpochResponse = MessageOf<typeof BeginQuorumEpochResponse>;
