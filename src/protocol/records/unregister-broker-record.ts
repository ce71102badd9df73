import { int32, int64, message, type MessageOf } from '../schema.ts';

/** A broker's registration ended. */
export const UnregisterBrokerRecord = message(
  { name: 'UnregisterBrokerRecord', kind: 'metadata', apiKey: 1, versions: '0', flexible: '0+' },
  () => ({
    brokerId: int32('0+', { entityType: 'brokerId' }),
    brokerEpoch: int64('0+'),
  }),
);
export type UnregisterBrokerRecord = MessageOf<typeof UnregisterBrokerRecord>;
