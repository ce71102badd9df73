import { int16, int32, int64, message, structs, uuid, type MessageOf } from '../schema.ts';

/** AssignReplicasToDirs: tells the controller in which log directory replicas lie (KIP-858). */
export const AssignReplicasToDirsRequest = message(
  {
    name: 'AssignReplicasToDirsRequest',
    kind: 'request',
    apiKey: 73,
    listeners: ['controller'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    brokerId: int32('0+', { entityType: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
    directories: structs('0+', 'DirectoryData', {
      id: uuid('0+'),
      topics: structs('0+', 'TopicData', {
        topicId: uuid('0+'),
        partitions: structs('0+', 'PartitionData', { partitionIndex: int32('0+') }),
      }),
    }),
  }),
);
export type AssignReplicasToDirsRequest = MessageOf<typeof AssignReplicasToDirsRequest>;

/** Answer to `AssignReplicasToDirsRequest`. */
export const AssignReplicasToDirsResponse = message(
  { name: 'AssignReplicasToDirsResponse', kind: 'response', apiKey: 73, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    directories: structs('0+', 'DirectoryData', {
      id: uuid('0+'),
      topics: structs('0+', 'TopicData', {
        topicId: uuid('0+'),
        partitions: structs('0+', 'PartitionData', {
          partitionIndex: int32('0+'),
          errorCode: int16('0+'),
        }),
      }),
    }),
  }),
);
export type AssignReplicasToDirsResponse = MessageOf<typeof AssignReplicasToDirsResponse>;
