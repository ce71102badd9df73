import { int32, message, type MessageOf } from '../schema.ts';

/** Value of a transaction's ABORT or COMMIT control record. A version prefix int16 stands before it. */
export const EndTxnMarker = message(
  { name: 'EndTxnMarker', kind: 'data', versions: '0', flexible: 'none' },
  () => ({
    coordinatorEpoch: int32('0+'),
  }),
);
export type EndTxnMarker = MessageOf<typeof EndTxnMarker>;
