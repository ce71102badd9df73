import { int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** DescribeUserScramCredentials: lists which SCRAM mechanisms users have credentials for (KIP-554). */
export const DescribeUserScramCredentialsRequest = message(
  {
    name: 'DescribeUserScramCredentialsRequest',
    kind: 'request',
    apiKey: 50,
    listeners: ['broker', 'controller'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    users: structs('0+', 'UserName', { name: string('0+') }, { nullable: '0+' }),
  }),
);
export type DescribeUserScramCredentialsRequest = MessageOf<typeof DescribeUserScramCredentialsRequest>;

/** Answer to `DescribeUserScramCredentialsRequest`. */
export const DescribeUserScramCredentialsResponse = message(
  {
    name: 'DescribeUserScramCredentialsResponse',
    kind: 'response',
    apiKey: 50,
    versions: '0',
    flexible: '0+',
  },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    results: structs('0+', 'DescribeUserScramCredentialsResult', {
      user: string('0+'),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+' }),
      credentialInfos: structs('0+', 'CredentialInfo', {
        mechanism: int8('0+'),
        iterations: int32('0+'),
      }),
    }),
  }),
);
export type DescribeUserScramCredentialsResponse = MessageOf<typeof DescribeUserScramCredentialsResponse>;
