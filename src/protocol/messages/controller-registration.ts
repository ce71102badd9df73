import { bool, int16, int32, message, string, structs, uint16, uuid, type MessageOf } from '../schema.ts';

/** ControllerRegistration: registers a controller incarnation (KIP-919). */
export const ControllerRegistrationRequest = message(
  {
    name: 'ControllerRegistrationRequest',
    kind: 'request',
    apiKey: 70,
    listeners: ['controller'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    controllerId: int32('0+'),
    incarnationId: uuid('0+'),
    zkMigrationReady: bool('0+'),
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
  }),
);
export type ControllerRegistrationRequest = MessageOf<typeof ControllerRegistrationRequest>;

/** Answer to `ControllerRegistrationRequest`. */
export const ControllerRegistrationResponse = message(
  { name: 'ControllerRegistrationResponse', kind: 'response', apiKey: 70, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
  }),
);
export type ControllerRegistrationResponse = MessageOf<typeof ControllerRegistrationResponse>;
