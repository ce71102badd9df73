import {
  array,
  bool,
  int16,
  int32,
  int8,
  message,
  string,
  structs,
  uuid,
  type MessageOf,
} from '../schema.ts';

/** CreateTopics: creates topics. */
export const CreateTopicsRequest = message(
  {
    name: 'CreateTopicsRequest',
    kind: 'request',
    apiKey: 19,
    listeners: ['broker', 'controller'],
    versions: '2-7',
    flexible: '5+',
  },
  () => ({
    topics: structs('0+', 'CreatableTopic', {
      name: string('0+', { mapKey: true, entityType: 'topicName' }),
      numPartitions: int32('0+'),
      replicationFactor: int16('0+'),
      assignments: structs('0+', 'CreatableReplicaAssignment', {
        partitionIndex: int32('0+', { mapKey: true }),
        brokerIds: array('0+', 'int32', { entityType: 'brokerId' }),
      }),
      configs: structs('0+', 'CreatableTopicConfig', {
        name: string('0+', { mapKey: true }),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    timeoutMs: int32('0+', { default: 60000 }),
    validateOnly: bool('1+', { default: false }),
  }),
);
export type CreateTopicsRequest = MessageOf<typeof CreateTopicsRequest>;

/** Answer to `CreateTopicsRequest`. */
export const CreateTopicsResponse = message(
  { name: 'CreateTopicsResponse', kind: 'response', apiKey: 19, versions: '2-7', flexible: '5+' },
  () => ({
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: structs('0+', 'CreatableTopicResult', {
      name: string('0+', { mapKey: true, entityType: 'topicName' }),
      topicId: uuid('7+', { ignorable: true }),
      errorCode: int16('0+'),
      errorMessage: string('1+', { nullable: '0+', ignorable: true }),
      topicConfigErrorCode: int16('5+', { tag: 0, ignorable: true }),
      numPartitions: int32('5+', { default: -1, ignorable: true }),
      replicationFactor: int16('5+', { default: -1, ignorable: true }),
      configs: structs(
        '5+',
        'CreatableTopicConfigs',
        {
          name: string('5+'),
          value: string('5+', { nullable: '5+' }),
          readOnly: bool('5+'),
          configSource: int8('5+', { default: -1, ignorable: true }),
          isSensitive: bool('5+'),
        },
        { nullable: '5+', ignorable: true },
      ),
    }),
  }),
);
export type CreateTopicsResponse = MessageOf<typeof CreateTopicsResponse>;
