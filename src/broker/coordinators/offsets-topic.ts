import type { BrokerConfig } from '../../config/broker-config.ts';
import type { InternalTopicSettings } from '../auto-creation.ts';
import { GROUP_METADATA_TOPIC } from '../internal-topics.ts';

/** How the topic of groups and offsets is made (formats §18). */
export function offsetsTopicSettings(config: BrokerConfig): InternalTopicSettings {
  return {
    name: GROUP_METADATA_TOPIC,
    partitionCount: config.get('offsets.topic.num.partitions'),
    replicationFactor: config.get('offsets.topic.replication.factor'),
    configs: {
      'cleanup.policy': 'compact',
      'segment.bytes': String(config.get('offsets.topic.segment.bytes')),
      'compression.type': 'producer',
    },
  };
}
