import { array, bytes, message, string, structs, type MessageOf } from '../schema.ts';

/**
 * The assignment of one member of a classic group with protocol type `consumer`, inside SyncGroup. A version
 * prefix int16 stands before it.
 */
export const ConsumerProtocolAssignment = message(
  { name: 'ConsumerProtocolAssignment', kind: 'data', versions: '0-3', flexible: 'none' },
  () => ({
    assignedPartitions: structs('0+', 'TopicPartition', {
      topic: string('0+', { mapKey: true, entityType: 'topicName' }),
      partitions: array('0+', 'int32'),
    }),
    userData: bytes('0+', { nullable: '0+', default: null, zeroCopy: true }),
  }),
);
export type ConsumerProtocolAssignment = MessageOf<typeof ConsumerProtocolAssignment>;
