import { message, string, type MessageOf } from '../schema.ts';

/** The eligible leader replicas of one topic, or of all, were dropped. */
export const ClearElrRecord = message(
  { name: 'ClearElrRecord', kind: 'metadata', apiKey: 28, versions: '0', flexible: '0+' },
  () => ({
    topicName: string('0+', { entityType: 'topicName' }),
  }),
);
export type ClearElrRecord = MessageOf<typeof ClearElrRecord>;
