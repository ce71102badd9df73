import { message, string, type MessageOf } from '../schema.ts';

/** The records up to EndTransactionRecord or AbortTransactionRecord count together or not at all (KIP-868). */
export const BeginTransactionRecord = message(
  { name: 'BeginTransactionRecord', kind: 'metadata', apiKey: 23, versions: '0', flexible: '0+' },
  () => ({
    name: string('0+', { nullable: '0+', tag: 0, default: null }),
  }),
);
export type BeginTransactionRecord = MessageOf<typeof BeginTransactionRecord>;
