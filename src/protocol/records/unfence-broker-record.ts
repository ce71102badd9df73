import { int32, int64, message, type MessageOf } from '../schema.ts';

/** A broker was unfenced (older form of BrokerRegistrationChangeRecord). */
export const UnfenceBrokerRecord = message(
  { name: 'UnfenceBrokerRecord', kind: 'metadata', apiKey: 8, versions: '0', flexible: '0+' },
  () => ({
    id: int32('0+', { entityType: 'brokerId' }),
    epoch: int64('0+'),
  }),
);
export type UnfenceBrokerRecord = MessageOf<typeof UnfenceBrokerRecord>;
