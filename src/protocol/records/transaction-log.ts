import { array, int16, int32, int64, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** Key in `__transaction_state`, type 0: the state of a transactional id. */
export const TransactionLogKey = message(
  { name: 'TransactionLogKey', kind: 'coordinator-key', apiKey: 0, versions: '0', flexible: 'none' },
  () => ({
    transactionalId: string('0'),
  }),
);
export type TransactionLogKey = MessageOf<typeof TransactionLogKey>;

/** Value for a `TransactionLogKey`. */
export const TransactionLogValue = message(
  { name: 'TransactionLogValue', kind: 'coordinator-value', apiKey: 0, versions: '0-1', flexible: '1+' },
  () => ({
    producerId: int64('0+'),
    previousProducerId: int64('1+', { tag: 0, default: -1 }),
    nextProducerId: int64('1+', { tag: 1, default: -1 }),
    producerEpoch: int16('0+'),
    nextProducerEpoch: int16('1+', { tag: 3, default: -1 }),
    transactionTimeoutMs: int32('0+'),
    transactionStatus: int8('0+'),
    transactionPartitions: structs(
      '0+',
      'PartitionsSchema',
      {
        topic: string('0+'),
        partitionIds: array('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
    transactionLastUpdateTimestampMs: int64('0+'),
    transactionStartTimestampMs: int64('0+'),
    clientTransactionVersion: int16('1+', { tag: 2, default: 0 }),
  }),
);
export type TransactionLogValue = MessageOf<typeof TransactionLogValue>;
