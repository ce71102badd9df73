import { array, int16, int32, message, string, structs, type MessageOf } from '../schema.ts';

/** AlterReplicaLogDirs: moves replicas between the log directories of a broker. */
export const AlterReplicaLogDirsRequest = message(
  {
    name: 'AlterReplicaLogDirsRequest',
    kind: 'request',
    apiKey: 34,
    listeners: ['broker'],
    versions: '1-2',
    flexible: '2+',
  },
  () => ({
    dirs: structs('0+', 'AlterReplicaLogDir', {
      path: string('0+', { mapKey: true }),
      topics: structs('0+', 'AlterReplicaLogDirTopic', {
        name: string('0+', { mapKey: true, entityType: 'topicName' }),
        partitions: array('0+', 'int32'),
      }),
    }),
  }),
);
export type AlterReplicaLogDirsRequest = MessageOf<typeof AlterReplicaLogDirsRequest>;

/** Answer to `AlterReplicaLogDirsRequest`. */
export const AlterReplicaLogDirsResponse = message(
  { name: 'AlterReplicaLogDirsResponse', kind: 'response', apiKey: 34, versions: '1-2', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    results: structs('0+', 'AlterReplicaLogDirTopicResult', {
      topicName: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'AlterReplicaLogDirPartitionResult', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  }),
);
export type AlterReplicaLogDirsResponse = MessageOf<typeof AlterReplicaLogDirsResponse>;
