import { int16, int32, int64, message, string, type MessageOf } from '../schema.ts';

/** AddOffsetsToTxn: adds a group's offsets partition to a transaction. */
export const AddOffsetsToTxnRequest = message(
  {
    name: 'AddOffsetsToTxnRequest',
    kind: 'request',
    apiKey: 25,
    listeners: ['broker'],
    versions: '0-4',
    flexible: '3+',
  },
  () => ({
    transactionalId: string('0+', { entityType: 'transactionalId' }),
    producerId: int64('0+', { entityType: 'producerId' }),
    producerEpoch: int16('0+'),
    groupId: string('0+', { entityType: 'groupId' }),
  }),
);
export type AddOffsetsToTxnRequest = MessageOf<typeof AddOffsetsToTxnRequest>;

/** Answer to `AddOffsetsToTxnRequest`. */
export const AddOffsetsToTxnResponse = message(
  { name: 'AddOffsetsToTxnResponse', kind: 'response', apiKey: 25, versions: '0-4', flexible: '3+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
  }),
);
export type AddOffsetsToTxnResponse = MessageOf<typeof AddOffsetsToTxnResponse>;
