import {
  bool,
  int16,
  int32,
  int64,
  message,
  string,
  structs,
  uint16,
  uuid,
  type MessageOf,
} from '../schema.ts';

/** Vote: asks a voter of the KRaft quorum for its vote or pre-vote (KIP-595, KIP-996). */
export const VoteRequest = message(
  {
    name: 'VoteRequest',
    kind: 'request',
    apiKey: 52,
    listeners: ['controller'],
    versions: '0-2',
    flexible: '0+',
  },
  () => ({
    clusterId: string('0+', { nullable: '0+', default: null }),
    voterId: int32('1+', { default: -1, ignorable: true, entityType: 'brokerId' }),
    topics: structs('0+', 'TopicData', {
      topicName: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'PartitionData', {
        partitionIndex: int32('0+'),
        replicaEpoch: int32('0+'),
        replicaId: int32('0+', { entityType: 'brokerId' }),
        replicaDirectoryId: uuid('1+', { ignorable: true }),
        voterDirectoryId: uuid('1+', { ignorable: true }),
        lastOffsetEpoch: int32('0+'),
        lastOffset: int64('0+'),
        preVote: bool('2+'),
      }),
    }),
  }),
);
export type VoteRequest = MessageOf<typeof VoteRequest>;

/** Answer to `VoteRequest`. */
export const VoteResponse = message(
  { name: 'VoteResponse', kind: 'response', apiKey: 52, versions: '0-2', flexible: '0+' },
  () => ({
    errorCode: int16('0+'),
    topics: structs('0+', 'TopicData', {
      topicName: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'PartitionData', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        leaderId: int32('0+', { entityType: 'brokerId' }),
        leaderEpoch: int32('0+'),
        voteGranted: bool('0+'),
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
export type VoteResponse = MessageOf<typeof VoteResponse>;
