import { array, bytes, int32, message, string, structs, type MessageOf } from '../schema.ts';

/**
 * The subscription of one member of a classic group with protocol type `consumer`, inside JoinGroup. A version
 * prefix int16 stands before it.
 */
export const ConsumerProtocolSubscription = message(
  { name: 'ConsumerProtocolSubscription', kind: 'data', versions: '0-3', flexible: 'none' },
  () => ({
    topics: array('0+', 'string'),
    userData: bytes('0+', { nullable: '0+', default: null, zeroCopy: true }),
    ownedPartitions: structs(
      '1+',
      'TopicPartition',
      {
        topic: string('1+', { mapKey: true, entityType: 'topicName' }),
        partitions: array('1+', 'int32'),
      },
      { ignorable: true },
    ),
    generationId: int32('2+', { default: -1, ignorable: true }),
    rackId: string('3+', { nullable: '3+', default: null, ignorable: true }),
  }),
);
export type ConsumerProtocolSubscription = MessageOf<typeof ConsumerProtocolSubscription>;
