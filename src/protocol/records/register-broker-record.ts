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

/** A broker incarnation registered; it begins fenced. */
export const RegisterBrokerRecord = message(
  { name: 'RegisterBrokerRecord', kind: 'metadata', apiKey: 0, versions: '0-3', flexible: '0+' },
  () => ({
    brokerId: int32('0+', { entityType: 'brokerId' }),
    isMigratingZkBroker: bool('2+', { default: false }),
    incarnationId: uuid('0+'),
    brokerEpoch: int64('0+'),
    endPoints: structs('0+', 'BrokerEndpoint', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
      securityProtocol: int16('0+'),
    }),
    features: structs('0+', 'BrokerFeature', {
      name: string('0+', { mapKey: true }),
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
    rack: string('0+', { nullable: '0+' }),
    fenced: bool('0+', { default: true }),
    inControlledShutdown: bool('1+', { default: false }),
    logDirs: array('3+', 'uuid', { tag: 0 }),
  }),
);
export type RegisterBrokerRecord = MessageOf<typeof RegisterBrokerRecord>;
