import { array, bool, int16, int32, message, string, structs, type MessageOf } from '../schema.ts';

/** CreatePartitions: adds partitions to topics. */
export const CreatePartitionsRequest = message(
  {
    name: 'CreatePartitionsRequest',
    kind: 'request',
    apiKey: 37,
    listeners: ['broker', 'controller'],
    versions: '0-3',
    flexible: '2+',
  },
  () => ({
    topics: structs('0+', 'CreatePartitionsTopic', {
      name: string('0+', { mapKey: true, entityType: 'topicName' }),
      count: int32('0+'),
      assignments: structs(
        '0+',
        'CreatePartitionsAssignment',
        { brokerIds: array('0+', 'int32', { entityType: 'brokerId' }) },
        { nullable: '0+' },
      ),
    }),
    timeoutMs: int32('0+'),
    validateOnly: bool('0+'),
  }),
);
export type CreatePartitionsRequest = MessageOf<typeof CreatePartitionsRequest>;

/** Answer to `CreatePartitionsRequest`. */
export const CreatePartitionsResponse = message(
  { name: 'CreatePartitionsResponse', kind: 'response', apiKey: 37, versions: '0-3', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    results: structs('0+', 'CreatePartitionsTopicResult', {
      name: string('0+', { entityType: 'topicName' }),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  }),
);
export type CreatePartitionsResponse = MessageOf<typeof CreatePartitionsResponse>;
