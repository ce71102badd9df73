import { int16, int32, message, string, uuid, type MessageOf } from '../schema.ts';

/** RemoveRaftVoter: removes a voter from the KRaft quorum (KIP-853). */
export const RemoveRaftVoterRequest = message(
  {
    name: 'RemoveRaftVoterRequest',
    kind: 'request',
    apiKey: 81,
    listeners: ['controller', 'broker'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    clusterId: string('0+', { nullable: '0+' }),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
  }),
);
export type RemoveRaftVoterRequest = MessageOf<typeof RemoveRaftVoterRequest>;

/** Answer to `RemoveRaftVoterRequest`. */
export const RemoveRaftVoterResponse = message(
  { name: 'RemoveRaftVoterResponse', kind: 'response', apiKey: 81, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', ignorable: true }),
  }),
);
export type RemoveRaftVoterResponse = MessageOf<typeof RemoveRaftVoterResponse>;
