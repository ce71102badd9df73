import { int8, message, type MessageOf } from '../schema.ts';

/** How far a cluster came that once migrated from ZooKeeper. */
export const ZkMigrationStateRecord = message(
  { name: 'ZkMigrationStateRecord', kind: 'metadata', apiKey: 21, versions: '0', flexible: '0+' },
  () => ({
    zkMigrationState: int8('0+'),
  }),
);
export type ZkMigrationStateRecord = MessageOf<typeof ZkMigrationStateRecord>;
