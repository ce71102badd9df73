import { int16, message, type MessageOf } from '../schema.ts';

/** Value of the control record KRAFT_VERSION: the finalized `kraft.version`. */
export const KRaftVersionRecord = message(
  { name: 'KRaftVersionRecord', kind: 'data', versions: '0', flexible: '0+' },
  () => ({
    version: int16('0+'),
    kRaftVersion: int16('0+'),
  }),
);
export type KRaftVersionRecord = MessageOf<typeof KRaftVersionRecord>;
