import { int32, int64, message, type MessageOf } from '../schema.ts';

/** A broker was fenced (older form of BrokerRegistrationChangeRecord). */
export const FenceBrokerRecord = message(
  { name: 'FenceBrokerRecord', kind: 'metadata', apiKey: 7, versions: '0', flexible: '0+' },
  () => ({
    id: int32('0+', { entityType: 'brokerId' }),
    epoch: int64('0+'),
  }),
);
export type FenceBrokerRecord = MessageOf<typeof FenceBrokerRecord>;
