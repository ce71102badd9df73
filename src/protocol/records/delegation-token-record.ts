import { array, int64, message, string, type MessageOf } from '../schema.ts';

/** A delegation token was created or renewed. */
export const DelegationTokenRecord = message(
  { name: 'DelegationTokenRecord', kind: 'metadata', apiKey: 10, versions: '0', flexible: '0+' },
  () => ({
    owner: string('0+'),
    requester: string('0+'),
    renewers: array('0+', 'string'),
    issueTimestamp: int64('0+'),
    maxTimestamp: int64('0+'),
    expirationTimestamp: int64('0+'),
    tokenId: string('0+'),
  }),
);
export type DelegationTokenRecord = MessageOf<typeof DelegationTokenRecord>;
