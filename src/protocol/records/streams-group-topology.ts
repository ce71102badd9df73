import { array, commonStruct, int16, int32, message, string, structs, type MessageOf } from '../schema.ts';

/** Key in `__consumer_offsets`, type 23: the topology of a streams group. */
export const StreamsGroupTopologyKey = message(
  { name: 'StreamsGroupTopologyKey', kind: 'coordinator-key', apiKey: 23, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
  }),
);
export type StreamsGroupTopologyKey = MessageOf<typeof StreamsGroupTopologyKey>;

const TopicConfig = commonStruct('TopicConfig', '0+', {
  key: string('0+'),
  value: string('0+'),
});

const TopicInfo = commonStruct('TopicInfo', '0+', {
  name: string('0+'),
  partitions: int32('0+'),
  replicationFactor: int16('0+'),
  topicConfigs: array('0+', TopicConfig),
});

/** Value for a `StreamsGroupTopologyKey`. */
export const StreamsGroupTopologyValue = message(
  { name: 'StreamsGroupTopologyValue', kind: 'coordinator-value', apiKey: 23, versions: '0', flexible: '0+' },
  () => ({
    epoch: int32('0+'),
    subtopologies: structs('0+', 'Subtopology', {
      subtopologyId: string('0+'),
      sourceTopics: array('0+', 'string'),
      sourceTopicRegex: array('0+', 'string'),
      stateChangelogTopics: array('0+', TopicInfo),
      repartitionSinkTopics: array('0+', 'string'),
      repartitionSourceTopics: array('0+', TopicInfo),
      copartitionGroups: structs('0+', 'CopartitionGroup', {
        sourceTopics: array('0+', 'int16'),
        sourceTopicRegex: array('0+', 'int16'),
        repartitionSourceTopics: array('0+', 'int16'),
      }),
    }),
  }),
);
export type StreamsGroupTopologyValue = MessageOf<typeof StreamsGroupTopologyValue>;
