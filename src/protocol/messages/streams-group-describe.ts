import {
  array,
  bool,
  commonStruct,
  int16,
  int32,
  int64,
  message,
  nested,
  single,
  string,
  structs,
  uint16,
  type MessageOf,
} from '../schema.ts';

/** StreamsGroupDescribe: describes streams groups (KIP-1071). */
export const StreamsGroupDescribeRequest = message(
  {
    name: 'StreamsGroupDescribeRequest',
    kind: 'request',
    apiKey: 89,
    listeners: ['broker'],
    versions: '0',
    flexible: '0+',
  },
  () => ({
    groupIds: array('0+', 'string', { entityType: 'groupId' }),
    includeAuthorizedOperations: bool('0+'),
  }),
);
export type StreamsGroupDescribeRequest = MessageOf<typeof StreamsGroupDescribeRequest>;

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

const Assignment = commonStruct('Assignment', '0+', {
  activeTasks: array('0+', TaskIds),
  standbyTasks: array('0+', TaskIds),
  warmupTasks: array('0+', TaskIds),
});

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

/** Answer to `StreamsGroupDescribeRequest`. */
export const StreamsGroupDescribeResponse = message(
  { name: 'StreamsGroupDescribeResponse', kind: 'response', apiKey: 89, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    groups: structs('0+', 'DescribedGroup', {
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
      groupId: string('0+', { entityType: 'groupId' }),
      groupState: string('0+'),
      groupEpoch: int32('0+'),
      assignmentEpoch: int32('0+'),
      topology: nested(
        '0+',
        'Topology',
        {
          epoch: int32('0+'),
          subtopologies: structs(
            '0+',
            'Subtopology',
            {
              subtopologyId: string('0+'),
              sourceTopics: array('0+', 'string', { entityType: 'topicName' }),
              repartitionSinkTopics: array('0+', 'string', { entityType: 'topicName' }),
              stateChangelogTopics: array('0+', TopicInfo),
              repartitionSourceTopics: array('0+', TopicInfo),
            },
            { nullable: '0+', default: null },
          ),
        },
        { nullable: '0+', default: null },
      ),
      members: structs('0+', 'Member', {
        memberId: string('0+'),
        memberEpoch: int32('0+'),
        instanceId: string('0+', { nullable: '0+', default: null }),
        rackId: string('0+', { nullable: '0+', default: null }),
        clientId: string('0+'),
        clientHost: string('0+'),
        topologyEpoch: int32('0+'),
        processId: string('0+'),
        userEndpoint: single('0+', Endpoint, { nullable: '0+', default: null }),
        clientTags: array('0+', KeyValue),
        taskOffsets: array('0+', TaskOffset),
        taskEndOffsets: array('0+', TaskOffset),
        assignment: single('0+', Assignment),
        targetAssignment: single('0+', Assignment),
        isClassic: bool('0+'),
      }),
      authorizedOperations: int32('0+', { default: -2147483648 }),
    }),
  }),
);
export type StreamsGroupDescribeResponse = MessageOf<typeof StreamsGroupDescribeResponse>;
