import { int32, int64, int8, message, nested, string, uuid, type MessageOf } from '../schema.ts';

/** A partition's remote segments are being deleted. */
export const RemotePartitionDeleteMetadataRecord = message(
  { name: 'RemotePartitionDeleteMetadataRecord', kind: 'metadata', apiKey: 2, versions: '0', flexible: '0+' },
  () => ({
    topicIdPartition: nested('0+', 'TopicIdPartitionEntry', {
      name: string('0+'),
      id: uuid('0+'),
      partition: int32('0+'),
    }),
    brokerId: int32('0+'),
    eventTimestampMs: int64('0+'),
    remotePartitionDeleteState: int8('0+'),
  }),
);
export type RemotePartitionDeleteMetadataRecord = MessageOf<typeof RemotePartitionDeleteMetadataRecord>;
