import { int16, message, type MessageOf } from '../schema.ts';

/** Value of the control record SNAPSHOT_FOOTER, the last of a snapshot. */
export const SnapshotFooterRecord = message(
  { name: 'SnapshotFooterRecord', kind: 'data', versions: '0', flexible: '0+' },
  () => ({
    version: int16('0+'),
  }),
);
export type SnapshotFooterRecord = MessageOf<typeof SnapshotFooterRecord>;
