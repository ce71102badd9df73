import { message, string, type MessageOf } from '../schema.ts';

/** A delegation token was deleted. */
export const RemoveDelegationTokenRecord = message(
  { name: 'RemoveDelegationTokenRecord', kind: 'metadata', apiKey: 26, versions: '0', flexible: '0+' },
  () => ({
    tokenId: string('0+'),
  }),
);
export type RemoveDelegationTokenRecord = MessageOf<typeof RemoveDelegationTokenRecord>;
