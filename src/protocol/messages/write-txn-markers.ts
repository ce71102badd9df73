import {
  array,
  bool,
  int16,
  int32,
  int64,
  int8,
  message,
  string,
  structs,
  type MessageOf,
} from '../schema.ts';

/** WriteTxnMarkers: writes the markers that end a transaction into the partitions it touched. */
export const WriteTxnMarkersRequest = message(
  {
    name: 'WriteTxnMarkersRequest',
    kind: 'request',
    apiKey: 27,
    listeners: ['broker'],
    versions: '1-2',
    flexible: '1+',
  },
  () => ({
    markers: structs('0+', 'WritableTxnMarker', {
      producerId: int64('0+', { entityType: 'producerId' }),
      producerEpoch: int16('0+'),
      transactionResult: bool('0+'),
      topics: structs('0+', 'WritableTxnMarkerTopic', {
        name: string('0+', { entityType: 'topicName' }),
        partitionIndexes: array('0+', 'int32'),
      }),
      coordinatorEpoch: int32('0+'),
      transactionVersion: int8('2+', { default: 0, ignorable: true }),
    }),
  }),
);
export type WriteTxnMarkersRequest = MessageOf<typeof WriteTxnMarkersRequest>;

/** Answer to `WriteTxnMarkersRequest`. */
export const WriteTxnMarkersResponse = message(
  { name: 'WriteTxnMarkersResponse', kind: 'response', apiKey: 27, versions: '1-2', flexible: '1+' },
  () => ({
    markers: structs('0+', 'WritableTxnMarkerResult', {
      producerId: int64('0+', { entityType: 'producerId' }),
      topics: structs('0+', 'WritableTxnMarkerTopicResult', {
        name: string('0+', { entityType: 'topicName' }),
        partitions: structs('0+', 'WritableTxnMarkerPartitionResult', {
          partitionIndex: int32('0+'),
          errorCode: int16('0+'),
        }),
      }),
    }),
  }),
);
export type WriteTxnMarkersResponse = MessageOf<typeof WriteTxnMarkersResponse>;
