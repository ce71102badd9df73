import {
  array,
  bool,
  commonStruct,
  int16,
  int32,
  int64,
  message,
  string,
  structs,
  type MessageOf,
} from '../schema.ts';

const AddPartitionsToTxnTopic = commonStruct('AddPartitionsToTxnTopic', '0+', {
  name: string('0+', { mapKey: true, entityType: 'topicName' }),
  partitions: array('0+', 'int32'),
});

/** AddPartitionsToTxn: adds partitions to transactions, or verifies that they are in one. */
export const AddPartitionsToTxnRequest = message(
  {
    name: 'AddPartitionsToTxnRequest',
    kind: 'request',
    apiKey: 24,
    listeners: ['broker'],
    versions: '0-5',
    flexible: '3+',
  },
  () => ({
    transactions: structs('4+', 'AddPartitionsToTxnTransaction', {
      transactionalId: string('4+', { mapKey: true, entityType: 'transactionalId' }),
      producerId: int64('4+', { entityType: 'producerId' }),
      producerEpoch: int16('4+'),
      verifyOnly: bool('4+', { default: false }),
      topics: array('4+', AddPartitionsToTxnTopic),
    }),
    v3AndBelowTransactionalId: string('0-3', { entityType: 'transactionalId' }),
    v3AndBelowProducerId: int64('0-3', { entityType: 'producerId' }),
    v3AndBelowProducerEpoch: int16('0-3'),
    v3AndBelowTopics: array('0-3', AddPartitionsToTxnTopic),
  }),
);
export type AddPartitionsToTxnRequest = MessageOf<typeof AddPartitionsToTxnRequest>;

const AddPartitionsToTxnPartitionResult = commonStruct('AddPartitionsToTxnPartitionResult', '0+', {
  partitionIndex: int32('0+', { mapKey: true }),
  partitionErrorCode: int16('0+'),
});

const AddPartitionsToTxnTopicResult = commonStruct('AddPartitionsToTxnTopicResult', '0+', {
  name: string('0+', { mapKey: true, entityType: 'topicName' }),
  resultsByPartition: array('0+', AddPartitionsToTxnPartitionResult),
});

/** Answer to `AddPartitionsToTxnRequest`. */
export const AddPartitionsToTxnResponse = message(
  { name: 'AddPartitionsToTxnResponse', kind: 'response', apiKey: 24, versions: '0-5', flexible: '3+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('4+', { ignorable: true }),
    resultsByTransaction: structs('4+', 'AddPartitionsToTxnResult', {
      transactionalId: string('4+', { mapKey: true, entityType: 'transactionalId' }),
      topicResults: array('4+', AddPartitionsToTxnTopicResult),
    }),
    resultsByTopicV3AndBelow: array('0-3', AddPartitionsToTxnTopicResult),
  }),
);
export type AddPartitionsToTxnResponse = MessageOf<typeof AddPartitionsToTxnResponse>;
