import { array, int32, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 4: no longer written except as a tombstone. */
export const ConsumerGroupPartitionMetadataKey = message(
  {
    name: 'ConsumerGroupPartitionMetadataKey',
    kind: 'coordinator-key',
    apiKey: 4,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
  }),
);
export type ConsumerGroupPartitionMetadataKey = MessageOf<typeof ConsumerGroupPartitionMetadataKey>;

/** Value for a `ConsumerGroupPartitionMetadataKey`. */
export const ConsumerGroupPartitionMetadataValue = message(
  {
    name: 'ConsumerGroupPartitionMetadataValue',
    kind: 'coordinator-value',
    apiKey: 4,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    topics: structs('0+', 'TopicMetadata', {
      topicId: uuid('0+'),
      topicName: string('0+'),
      numPartitions: int32('0+'),
      partitionMetadata: structs('0+', 'PartitionMetadata', {
        partition: int32('0+'),
        racks: array('0+', 'string'),
      }),
    }),
  }),
);
export type ConsumerGroupPartitionMetadataValue = MessageOf<typeof ConsumerGroupPartitionMetadataValue>;
