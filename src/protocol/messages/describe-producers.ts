import {
  array,
  int16,
  int32,
  int64,
  message,
  string,
  structs,
  wideInt64,
  type MessageOf,
} from '../schema.ts';

/** DescribeProducers: lists the producers that write to partitions (KIP-664). */
export const DescribeProducersRequest = message(
  {
    name: 'DescribeProducersRequest',
    kind: 'request',
    apiKey: 61,
    listeners: ['broker'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    topics: structs('0+', 'TopicRequest', {
      name: string('0+', { entityType: 'topicName' }),
      partitionIndexes: array('0+', 'int32'),
    }),
  }),
);
export type DescribeProducersRequest = MessageOf<typeof DescribeProducersRequest>;

/** Answer to `DescribeProducersRequest`. */
export const DescribeProducersResponse = message(
  { name: 'DescribeProducersResponse', kind: 'response', apiKey: 61, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    topics: structs('0+', 'TopicResponse', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'PartitionResponse', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
        activeProducers: structs('0+', 'ProducerState', {
          producerId: int64('0+', { entityType: 'producerId' }),
          producerEpoch: int32('0+'),
          lastSequence: int32('0+', { default: -1 }),
          lastTimestamp: wideInt64('0+', { default: -1n }),
          coordinatorEpoch: int32('0+'),
          currentTxnStartOffset: int64('0+', { default: -1 }),
        }),
      }),
    }),
  }),
);
export type DescribeProducersResponse = MessageOf<typeof DescribeProducersResponse>;
