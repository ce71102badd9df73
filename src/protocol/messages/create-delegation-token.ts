import { bytes, int16, int32, int64, message, string, structs, type MessageOf } from '../schema.ts';

/** CreateDelegationToken: creates a delegation token (KIP-48). */
export const CreateDelegationTokenRequest = message(
  {
    name: 'CreateDelegationTokenRequest',
    kind: 'request',
    apiKey: 38,
    listeners: ['broker', 'controller'],
    versions: '1-3',
    flexible: '2+',
  },
  () => ({
    ownerPrincipalType: string('3+', { nullable: '3+' }),
    ownerPrincipalName: string('3+', { nullable: '3+' }),
    renewers: structs('0+', 'CreatableRenewers', {
      principalType: string('0+'),
      principalName: string('0+'),
    }),
    maxLifetimeMs: int64('0+'),
  }),
);
export type CreateDelegationTokenRequest = MessageOf<typeof CreateDelegationTokenRequest>;

/** Answer to `CreateDelegationTokenRequest`. */
export const CreateDelegationTokenResponse = message(
  { name: 'CreateDelegationTokenResponse', kind: 'response', apiKey: 38, versions: '1-3', flexible: '2+' },
  () => ({
    errorCode: int16('0+'),
    principalType: string('0+'),
    principalName: string('0+'),
    tokenRequesterPrincipalType: string('3+'),
    tokenRequesterPrincipalName: string('3+'),
    issueTimestampMs: int64('0+'),
    expiryTimestampMs: int64('0+'),
    maxTimestampMs: int64('0+'),
    tokenId: string('0+'),
    hmac: bytes('0+'),
    throttleTimeMs: int32('0+'),
  }),
);
export type CreateDelegationTokenResponse = MessageOf<typeof CreateDelegationTokenResponse>;
