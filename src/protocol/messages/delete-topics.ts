import { array, int16, int32, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** DeleteTopics: deletes topics by name or id. */
export const DeleteTopicsRequest = message(
  {
    name: 'DeleteTopicsRequest',
    kind: 'request',
    apiKey: 20,
    listeners: ['broker', 'controller'],
    versions: '1-6',
    flexible: '4+',
  },
  () => ({
    topics: structs('6+', 'DeleteTopicState', {
      name: string('6+', { nullable: '6+', default: null, entityType: 'topicName' }),
      topicId: uuid('6+'),
    }),
    topicNames: array('0-5', 'string', { ignorable: true, entityType: 'topicName' }),
    timeoutMs: int32('0+'),
  }),
);
export type DeleteTopicsRequest = MessageOf<typeof DeleteTopicsRequest>;

/** Answer to `DeleteTopicsRequest`. */
export const DeleteTopicsResponse = message(
  { name: 'DeleteTopicsResponse', kind: 'response', apiKey: 20, versions: '1-6', flexible: '4+' },
  () => ({
    throttleTimeMs: int32('1+', { ignorable: true }),
    responses: structs('0+', 'DeletableTopicResult', {
      name: string('0+', { nullable: '6+', mapKey: true, entityType: 'topicName' }),
      topicId: uuid('6+', { ignorable: true }),
      errorCode: int16('0+'),
      errorMessage: string('5+', { nullable: '5+', default: null, ignorable: true }),
    }),
  }),
);
export type DeleteTopicsResponse = MessageOf<typeof DeleteTopicsResponse>;
