import { array, int16, message, string, type MessageOf } from '../schema.ts';

/** SaslHandshake: chooses the SASL mechanism of a connection. */
export const SaslHandshakeRequest = message(
  {
    name: 'SaslHandshakeRequest',
    kind: 'request',
    apiKey: 17,
    listeners: ['broker', 'controller'],
    versions: '0-1',
    flexible: 'none',
  },
  () => ({
    mechanism: string('0+'),
  }),
);
export type SaslHandshakeRequest = MessageOf<typeof SaslHandshakeRequest>;

/** Answer to `SaslHandshakeRequest`. */
export const SaslHandshakeResponse = message(
  { name: 'SaslHandshakeResponse', kind: 'response', apiKey: 17, versions: '0-1', flexible: 'none' },
  () => ({
    errorCode: int16('0+'),
    mechanisms: array('0+', 'string'),
  }),
);
export type SaslHandshakeResponse = MessageOf<typeof SaslHandshakeResponse>;
