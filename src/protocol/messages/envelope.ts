import { bytes, int16, message, type MessageOf } from '../schema.ts';

/** Envelope: carries a client's request to the controller together with its principal (KIP-590). */
export const EnvelopeRequest = message(
  {
    name: 'EnvelopeRequest',
    kind: 'request',
    apiKey: 58,
    listeners: ['controller'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    requestData: bytes('0+', { zeroCopy: true }),
    requestPrincipal: bytes('0+', { nullable: '0+' }),
    clientHostAddress: bytes('0+'),
  }),
);
export type EnvelopeRequest = MessageOf<typeof EnvelopeRequest>;

/** Answer to `EnvelopeRequest`. */
export const EnvelopeResponse = message(
  { name: 'EnvelopeResponse', kind: 'response', apiKey: 58, versions: '0', flexible: '0+' },
  () => ({
    responseData: bytes('0+', { nullable: '0+', default: null, zeroCopy: true }),
    errorCode: int16('0+'),
  }),
);
export type EnvelopeResponse = MessageOf<typeof EnvelopeResponse>;
