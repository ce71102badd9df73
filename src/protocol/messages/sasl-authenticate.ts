import { bytes, int16, int64, message, string, type MessageOf } from '../schema.ts';

/** SaslAuthenticate: carries one SASL token. */
export const SaslAuthenticateRequest = message(
  {
    name: 'SaslAuthenticateRequest',
    kind: 'request',
    apiKey: 36,
    listeners: ['broker', 'controller'],
    versions: '0-2',
    flexible: '2+',
  },
  () => ({
    authBytes: bytes('0+'),
  }),
);
export type SaslAuthenticateRequest = MessageOf<typeof SaslAuthenticateRequest>;

/** Answer to `SaslAuthenticateRequest`. */
export const SaslAuthenticateResponse = message(
  { name: 'SaslAuthenticateResponse', kind: 'response', apiKey: 36, versions: '0-2', flexible: '2+' },
  () => ({
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    authBytes: bytes('0+'),
    sessionLifetimeMs: int64('1+', { default: 0, ignorable: true }),
  }),
);
export type SaslAuthenticateResponse = MessageOf<typeof SaslAuthenticateResponse>;
