import { bytes, int16, int32, int64, message, string, structs, type MessageOf } from '../schema.ts';

/** DescribeDelegationToken: lists delegation tokens. */
export const DescribeDelegationTokenRequest = message(
  {
    name: 'DescribeDelegationTokenRequest',
    kind: 'request',
    apiKey: 41,
    listeners: ['broker', 'controller'],
    versions: '1-3',
    flexible: '2+',
  },
  () => ({
    owners: structs(
      '0+',
      'DescribeDelegationTokenOwner',
      {
        principalType: string('0+'),
        principalName: string('0+'),
      },
      { nullable: '0+' },
    ),
  }),
);
export type DescribeDelegationTokenRequest = MessageOf<typeof DescribeDelegationTokenRequest>;

/** Answer to `DescribeDelegationTokenRequest`. */
export const DescribeDelegationTokenResponse = message(
  { name: 'DescribeDelegationTokenResponse', kind: 'response', apiKey: 41, versions: '1-3', flexible: '2+' },
  () => ({
    errorCode: int16('0+'),
    tokens: structs('0+', 'DescribedDelegationToken', {
      principalType: string('0+'),
      principalName: string('0+'),
      tokenRequesterPrincipalType: string('3+'),
      tokenRequesterPrincipalName: string('3+'),
      issueTimestamp: int64('0+'),
      expiryTimestamp: int64('0+'),
      maxTimestamp: int64('0+'),
      tokenId: string('0+'),
      hmac: bytes('0+'),
      renewers: structs('0+', 'DescribedDelegationTokenRenewer', {
        principalType: string('0+'),
        principalName: string('0+'),
      }),
    }),
    throttleTimeMs: int32('0+'),
  }),
);
export type DescribeDelegationTokenResponse = MessageOf<typeof DescribeDelegationTokenResponse>;
