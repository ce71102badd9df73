import {
  bool,
  bytes,
  int32,
  int64,
  int8,
  message,
  nested,
  string,
  structs,
  uuid,
  wideInt64,
  type MessageOf,
} from '../schema.ts';

/** A segment began to be copied to remote storage. */
export const RemoteLogSegmentMetadataRecord = message(
  { name: 'RemoteLogSegmentMetadataRecord', kind: 'metadata', apiKey: 0, versions: '0', flexible: '0+' },
  () => ({
    remoteLogSegmentId: nested('0+', 'RemoteLogSegmentIdEntry', {
      topicIdPartition: nested('0+', 'TopicIdPartitionEntry', {
        name: string('0+'),
        id: uuid('0+'),
        partition: int32('0+'),
      }),
      id: uuid('0+'),
    }),
    startOffset: int64('0+'),
    endOffset: int64('0+'),
    brokerId: int32('0+'),
    maxTimestampMs: wideInt64('0+'),
    eventTimestampMs: int64('0+'),
    segmentLeaderEpochs: structs('0+', 'SegmentLeaderEpochEntry', {
      leaderEpoch: int32('0+'),
      offset: int64('0+'),
    }),
    segmentSizeInBytes: int32('0+'),
    customMetadata: bytes('0+', { nullable: '0+', default: null }),
    remoteLogSegmentState: int8('0+'),
    txnIndexEmpty: bool('0+', { tag: 0 }),
  }),
);
export type RemoteLogSegmentMetadataRecord = MessageOf<typeof RemoteLogSegmentMetadataRecord>;
