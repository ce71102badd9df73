import { bool, int16, int32, message, string, structs, uint16, uuid, type MessageOf } from '../schema.ts';

/** A controller incarnation registered. */
export const RegisterControllerRecord = message(
  { name: 'RegisterControllerRecord', kind: 'metadata', apiKey: 27, versions: '0', flexible: '0+' },
  () => ({
    controllerId: int32('0+'),
    incarnationId: uuid('0+'),
    zkMigrationReady: bool('0+'),
    endPoints: structs('0+', 'ControllerEndpoint', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
      securityProtocol: int16('0+'),
    }),
    features: structs('0+', 'ControllerFeature', {
      name: string('0+', { mapKey: true }),
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
  }),
);
export type RegisterControllerRecord = MessageOf<typeof RegisterControllerRecord>;
