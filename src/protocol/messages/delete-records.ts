import { int16, int32, int64, message, string, structs, type MessageOf } from '../schema.ts';

/** DeleteRecords: moves log start offsets forward. */
export const DeleteRecordsRequest = message(
  {
    name: 'DeleteRecordsRequest',
    kind: 'request',
    apiKey: 21,
    listeners: ['broker'],
    versions: '0-2',
    flexible: '2+',
  },
  () => ({
    topics: structs('0+', 'DeleteRecordsTopic', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'DeleteRecordsPartition', {
        partitionIndex: int32('0+'),
        offset: int64('0+'),
      }),
    }),
    timeoutMs: int32('0+'),
  }),
);
export type DeleteRecordsRequest = MessageOf<typeof DeleteRecordsRequest>;

/** Answer to `DeleteRecordsRequest`. */
export const DeleteRecordsResponse = message(
  { name: 'DeleteRecordsResponse', kind: 'response', apiKey: 21, versions: '0-2', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    topics: structs('0+', 'DeleteRecordsTopicResult', {
      name: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitions: structs('0+', 'DeleteRecordsPartitionResult', {
        partitionIndex: int32('0+', { mapKey: true }),
        lowWatermark: int64('0+'),
        errorCode: int16('0+'),
      }),
    }),
  }),
);
export type DeleteRecordsResponse = MessageOf<typeof DeleteRecordsResponse>;
