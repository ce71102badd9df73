import { array, int16, int32, int8, message, string, structs, type MessageOf } from '../schema.ts';

/** ElectLeaders: triggers preferred or unclean leader elections. */
export const ElectLeadersRequest = message(
  {
    name: 'ElectLeadersRequest',
    kind: 'request',
    apiKey: 43,
    listeners: ['broker', 'controller'],
    versions: '0-2',
    flexible: '2+',
  },
  () => ({
    electionType: int8('1+'),
    topicPartitions: structs(
      '0+',
      'TopicPartitions',
      {
        topic: string('0+', { mapKey: true, entityType: 'topicName' }),
        partitions: array('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
    timeoutMs: int32('0+', { default: 60000 }),
  }),
);
export type ElectLeadersRequest = MessageOf<typeof ElectLeadersRequest>;

/** Answer to `ElectLeadersRequest`. */
export const ElectLeadersResponse = message(
  { name: 'ElectLeadersResponse', kind: 'response', apiKey: 43, versions: '0-2', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('1+'),
    replicaElectionResults: structs('0+', 'ReplicaElectionResult', {
      topic: string('0+', { entityType: 'topicName' }),
      partitionResult: structs('0+', 'PartitionResult', {
        partitionId: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      }),
    }),
  }),
);
export type ElectLeadersResponse = MessageOf<typeof ElectLeadersResponse>;
