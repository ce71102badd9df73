import {
  int16,
  int32,
  int64,
  message,
  nested,
  records,
  string,
  structs,
  uint16,
  uuid,
  type MessageOf,
} from '../schema.ts';

/** FetchSnapshot: reads a piece of a KRaft snapshot (KIP-630). */
export const FetchSnapshotRequest = message(
  {
    name: 'FetchSnapshotRequest',
    kind: 'request',
    apiKey: 59,
    listeners: ['controller'],
    versions: '0-1',
    flexible: '0+',
  },
  () => ({
    clusterId: string('0+', { nullable: '0+', tag: 0, default: null }),
    replicaId: int32('0+', { default: -1, entityType: 'brokerId' }),
    maxBytes: int32('0+', { default: 2147483647 }),
    topics: structs('0+', 'TopicSnapshot', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'PartitionSnapshot', {
        partition: int32('0+'),
        currentLeaderEpoch: int32('0+'),
        snapshotId: nested('0+', 'SnapshotId', {
          endOffset: int64('0+'),
          epoch: int32('0+'),
        }),
        position: int64('0+'),
        replicaDirectoryId: uuid('1+', { tag: 0, ignorable: true }),
      }),
    }),
  }),
);
export type FetchSnapshotRequest = MessageOf<typeof FetchSnapshotRequest>;

/** Answer to `FetchSnapshotRequest`. */
export const FetchSnapshotResponse = message(
  { name: 'FetchSnapshotResponse', kind: 'response', apiKey: 59, versions: '0-1', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+', { ignorable: true }),
    errorCode: int16('0+'),
    topics: structs('0+', 'TopicSnapshot', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'PartitionSnapshot', {
        index: int32('0+'),
        errorCode: int16('0+'),
        snapshotId: nested('0+', 'SnapshotId', {
          endOffset: int64('0+'),
          epoch: int32('0+'),
        }),
        currentLeader: nested(
          '0+',
          'LeaderIdAndEpoch',
          {
            leaderId: int32('0+', { entityType: 'brokerId' }),
            leaderEpoch: int32('0+'),
          },
          { tag: 0 },
        ),
        size: int64('0+'),
        position: int64('0+'),
        unalignedRecords: records('0+'),
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
export type FetchSnapshotResponse = MessageOf<typeof FetchSnapshotResponse>;
