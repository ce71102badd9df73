import { array, int16, int32, int64, message, string, structs, type MessageOf } from '../schema.ts';

/** ListTransactions: lists the transactions that a broker coordinates. */
export const ListTransactionsRequest = message(
  {
    name: 'ListTransactionsRequest',
    kind: 'request',
    apiKey: 66,
    listeners: ['broker'],
    versions: '0-2',
    flexible: '0+',
  },
  () => ({
    stateFilters: array('0+', 'string'),
    producerIdFilters: array('0+', 'int64', { entityType: 'producerId' }),
    durationFilter: int64('1+', { default: -1 }),
    transactionalIdPattern: string('2+', { nullable: '2+', default: null }),
  }),
);
export type ListTransactionsRequest = MessageOf<typeof ListTransactionsRequest>;

/** Answer to `ListTransactionsRequest`. */
export const ListTransactionsResponse = message(
  { name: 'ListTransactionsResponse', kind: 'response', apiKey: 66, versions: '0-2', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    unknownStateFilters: array('0+', 'string'),
    transactionStates: structs('0+', 'TransactionState', {
      transactionalId: string('0+', { entityType: 'transactionalId' }),
      producerId: int64('0+', { entityType: 'producerId' }),
      transactionState: string('0+'),
    }),
  }),
);
export type ListTransactionsResponse = MessageOf<typeof ListTransactionsResponse>;
