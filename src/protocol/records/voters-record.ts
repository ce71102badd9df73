import { int16, int32, message, nested, string, structs, uint16, uuid, type MessageOf } from '../schema.ts';

/** Value of the control record KRAFT_VOTERS: the quorum's voters with their endpoints. */
export const VotersRecord = message(
  { name: 'VotersRecord', kind: 'data', versions: '0', flexible: '0+' },
  () => ({
    version: int16('0+'),
    voters: structs('0+', 'Voter', {
      voterId: int32('0+', { entityType: 'brokerId' }),
      voterDirectoryId: uuid('0+'),
      endpoints: structs('0+', 'Endpoint', {
        name: string('0+', { mapKey: true }),
        host: string('0+'),
        port: uint16('0+'),
      }),
      kRaftVersionFeature: nested('0+', 'KRaftVersionFeature', {
        minSupportedVersion: int16('0+'),
        maxSupportedVersion: int16('0+'),
      }),
    }),
  }),
);
export type VotersRecord = MessageOf<typeof VotersRecord>;
