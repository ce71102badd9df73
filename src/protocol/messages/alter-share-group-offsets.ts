import { int16, int32, int64, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** AlterShareGroupOffsets: sets the share-partition start offsets of an empty share group. */
export const AlterShareGroupOffsetsRequest = message(
  {
    name: 'AlterShareGroupOffsetsRequest',
    kind: 'request',
    apiKey: 91,
    listeners: ['broker'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    groupId: string('0+', { entityType: 'groupId' }),
    topics: structs('0+', 'AlterShareGroupOffsetsRequestTopic', {
      topicName: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitions: structs('0+', 'AlterShareGroupOffsetsRequestPartition', {
        partitionIndex: int32('0+'),
        startOffset: int64('0+'),
      }),
    }),
  }),
);
export type AlterShareGroupOffsetsRequest = MessageOf<typeof AlterShareGroupOffsetsRequest>;

/** Answer to `AlterShareGroupOffsetsRequest`. */
export const AlterShareGroupOffsetsResponse = message(
  { name: 'AlterShareGroupOffsetsResponse', kind: 'response', apiKey: 91, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    responses: structs('0+', 'AlterShareGroupOffsetsResponseTopic', {
      topicName: string('0+', { mapKey: true, entityType: 'topicName' }),
      topicId: uuid('0+'),
      partitions: structs('0+', 'AlterShareGroupOffsetsResponsePartition', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
      }),
    }),
  }),
);
export type AlterShareGroupOffsetsResponse = MessageOf<typeof AlterShareGroupOffsetsResponse>;
