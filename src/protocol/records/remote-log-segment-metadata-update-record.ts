import { bytes, int32, int64, int8, message, nested, string, uuid, type MessageOf } from '../schema.ts';

/** A remote segment changed its state. */
export const RemoteLogSegmentMetadataUpdateRecord = message(
  {
    name: 'RemoteLogSegmentMetadataUpdateRecord',
    kind: 'metadata',
    apiKey: 1,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    remoteLogSegmentId: nested('0+', 'RemoteLogSegmentIdEntry', {
      topicIdPartition: nested('0+', 'TopicIdPartitionEntry', {
        name: string('0+'),
        id: uuid('0+'),
        partition: int32('0+'),
      }),
      id: uuid('0+'),
    }),
    brokerId: int32('0+'),
    eventTimestampMs: int64('0+'),
    customMetadata: bytes('0+', { nullable: '0+', default: null }),
    remoteLogSegmentState: int8('0+'),
  }),
);
export type RemoteLogSegmentMetadataUpdateRecord = MessageOf<typeof RemoteLogSegmentMetadataUpdateRecord>;
