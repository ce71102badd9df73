import { int16, int32, message, string, structs, type MessageOf } from '../schema.ts';

/** OffsetDelete: deletes committed offsets of topics that a group does not subscribe to. */
export const OffsetDeleteRequest = message(
  {
    name: 'OffsetDeleteRequest',
    kind: 'request',
    apiKey: 47,
    listeners: ['broker'],
    versions: '0',
    flexible: 'none',
  },
  () => ({
    groupId: string('0+', { entityType: 'groupId' }),
    topics: structs('0+', 'OffsetDeleteRequestTopic', {
      name: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitions: structs('0+', 'OffsetDeleteRequestPartition', { partitionIndex: int32('0+') }),
    }),
  }),
);
export type OffsetDeleteRequest = MessageOf<typeof OffsetDeleteRequest>;

/** Answer to `OffsetDeleteRequest`. */
export const OffsetDeleteResponse = message(
  { name: 'OffsetDeleteResponse', kind: 'response', apiKey: 47, versions: '0', flexible: 'none' },
  () => ({
    errorCode: int16('0+'),
    throttleTimeMs: int32('0+', { ignorable: true }),
    topics: structs('0+', 'OffsetDeleteResponseTopic', {
      name: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitions: structs('0+', 'OffsetDeleteResponsePartition', {
        partitionIndex: int32('0+', { mapKey: true }),
        errorCode: int16('0+'),
      }),
    }),
  }),
);
export type OffsetDeleteResponse = MessageOf<typeof OffsetDeleteResponse>;
