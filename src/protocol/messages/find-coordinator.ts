import { array, int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** FindCoordinator: finds the broker that coordinates a group, a transactional id or a share-group partition. */
export const FindCoordinatorRequest = message(
  {
    name: 'FindCoordinatorRequest',
    kind: 'request',
    apiKey: 10,
    listeners: ['broker'],
    versions: '0-6',
    flexible: '3+',
  },
  () => ({
    key: string('0-3'),
    keyType: int8('1+', { default: 0 }),
    coordinatorKeys: array('4+', 'string'),
  }),
);
export type FindCoordinatorRequest = MessageOf<typeof FindCoordinatorRequest>;

/** Answer to `FindCoordinatorRequest`. */
export const FindCoordinatorResponse = message(
  { name: 'FindCoordinatorResponse', kind: 'response', apiKey: 10, versions: '0-6', flexible: '3+' },
  () => ({
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0-3'),
    errorMessage: string('1-3', { nullable: '1-3', ignorable: true }),
    nodeId: int32('0-3', { entityType: 'brokerId' }),
    host: string('0-3'),
    port: int32('0-3'),
    coordinators: structs('4+', 'Coordinator', {
      key: string('4+'),
      nodeId: int32('4+', { entityType: 'brokerId' }),
      host: string('4+'),
      port: int32('4+'),
      errorCode: int16('4+'),
      errorMessage: string('4+', { nullable: '4+', ignorable: true }),
    }),
  }),
);
export type FindCoordinatorResponse = MessageOf<typeof FindCoordinatorResponse>;
