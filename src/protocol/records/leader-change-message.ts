import { array, commonStruct, int16, int32, message, uuid, type MessageOf } from '../schema.ts';

const Voter = commonStruct('Voter', '0+', {
  voterId: int32('0+'),
  voterDirectoryId: uuid('1+'),
});

/** Value of the control record LEADER_CHANGE, the first of every epoch. */
export const LeaderChangeMessage = message(
  { name: 'LeaderChangeMessage', kind: 'data', versions: '0-1', flexible: '0+' },
  () => ({
    version: int16('0+'),
    leaderId: int32('0+', { entityType: 'brokerId' }),
    voters: array('0+', Voter),
    grantingVoters: array('0+', Voter),
  }),
);
export type LeaderChangeMessage = MessageOf<typeof LeaderChangeMessage>;
