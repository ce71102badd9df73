import { array, int16, int32, message, string, structs, type MessageOf } from '../schema.ts';

/** ListPartitionReassignments: lists the moves that are under way. */
export const ListPartitionReassignmentsRequest = message(
  {
    name: 'ListPartitionReassignmentsRequest',
    kind: 'request',
    apiKey: 46,
    listeners: ['broker', 'controller'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    timeoutMs: int32('0+', { default: 60000 }),
    topics: structs(
      '0+',
      'ListPartitionReassignmentsTopics',
      {
        name: string('0+', { entityType: 'topicName' }),
        partitionIndexes: array('0+', 'int32'),
      },
      { nullable: '0+', default: null },
    ),
  }),
);
export type ListPartitionReassignmentsRequest = MessageOf<typeof ListPartitionReassignmentsRequest>;

/** Answer to `ListPartitionReassignmentsRequest`. */
export const ListPartitionReassignmentsResponse = message(
  { name: 'ListPartitionReassignmentsResponse', kind: 'response', apiKey: 46, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    topics: structs('0+', 'OngoingTopicReassignment', {
      name: string('0+', { entityType: 'topicName' }),
      partitions: structs('0+', 'OngoingPartitionReassignment', {
        partitionIndex: int32('0+'),
        replicas: array('0+', 'int32', { entityType: 'brokerId' }),
        addingReplicas: array('0+', 'int32', { entityType: 'brokerId' }),
        removingReplicas: array('0+', 'int32', { entityType: 'brokerId' }),
      }),
    }),
  }),
);
export type ListPartitionReassignmentsResponse = MessageOf<typeof ListPartitionReassignmentsResponse>;
