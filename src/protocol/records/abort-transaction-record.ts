import { message, string, type MessageOf } from '../schema.ts';

/** The metadata transaction does not count. */
export const AbortTransactionRecord = message(
  { name: 'AbortTransactionRecord', kind: 'metadata', apiKey: 25, versions: '0', flexible: '0+' },
  () => ({
    reason: string('0+', { nullable: '0+', tag: 0, default: null }),
  }),
);
export type AbortTransactionRecord = MessageOf<typeof AbortTransactionRecord>;
