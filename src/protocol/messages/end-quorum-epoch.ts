import { array, int16, int32, message, string, structs, uint16, uuid, type MessageOf } from '../schema.ts';

/** EndQuorumEpoch: tells the voters that the leader resigns, with its preferred successors. */
export const EndQuorumEpochRequest = message(
  {
    name: 'EndQuorumEpochRequest',
    kind: 'request',
    apiKey: 54,
    listeners: ['controller'],
    versions: '0-1',
    flexible: '1+',
  },
  () => ({
    clusterId: string('0+', { nullable: '0+', default: null }),
    topics: structs('0+', 'TopicData', {
      topicName: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'PartitionData', {
        partitionIndex: int32('0+'),
        leaderId: int32('0+', { entityType: 'brokerId' }),
        leaderEpoch: int32('0+'),
        preferredSuccessors: array('0', 'int32', { ignorable: true }),
        preferredCandidates: structs(
          '1+',
          'ReplicaInfo',
          {
            candidateId: int32('1+', { entityType: 'brokerId' }),
            candidateDirectoryId: uuid('1+'),
          },
          { ignorable: true },
        ),
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
export type EndQuorumEpochRequest = MessageOf<typeof EndQuorumEpochRequest>;

/** Answer to `EndQuorumEpochRequest`. */
export const EndQuorumEpochResponse = message(
  { name: 'EndQuorumEpochResponse', kind: 'response', apiKey: 54, versions: '0-1', flexible: '1+' },
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
export type EndQuorumEpochResponse = MessageOf<typeof EndQuorumEpochResponse>;
