import { array, int32, int64, int8, message, type MessageOf } from '../schema.ts';

/** What changed of a broker's registration: fenced, in controlled shutdown, log directories. */
export const BrokerRegistrationChangeRecord = message(
  { name: 'BrokerRegistrationChangeRecord', kind: 'metadata', apiKey: 17, versions: '0-2', flexible: '0+' },
  () => ({
    brokerId: int32('0+', { entityType: 'brokerId' }),
    brokerEpoch: int64('0+'),
    fenced: int8('0+', { tag: 0 }),
    inControlledShutdown: int8('1+', { tag: 1 }),
    logDirs: array('2+', 'uuid', { tag: 2 }),
  }),
);
export type BrokerRegistrationChangeRecord = MessageOf<typeof BrokerRegistrationChangeRecord>;
