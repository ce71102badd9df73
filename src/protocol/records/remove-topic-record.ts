import { message, uuid, type MessageOf } from '../schema.ts';

/** A topic was deleted with its partitions. */
export const RemoveTopicRecord = message(
  { name: 'RemoveTopicRecord', kind: 'metadata', apiKey: 9, versions: '0', flexible: '0+' },
  () => ({
    topicId: uuid('0+'),
  }),
);
export type RemoveTopicRecord = MessageOf<typeof RemoveTopicRecord>;
