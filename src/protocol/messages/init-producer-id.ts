import { bool, int16, int32, int64, message, string, type MessageOf } from '../schema.ts';

/** InitProducerId: gives out a producer id and epoch, and fences older instances of a transactional id. */
export const InitProducerIdRequest = message(
  {
    name: 'InitProducerIdRequest',
    kind: 'request',
    apiKey: 22,
    listeners: ['broker'],
    versions: '0-6',
    flexible: '2+',
    latestVersionUnstable: true,
  },
  () => ({
    transactionalId: string('0+', { nullable: '0+', entityType: 'transactionalId' }),
    transactionTimeoutMs: int32('0+'),
    producerId: int64('3+', { default: -1, entityType: 'producerId' }),
    producerEpoch: int16('3+', { default: -1 }),
    enable2Pc: bool('6+', { default: false }),
    keepPreparedTxn: bool('6+', { default: false }),
  }),
);
export type InitProducerIdRequest = MessageOf<typeof InitProducerIdRequest>;

/** Answer to `InitProducerIdRequest`. */
export const InitProducerIdResponse = message(
  { name: 'InitProducerIdResponse', kind: 'response', apiKey: 22, versions: '0-6', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+', { ignorable: true }),
    errorCode: int16('0+'),
    producerId: int64('0+', { default: -1, entityType: 'producerId' }),
    producerEpoch: int16('0+'),
    ongoingTxnProducerId: int64('6+', { default: -1, entityType: 'producerId' }),
    ongoingTxnProducerEpoch: int16('6+', { default: -1 }),
  }),
);
export type InitProducerIdResponse = MessageOf<typeof InitProducerIdResponse>;
