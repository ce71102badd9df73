import { bytes, int16, int32, int64, message, type MessageOf } from '../schema.ts';

/** RenewDelegationToken: puts off the expiry of a delegation token. */
export const RenewDelegationTokenRequest = message(
  {
    name: 'RenewDelegationTokenRequest',
    kind: 'request',
    apiKey: 39,
    listeners: ['broker', 'controller'],
    versions: '1-2',
    flexible: '2+',
  },
  () => ({
    hmac: bytes('0+'),
    renewPeriodMs: int64('0+'),
  }),
);
export type RenewDelegationTokenRequest = MessageOf<typeof RenewDelegationTokenRequest>;

/** Answer to `RenewDelegationTokenRequest`. */
export const RenewDelegationTokenResponse = message(
  { name: 'RenewDelegationTokenResponse', kind: 'response', apiKey: 39, versions: '1-2', flexible: '2+' },
  () => ({
    errorCode: int16('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+'),
  }),
);
export type RenewDelegationTokenResponse = MessageOf<typeof RenewDelegationTokenResponse>;
