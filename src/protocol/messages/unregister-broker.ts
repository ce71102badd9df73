import { int16, int32, message, string, type MessageOf } from '../schema.ts';

/** UnregisterBroker: removes a broker's registration. */
export const UnregisterBrokerRequest = message(
  {
    name: 'UnregisterBrokerRequest',
    kind: 'request',
    apiKey: 64,
    listeners: ['broker', 'controller'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    brokerId: int32('0+', { entityType: 'brokerId' }),
  }),
);
export type UnregisterBrokerRequest = MessageOf<typeof UnregisterBrokerRequest>;

/** Answer to `UnregisterBrokerRequest`. */
export const UnregisterBrokerResponse = message(
  { name: 'UnregisterBrokerResponse', kind: 'response', apiKey: 64, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
  }),
);
export type UnregisterBrokerResponse = MessageOf<typeof UnregisterBrokerResponse>;
