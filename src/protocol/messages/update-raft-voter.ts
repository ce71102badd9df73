import { int16, int32, message, nested, string, structs, uint16, uuid, type MessageOf } from '../schema.ts';

/** UpdateRaftVoter: updates endpoints and versions of a voter (KIP-853). */
export const UpdateRaftVoterRequest = message(
  {
    name: 'UpdateRaftVoterRequest',
    kind: 'request',
    apiKey: 82,
    listeners: ['controller'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    clusterId: string('0+', { nullable: '0+' }),
    currentLeaderEpoch: int32('0+'),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
    listeners: structs('0+', 'Listener', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
    }),
    kRaftVersionFeature: nested('0+', 'KRaftVersionFeature', {
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
  }),
);
export type UpdateRaftVoterRequest = MessageOf<typeof UpdateRaftVoterRequest>;

/** Answer to `UpdateRaftVoterRequest`. */
export const UpdateRaftVoterResponse = message(
  { name: 'UpdateRaftVoterResponse', kind: 'response', apiKey: 82, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    currentLeader: nested(
      '0+',
      'CurrentLeader',
      {
        leaderId: int32('0+', { default: -1, entityType: 'brokerId' }),
        leaderEpoch: int32('0+', { default: -1 }),
        host: string('0+'),
        port: int32('0+'),
      },
      { tag: 0 },
    ),
  }),
);
export type UpdateRaftVoterResponse = MessageOf<typeof UpdateRaftVoterResponse>;
