import { bytes, int16, int32, int64, message, type MessageOf } from '../schema.ts';

/** ExpireDelegationToken: brings the expiry of a delegation token forward. */
export const ExpireDelegationTokenRequest = message(
  {
    name: 'ExpireDelegationTokenRequest',
    kind: 'request',
    apiKey: 40,
    listeners: ['broker', 'controller'],
    versions: '1-2',
    flexible: '2+',
  },
  () => ({
    hmac: bytes('0+'),
    expiryTimePeriodMs: int64('0+'),
  }),
);
export type ExpireDelegationTokenRequest = MessageOf<typeof ExpireDelegationTokenRequest>;

/** Answer to `ExpireDelegationTokenRequest`. */
export const ExpireDelegationTokenResponse = message(
  { name: 'ExpireDelegationTokenResponse', kind: 'response', apiKey: 40, versions: '1-2', flexible: '2+' },
  () => ({
    errorCode: int16('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+'),
  }),
);
export type ExpireDelegationTokenResponse = MessageOf<typeof ExpireDelegationTokenResponse>;
