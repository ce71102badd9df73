import {
  array,
  commonStruct,
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

/** DescribeQuorum: describes leader, voters and observers of the KRaft quorum. */
export const DescribeQuorumRequest = message(
  {
    name: 'DescribeQuorumRequest',
    kind: 'request',
    apiKey: 55,
    listeners: ['broker', 'controller'],
    versions: '0-2',
    flexible: '0+',
  },
  () => ({
    topics: structs('0+', 'TopicData', {
      topicName: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'PartitionData', { partitionIndex: int32('0+') }),
    }),
  }),
);
export type DescribeQuorumRequest = MessageOf<typeof DescribeQuorumRequest>;

const ReplicaState = commonStruct('ReplicaState', '0+', {
  replicaId: int32('0+', { entityType: 'brokerId' }),
  replicaDirectoryId: uuid('2+'),
  logEndOffset: int64('0+'),
  lastFetchTimestamp: int64('1+', { default: -1, ignorable: true }),
  lastCaughtUpTimestamp: int64('1+', { default: -1, ignorable: true }),
});

/** Answer to `DescribeQuorumRequest`. */
export const DescribeQuorumResponse = message(
  { name: 'DescribeQuorumResponse', kind: 'response', apiKey: 55, versions: '0-2', flexible: '0+' },
  () => ({
    errorCode: int16('0+'),
    errorMessage: string('2+', { nullable: '2+', ignorable: true }),
    topics: structs('0+', 'TopicData', {
      topicName: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'PartitionData', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('2+', { nullable: '2+', ignorable: true }),
        leaderId: int32('0+', { entityType: 'brokerId' }),
        leaderEpoch: int32('0+'),
        highWatermark: int64('0+'),
        currentVoters: array('0+', ReplicaState),
        observers: array('0+', ReplicaState),
      }),
    }),
    nodes: structs('2+', 'Node', {
      nodeId: int32('2+', { mapKey: true, entityType: 'brokerId' }),
      listeners: structs('2+', 'Listener', {
        name: string('2+', { mapKey: true }),
        host: string('2+'),
        port: uint16('2+'),
      }),
    }),
  }),
);
export type DescribeQuorumResponse = MessageOf<typeof DescribeQuorumResponse>;
