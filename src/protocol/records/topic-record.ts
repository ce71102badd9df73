import { message, string, uuid, type MessageOf } from '../schema.ts';

/** A topic was created; its PartitionRecords follow. */
export const TopicRecord = message(
  { name: 'TopicRecord', kind: 'metadata', apiKey: 2, versions: '0', flexible: '0+' },
  () => ({
    name: string('0+', { entityType: 'topicName' }),
    topicId: uuid('0+'),
  }),
);
export type TopicRecord = MessageOf<typeof TopicRecord>;
