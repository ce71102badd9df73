import {
  bool,
  bytes,
  int32,
  int64,
  int8,
  message,
  structs,
  uuid,
  wideInt64,
  type MessageOf,
} from '../schema.ts';

/** A remote segment within the snapshot file of a partition's remote metadata. */
export const RemoteLogSegmentMetadataSnapshotRecord = message(
  {
    name: 'RemoteLogSegmentMetadataSnapshotRecord',
    kind: 'metadata',
    apiKey: 3,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    segmentId: uuid('0+'),
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
export type RemoteLogSegmentMetadataSnapshotRecord = MessageOf<typeof RemoteLogSegmentMetadataSnapshotRecord>;
