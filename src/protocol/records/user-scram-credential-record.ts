import { bytes, int32, int8, message, string, type MessageOf } from '../schema.ts';

/** A SCRAM credential was set. */
export const UserScramCredentialRecord = message(
  { name: 'UserScramCredentialRecord', kind: 'metadata', apiKey: 11, versions: '0', flexible: '0+' },
  () => ({
    name: string('0+'),
    mechanism: int8('0+'),
    salt: bytes('0+'),
    storedKey: bytes('0+'),
    serverKey: bytes('0+'),
    iterations: int32('0+'),
  }),
);
export type UserScramCredentialRecord = MessageOf<typeof UserScramCredentialRecord>;
