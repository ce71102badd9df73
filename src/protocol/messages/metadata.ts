import { array, bool, int16, int32, message, string, structs, uuid, type MessageOf } from '../schema.ts';

/** Metadata: asks for brokers, topics, partitions and their leaders; may create the topics it names. */
export const MetadataRequest = message(
  {
    name: 'MetadataRequest',
    kind: 'request',
    apiKey: 3,
    listeners: ['broker'],
    versions: '0-13',
    flexible: '9+',
  },
  () => ({
    topics: structs(
      '0+',
      'MetadataRequestTopic',
      {
        topicId: uuid('10+', { ignorable: true }),
        name: string('0+', { nullable: '10+', entityType: 'topicName' }),
      },
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: bool('4+', { default: true }),
    includeClusterAuthorizedOperations: bool('8-10'),
    includeTopicAuthorizedOperations: bool('8+'),
  }),
);
export type MetadataRequest = MessageOf<typeof MetadataRequest>;

/** Answer to `MetadataRequest`. */
export const MetadataResponse = message(
  { name: 'MetadataResponse', kind: 'response', apiKey: 3, versions: '0-13', flexible: '9+' },
  () => ({
    throttleTimeMs: int32('3+', { ignorable: true }),
    brokers: structs('0+', 'MetadataResponseBroker', {
      nodeId: int32('0+', { mapKey: true, entityType: 'brokerId' }),
      host: string('0+'),
      port: int32('0+'),
      rack: string('1+', { nullable: '1+', default: null, ignorable: true }),
    }),
    clusterId: string('2+', { nullable: '2+', default: null, ignorable: true }),
    controllerId: int32('1+', { default: -1, ignorable: true, entityType: 'brokerId' }),
    topics: structs('0+', 'MetadataResponseTopic', {
      errorCode: int16('0+'),
      name: string('0+', { nullable: '12+', mapKey: true, entityType: 'topicName' }),
      topicId: uuid('10+', { ignorable: true }),
      isInternal: bool('1+', { default: false, ignorable: true }),
      partitions: structs('0+', 'MetadataResponsePartition', {
        errorCode: int16('0+'),
        partitionIndex: int32('0+'),
        leaderId: int32('0+', { entityType: 'brokerId' }),
        leaderEpoch: int32('7+', { default: -1, ignorable: true }),
        replicaNodes: array('0+', 'int32', { entityType: 'brokerId' }),
        isrNodes: array('0+', 'int32', { entityType: 'brokerId' }),
        offlineReplicas: array('5+', 'int32', { ignorable: true, entityType: 'brokerId' }),
      }),
      topicAuthorizedOperations: int32('8+', { default: -2147483648 }),
    }),
    clusterAuthorizedOperations: int32('8-10', { default: -2147483648 }),
    errorCode: int16('13+', { ignorable: true }),
  }),
);
export type MetadataResponse = MessageOf<typeof MetadataResponse>;
