import {
  array,
  int16,
  int32,
  int64,
  int8,
  MAX_INT64,
  message,
  nested,
  records,
  string,
  structs,
  uuid,
  type MessageOf,
} from '../schema.ts';

/** Fetch: reads record batches; consumers, follower replicas and KRaft voters all use it. */
export const FetchRequest = message(
  {
    name: 'FetchRequest',
    kind: 'request',
    apiKey: 1,
    listeners: ['broker', 'controller'],
    versions: '4-18',
    flexible: '12+',
  },
  () => ({
    clusterId: string('12+', { nullable: '12+', tag: 0, default: null, ignorable: true }),
    replicaId: int32('0-14', { default: -1, entityType: 'brokerId' }),
    replicaState: nested(
      '15+',
      'ReplicaState',
      {
        replicaId: int32('15+', { default: -1, entityType: 'brokerId' }),
        replicaEpoch: int64('15+', { default: -1 }),
      },
      { tag: 1 },
    ),
    maxWaitMs: int32('0+'),
    minBytes: int32('0+'),
    maxBytes: int32('3+', { default: 2147483647, ignorable: true }),
    isolationLevel: int8('4+', { default: 0, ignorable: true }),
    sessionId: int32('7+', { default: 0, ignorable: true }),
    sessionEpoch: int32('7+', { default: -1, ignorable: true }),
    topics: structs('0+', 'FetchTopic', {
      topic: string('0-12', { ignorable: true, entityType: 'topicName' }),
      topicId: uuid('13+', { ignorable: true }),
      partitions: structs('0+', 'FetchPartition', {
        partition: int32('0+'),
        currentLeaderEpoch: int32('9+', { default: -1, ignorable: true }),
        fetchOffset: int64('0+'),
        lastFetchedEpoch: int32('12+', { default: -1 }),
        logStartOffset: int64('5+', { default: -1, ignorable: true }),
        partitionMaxBytes: int32('0+'),
        replicaDirectoryId: uuid('17+', { tag: 0, ignorable: true }),
        highWatermark: int64('18+', { tag: 1, default: MAX_INT64, ignorable: true }),
      }),
    }),
    forgottenTopicsData: structs('7+', 'ForgottenTopic', {
      topic: string('7-12', { ignorable: true, entityType: 'topicName' }),
      topicId: uuid('13+', { ignorable: true }),
      partitions: array('7+', 'int32'),
    }),
    rackId: string('11+', { default: '', ignorable: true }),
  }),
);
export type FetchRequest = MessageOf<typeof FetchRequest>;

/** Answer to `FetchRequest`. */
export const FetchResponse = message(
  { name: 'FetchResponse', kind: 'response', apiKey: 1, versions: '4-18', flexible: '12+' },
  () => ({
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('7+', { ignorable: true }),
    sessionId: int32('7+', { default: 0 }),
    responses: structs('0+', 'FetchableTopicResponse', {
      topic: string('0-12', { ignorable: true, entityType: 'topicName' }),
      topicId: uuid('13+', { ignorable: true }),
      partitions: structs('0+', 'PartitionData', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        highWatermark: int64('0+'),
        lastStableOffset: int64('4+', { default: -1, ignorable: true }),
        logStartOffset: int64('5+', { default: -1, ignorable: true }),
        divergingEpoch: nested(
          '12+',
          'EpochEndOffset',
          {
            epoch: int32('12+', { default: -1 }),
            endOffset: int64('12+', { default: -1 }),
          },
          { tag: 0 },
        ),
        currentLeader: nested(
          '12+',
          'LeaderIdAndEpoch',
          {
            leaderId: int32('12+', { default: -1, entityType: 'brokerId' }),
            leaderEpoch: int32('12+', { default: -1 }),
          },
          { tag: 1 },
        ),
        snapshotId: nested(
          '12+',
          'SnapshotId',
          {
            endOffset: int64('0+', { default: -1 }),
            epoch: int32('0+', { default: -1 }),
          },
          { tag: 2 },
        ),
        abortedTransactions: structs(
          '4+',
          'AbortedTransaction',
          {
            producerId: int64('4+', { entityType: 'producerId' }),
            firstOffset: int64('4+'),
          },
          { nullable: '4+', ignorable: true },
        ),
        preferredReadReplica: int32('11+', { default: -1, entityType: 'brokerId' }),
        records: records('0+', { nullable: '0+' }),
      }),
    }),
    nodeEndpoints: structs(
      '16+',
      'NodeEndpoint',
      {
        nodeId: int32('16+', { mapKey: true, entityType: 'brokerId' }),
        host: string('16+'),
        port: int32('16+'),
        rack: string('16+', { nullable: '16+', default: null }),
      },
      { tag: 0 },
    ),
  }),
);
export type FetchResponse = MessageOf<typeof FetchResponse>;
