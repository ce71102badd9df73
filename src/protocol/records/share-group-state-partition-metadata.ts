import { array, commonStruct, message, string, uuid, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 15: which partitions of a share group have persisted state. */
export const ShareGroupStatePartitionMetadataKey = message(
  {
    name: 'ShareGroupStatePartitionMetadataKey',
    kind: 'coordinator-key',
    apiKey: 15,
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0'),
  }),
);
export type ShareGroupStatePartitionMetadataKey = MessageOf<typeof ShareGroupStatePartitionMetadataKey>;

const TopicPartitionsInfo = commonStruct('TopicPartitionsInfo', '0+', {
  topicId: uuid('0+'),
  topicName: string('0+'),
  partitions: array('0+', 'int32'),
});

const TopicInfo = commonStruct('TopicInfo', '0+', {
  topicId: uuid('0+'),
  topicName: string('0+'),
});

/** Value for a `ShareGroupStatePartitionMetadataKey`. */
export const ShareGroupStatePartitionMetadataValue = message(
  {
    name: 'ShareGroupStatePartitionMetadataValue',
    kind: 'coordinator-value',
    apiKey: 15,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    initializingTopics: array('0+', TopicPartitionsInfo),
    initializedTopics: array('0+', TopicPartitionsInfo),
    deletingTopics: array('0+', TopicInfo),
  }),
);
export type ShareGroupStatePartitionMetadataValue = MessageOf<typeof ShareGroupStatePartitionMetadataValue>;
