import { message, type MessageOf } from '../schema.ts';

/** The metadata transaction counts. */
export const EndTransactionRecord = message(
  { name: 'EndTransactionRecord', kind: 'metadata', apiKey: 24, versions: '0', flexible: '0+' },
  () => ({}),
);
export type EndTransactionRecord = MessageOf<typeof EndTransactionRecord>;
