import { array, int16, int32, int64, int8, message, structs, uuid, type MessageOf } from '../schema.ts';

/** AlterPartition: asks the controller to change a partition's in-sync replicas (KIP-497). */
export const AlterPartitionRequest = message(
  {
    name: 'AlterPartitionRequest',
    kind: 'request',
    apiKey: 56,
    listeners: ['controller'],
    versions: '2-3',
    flexible: '0+',
  },
  () => ({
    brokerId: int32('0+', { entityType: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
    topics: structs('0+', 'TopicData', {
      topicId: uuid('2+', { ignorable: true }),
      partitions: structs('0+', 'PartitionData', {
        partitionIndex: int32('0+'),
        leaderEpoch: int32('0+'),
        newIsr: array('0-2', 'int32', { entityType: 'brokerId' }),
        newIsrWithEpochs: structs('3+', 'BrokerState', {
          brokerId: int32('3+', { entityType: 'brokerId' }),
          brokerEpoch: int64('3+', { default: -1 }),
        }),
        leaderRecoveryState: int8('1+', { default: 0 }),
        partitionEpoch: int32('0+'),
      }),
    }),
  }),
);
export type AlterPartitionRequest = MessageOf<typeof AlterPartitionRequest>;

/** Answer to `AlterPartitionRequest`. */
export const AlterPartitionResponse = message(
  { name: 'AlterPartitionResponse', kind: 'response', apiKey: 56, versions: '2-3', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    topics: structs('0+', 'TopicData', {
      topicId: uuid('2+', { ignorable: true }),
      partitions: structs('0+', 'PartitionData', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        leaderId: int32('0+', { entityType: 'brokerId' }),
        leaderEpoch: int32('0+'),
        isr: array('0+', 'int32', { entityType: 'brokerId' }),
        leaderRecoveryState: int8('1+', { default: 0, ignorable: true }),
        partitionEpoch: int32('0+'),
      }),
    }),
  }),
);
export type AlterPartitionResponse = MessageOf<typeof AlterPartitionResponse>;
