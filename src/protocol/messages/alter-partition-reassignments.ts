import { array, bool, int16, int32, message, string, structs, type MessageOf } from '../schema.ts';

/** AlterPartitionReassignments: starts or cancels moves of partitions to other brokers (KIP-455). */
export const AlterPartitionReassignmentsRequest = message(
  {
    name: 'AlterPartitionReassignmentsRequest',
    kind: 'request',
    apiKey: 45,
    listeners: ['broker', 'controller'],
    versions: '0-1',
    flexible: '0+',
  },
  () => ({
    timeoutMs: int32('0+', { default: 60000 }),
    allowReplicationFactorChange: bool('1+', { default: true }),
    topics: structs('0+', 'ReassignableTopic', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'ReassignablePartition', {
        partitionIndex: int32('0+'),
        replicas: array('0+', 'int32', { nullable: '0+', default: null, entityType: 'brokerId' }),
      }),
    }),
  }),
);
export type AlterPartitionReassignmentsRequest = MessageOf<typeof AlterPartitionReassignmentsRequest>;

/** Answer to `AlterPartitionReassignmentsRequest`. */
export const AlterPartitionReassignmentsResponse = message(
  {
    name: 'AlterPartitionReassignmentsResponse',
    kind: 'response',
    apiKey: 45,
    versions: '0-1',
    flexible: '0+',
  },
  () => ({
    throttleTimeMs: int32('0+'),
    allowReplicationFactorChange: bool('1+', { default: true, ignorable: true }),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    responses: structs('0+', 'ReassignableTopicResponse', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'ReassignablePartitionResponse', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      }),
    }),
  }),
);
export type AlterPartitionReassignmentsResponse = MessageOf<typeof AlterPartitionReassignmentsResponse>;
