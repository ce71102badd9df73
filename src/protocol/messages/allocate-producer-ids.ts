import { int16, int32, int64, message, type MessageOf } from '../schema.ts';

/** AllocateProducerIds: takes a block of producer ids from the controller (KIP-730). */
export const AllocateProducerIdsRequest = message(
  {
    name: 'AllocateProducerIdsRequest',
    kind: 'request',
    apiKey: 67,
    listeners: ['controller'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    brokerId: int32('0+', { entityType: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
  }),
);
export type AllocateProducerIdsRequest = MessageOf<typeof AllocateProducerIdsRequest>;

/** Answer to `AllocateProducerIdsRequest`. */
export const AllocateProducerIdsResponse = message(
  { name: 'AllocateProducerIdsResponse', kind: 'response', apiKey: 67, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerIdStart: int64('0+', { entityType: 'producerId' }),
    producerIdLen: int32('0+'),
  }),
);
export type AllocateProducerIdsResponse = MessageOf<typeof AllocateProducerIdsResponse>;
