import { int32, int64, message, type MessageOf } from '../schema.ts';

/** A block of producer ids was given to a broker. */
export const ProducerIdsRecord = message(
  { name: 'ProducerIdsRecord', kind: 'metadata', apiKey: 15, versions: '0', flexible: '0+' },
  () => ({
    brokerId: int32('0+', { entityType: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
    nextProducerId: int64('0+'),
  }),
);
export type ProducerIdsRecord = MessageOf<typeof ProducerIdsRecord>;
