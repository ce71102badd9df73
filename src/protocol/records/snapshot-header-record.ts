import { int16, int64, message, type MessageOf } from '../schema.ts';

/** Value of the control record SNAPSHOT_HEADER, the first of a snapshot. */
export const SnapshotHeaderRecord = message(
  { name: 'SnapshotHeaderRecord', kind: 'data', versions: '0', flexible: '0+' },
  () => ({
    version: int16('0+'),
    lastContainedLogTimestamp: int64('0+'),
  }),
);
export type SnapshotHeaderRecord = MessageOf<typeof SnapshotHeaderRecord>;
