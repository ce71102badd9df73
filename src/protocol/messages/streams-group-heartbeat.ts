import {
  array,
  bool,
  commonStruct,
  int16,
  int32,
  int64,
  int8,
  message,
  nested,
  single,
  string,
  structs,
  uint16,
  type MessageOf,
} from '../schema.ts';

const KeyValue = commonStruct('KeyValue', '0+', {
  key: string('0+'),
  value: string('0+'),
});

const TopicInfo = commonStruct('TopicInfo', '0+', {
  name: string('0+', { entityType: 'topicName' }),
  partitions: int32('0+'),
  replicationFactor: int16('0+'),
  topicConfigs: array('0+', KeyValue),
});

const Endpoint = commonStruct('Endpoint', '0+', {
  host: string('0+'),
  port: uint16('0+'),
});

const TaskOffset = commonStruct('TaskOffset', '0+', {
  subtopologyId: string('0+'),
  partition: int32('0+'),
  offset: int64('0+'),
});

const TaskIds = commonStruct('TaskIds', '0+', {
  subtopologyId: string('0+'),
  partitions: array('0+', 'int32'),
});

/** StreamsGroupHeartbeat: joins, leaves and keeps alive a member of a streams group (KIP-1071). */
export const StreamsGroupHeartbeatRequest = message(
  {
    name: 'StreamsGroupHeartbeatRequest',
    kind: 'request',
    apiKey: 88,
    listeners: ['broker'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    groupId: string('0+', { entityType: 'groupId' }),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    endpointInformationEpoch: int32('0+'),
    instanceId: string('0+', { nullable: '0+', default: null }),
    rackId: string('0+', { nullable: '0+', default: null }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    topology: nested(
      '0+',
      'Topology',
      {
        epoch: int32('0+'),
        subtopologies: structs('0+', 'Subtopology', {
          subtopologyId: string('0+'),
          sourceTopics: array('0+', 'string', { entityType: 'topicName' }),
          sourceTopicRegex: array('0+', 'string'),
          stateChangelogTopics: array('0+', TopicInfo),
          repartitionSinkTopics: array('0+', 'string', { entityType: 'topicName' }),
          repartitionSourceTopics: array('0+', TopicInfo),
          copartitionGroups: structs('0+', 'CopartitionGroup', {
            sourceTopics: array('0+', 'int16'),
            sourceTopicRegex: array('0+', 'int16'),
            repartitionSourceTopics: array('0+', 'int16'),
          }),
        }),
      },
      { nullable: '0+', default: null },
    ),
    activeTasks: array('0+', TaskIds, { nullable: '0+', default: null }),
    standbyTasks: array('0+', TaskIds, { nullable: '0+', default: null }),
    warmupTasks: array('0+', TaskIds, { nullable: '0+', default: null }),
    processId: string('0+', { nullable: '0+', default: null }),
    userEndpoint: single('0+', Endpoint, { nullable: '0+', default: null }),
    clientTags: array('0+', KeyValue, { nullable: '0+', default: null }),
    taskOffsets: array('0+', TaskOffset, { nullable: '0+', default: null }),
    taskEndOffsets: array('0+', TaskOffset, { nullable: '0+', default: null }),
    shutdownApplication: bool('0+', { default: false }),
  }),
);
export type StreamsGroupHeartbeatRequest = MessageOf<typeof StreamsGroupHeartbeatRequest>;

const Status = commonStruct('Status', '0+', {
  statusCode: int8('0+'),
  statusDetail: string('0+'),
});

const TopicPartition = commonStruct('TopicPartition', '0+', {
  topic: string('0+', { entityType: 'topicName' }),
  partitions: array('0+', 'int32'),
});

/** Answer to `StreamsGroupHeartbeatRequest`. */
export const StreamsGroupHeartbeatResponse = message(
  { name: 'StreamsGroupHeartbeatResponse', kind: 'response', apiKey: 88, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    heartbeatIntervalMs: int32('0+'),
    acceptableRecoveryLag: int32('0+'),
    taskOffsetIntervalMs: int32('0+'),
    status: array('0+', Status, { nullable: '0+' }),
    activeTasks: array('0+', TaskIds, { nullable: '0+', default: null }),
    standbyTasks: array('0+', TaskIds, { nullable: '0+', default: null }),
    warmupTasks: array('0+', TaskIds, { nullable: '0+', default: null }),
    endpointInformationEpoch: int32('0+'),
    partitionsByUserEndpoint: structs(
      '0+',
      'EndpointToPartitions',
      {
        userEndpoint: single('0+', Endpoint),
        activePartitions: array('0+', TopicPartition),
        standbyPartitions: array('0+', TopicPartition),
      },
      { nullable: '0+', default: null },
    ),
  }),
);
export type StreamsGroupHeartbeatResponse = MessageOf<typeof StreamsGroupHeartbeatResponse>;
