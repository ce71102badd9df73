import { int16, int32, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** DeleteShareGroupOffsets: deletes the share-partition start offsets of topics. */
export const DeleteShareGroupOffsetsRequest = message(
  {
    name: 'DeleteShareGroupOffsetsRequest',
    kind: 'request',
    apiKey: 92,
    listeners: ['broker'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    groupId: string('0+', { entityType: 'groupId' }),
    topics: structs('0+', 'DeleteShareGroupOffsetsRequestTopic', {
      topicName: string('0+', { entityType: 'topicName' }),
    }),
  }),
);
export type DeleteShareGroupOffsetsRequest = MessageOf<typeof DeleteShareGroupOffsetsRequest>;

/** Answer to `DeleteShareGroupOffsetsRequest`. */
export const DeleteShareGroupOffsetsResponse = message(
  { name: 'DeleteShareGroupOffsetsResponse', kind: 'response', apiKey: 92, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    responses: structs('0+', 'DeleteShareGroupOffsetsResponseTopic', {
      topicName: string('0+', { entityType: 'topicName' }),
      topicId: uuid('0+'),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  }),
);
export type DeleteShareGroupOffsetsResponse = MessageOf<typeof DeleteShareGroupOffsetsResponse>;
