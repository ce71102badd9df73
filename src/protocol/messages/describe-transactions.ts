import { array, int16, int32, int64, message, string, structs, type MessageOf } from '../schema.ts';

/** DescribeTransactions: describes transactions by transactional id (KIP-664). */
export const DescribeTransactionsRequest = message(
  {
    name: 'DescribeTransactionsRequest',
    kind: 'request',
    apiKey: 65,
    listeners: ['broker'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    transactionalIds: array('0+', 'string', { entityType: 'transactionalId' }),
  }),
);
export type DescribeTransactionsRequest = MessageOf<typeof DescribeTransactionsRequest>;

/** Answer to `DescribeTransactionsRequest`. */
export const DescribeTransactionsResponse = message(
  { name: 'DescribeTransactionsResponse', kind: 'response', apiKey: 65, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    transactionStates: structs('0+', 'TransactionState', {
      errorCode: int16('0+'),
      transactionalId: string('0+', { entityType: 'transactionalId' }),
      transactionState: string('0+'),
      transactionTimeoutMs: int32('0+'),
      transactionStartTimeMs: int64('0+'),
      producerId: int64('0+', { entityType: 'producerId' }),
      producerEpoch: int16('0+'),
      topics: structs('0+', 'TopicData', {
        topic: string('0+', { mapKey: true, entityType: 'topicName' }),
        partitions: array('0+', 'int32'),
      }),
    }),
  }),
);
export type DescribeTransactionsResponse = MessageOf<typeof DescribeTransactionsResponse>;
