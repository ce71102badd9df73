import { bool, int16, int32, message, string, structs, uint16, uuid, type MessageOf } from '../schema.ts';

/** AddRaftVoter: adds a voter to the KRaft quorum (KIP-853). */
export const AddRaftVoterRequest = message(
  {
    name: 'AddRaftVoterRequest',
    kind: 'request',
    apiKey: 80,
    listeners: ['controller', 'broker'],
    versions: '0-1',
    flexible: '0+',
  },
  () => ({
    clusterId: string('0+', { nullable: '0+' }),
    timeoutMs: int32('0+'),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
    listeners: structs('0+', 'Listener', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
    }),
    ackWhenCommitted: bool('1+', { default: true }),
  }),
);
export type AddRaftVoterRequest = MessageOf<typeof AddRaftVoterRequest>;

/** Answer to `AddRaftVoterRequest`. */
export const AddRaftVoterResponse = message(
  { name: 'AddRaftVoterResponse', kind: 'response', apiKey: 80, versions: '0-1', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', ignorable: true }),
  }),
);
export type AddRaftVoterResponse = MessageOf<typeof AddRaftVoterResponse>;
