import {
  array,
  bool,
  int16,
  int32,
  int64,
  message,
  string,
  structs,
  uint16,
  uuid,
  type MessageOf,
} from '../schema.ts';

/** BrokerRegistration: registers a broker incarnation with the controller (KIP-631). */
export const BrokerRegistrationRequest = message(
  {
    name: 'BrokerRegistrationRequest',
    kind: 'request',
    apiKey: 62,
    listeners: ['controller'],
    versions: '0-4',
    flexible: '0+',
  },
  () => ({
    brokerId: int32('0+', { entityType: 'brokerId' }),
    clusterId: string('0+'),
    incarnationId: uuid('0+'),
    listeners: structs('0+', 'Listener', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
      securityProtocol: int16('0+'),
    }),
    features: structs('0+', 'Feature', {
      name: string('0+', { mapKey: true }),
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
    rack: string('0+', { nullable: '0+' }),
    isMigratingZkBroker: bool('1+', { default: false }),
    logDirs: array('2+', 'uuid', { ignorable: true }),
    previousBrokerEpoch: int64('3+', { default: -1, ignorable: true }),
  }),
);
export type BrokerRegistrationRequest = MessageOf<typeof BrokerRegistrationRequest>;

/** Answer to `BrokerRegistrationRequest`. */
export const BrokerRegistrationResponse = message(
  { name: 'BrokerRegistrationResponse', kind: 'response', apiKey: 62, versions: '0-4', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
  }),
);
export type BrokerRegistrationResponse = MessageOf<typeof BrokerRegistrationResponse>;
