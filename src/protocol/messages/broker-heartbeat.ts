import { array, bool, int16, int32, int64, message, type MessageOf } from '../schema.ts';

/** BrokerHeartbeat: keeps a broker's registration alive and asks to be fenced, unfenced or shut down. */
export const BrokerHeartbeatRequest = message(
  {
    name: 'BrokerHeartbeatRequest',
    kind: 'request',
    apiKey: 63,
    listeners: ['controller'],
    versions: '0-1',
    flexible: '0+',
  },
  () => ({
    brokerId: int32('0+', { entityType: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
    currentMetadataOffset: int64('0+'),
    wantFence: bool('0+'),
    wantShutDown: bool('0+'),
    offlineLogDirs: array('1+', 'uuid', { tag: 0 }),
  }),
);
export type BrokerHeartbeatRequest = MessageOf<typeof BrokerHeartbeatRequest>;

/** Answer to `BrokerHeartbeatRequest`. */
export const BrokerHeartbeatResponse = message(
  { name: 'BrokerHeartbeatResponse', kind: 'response', apiKey: 63, versions: '0-1', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    isCaughtUp: bool('0+', { default: false }),
    isFenced: bool('0+', { default: true }),
    shouldShutDown: bool('0+'),
  }),
);
export type BrokerHeartbeatResponse = MessageOf<typeof BrokerHeartbeatResponse>;
