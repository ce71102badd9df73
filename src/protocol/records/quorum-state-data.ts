import { int32, int64, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** The file `quorum-state`, which is JSON with these fields; version 0 without and 1 with dynamic voters. */
export const QuorumStateData = message(
  { name: 'QuorumStateData', kind: 'data', versions: '0-1', flexible: '0+' },
  () => ({
    clusterId: string('0'),
    leaderId: int32('0+', { default: -1 }),
    leaderEpoch: int32('0+', { default: -1 }),
    votedId: int32('0+', { default: -1 }),
    votedDirectoryId: uuid('1+'),
    appliedOffset: int64('0'),
    currentVoters: structs('0', 'Voter', { voterId: int32('0') }, { nullable: '0' }),
  }),
);
export type QuorumStateData = MessageOf<typeof QuorumStateData>;
