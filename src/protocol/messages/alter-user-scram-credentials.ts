import { bytes, int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** AlterUserScramCredentials: upserts or deletes SCRAM credentials. */
export const AlterUserScramCredentialsRequest = message(
  {
    name: 'AlterUserScramCredentialsRequest',
    kind: 'request',
    apiKey: 51,
    listeners: ['broker', 'controller'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    deletions: structs('0+', 'ScramCredentialDeletion', {
      name: string('0+'),
      mechanism: int8('0+'),
    }),
    upsertions: structs('0+', 'ScramCredentialUpsertion', {
      name: string('0+'),
      mechanism: int8('0+'),
      iterations: int32('0+'),
      salt: bytes('0+'),
      saltedPassword: bytes('0+'),
    }),
  }),
);
export type AlterUserScramCredentialsRequest = MessageOf<typeof AlterUserScramCredentialsRequest>;

/** Answer to `AlterUserScramCredentialsRequest`. */
export const AlterUserScramCredentialsResponse = message(
  { name: 'AlterUserScramCredentialsResponse', kind: 'response', apiKey: 51, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    results: structs('0+', 'AlterUserScramCredentialsResult', {
      user: string('0+'),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
    }),
  }),
);
export type AlterUserScramCredentialsResponse = MessageOf<typeof AlterUserScramCredentialsResponse>;
