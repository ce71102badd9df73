import { bool, int16, int32, int64, message, string, type MessageOf } from '../schema.ts';

/** EndTxn: commits or aborts a transaction. */
export const EndTxnRequest = message(
  {
    name: 'EndTxnRequest',
    kind: 'request',
    apiKey: 26,
    listeners: ['broker'],
    versions: '0-5',
    flexible: '3+',
  },
  () => ({
    transactionalId: string('0+', { entityType: 'transactionalId' }),
    producerId: int64('0+', { entityType: 'producerId' }),
    producerEpoch: int16('0+'),
    committed: bool('0+'),
  }),
);
export type EndTxnRequest = MessageOf<typeof EndTxnRequest>;

/** Answer to `EndTxnRequest`. */
export const EndTxnResponse = message(
  { name: 'EndTxnResponse', kind: 'response', apiKey: 26, versions: '0-5', flexible: '3+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerId: int64('5+', { default: -1, ignorable: true, entityType: 'producerId' }),
    producerEpoch: int16('5+', { default: -1, ignorable: true }),
  }),
);
export type EndTxnResponse = MessageOf<typeof EndTxnResponse>;
