import type { BrokerConfig } from '../config/broker-config.ts';
import { type TopicConfigDefinition, topicConfigs } from '../config/tables/topic.ts';
import { resolveTopicConfig } from '../config/topic-config.ts';
import { type ConfigEntries, ConfigResourceType } from '../metadata/configurations-image.ts';
import type { MetadataImage } from '../metadata/metadata-image.ts';
import type { TopicSettings } from './partitions.ts';

/** Topics with configs of their own whose settings are kept at once. */
const MAX_CACHED = 10_000;

/** Effective settings of topics: their own configs over those set for all brokers over this broker's. Equal inputs are resolved once. */
export class TopicSettingsCache {
  readonly #config: BrokerConfig;
  readonly #byTopic = new Map<
    string,
    { readonly entries: ConfigEntries; readonly settings: TopicSettings }
  >();
  /** Configs set for all brokers, and what they mean for topics. */
  #cluster: ConfigEntries | null = null;
  #clusterOverrides: ReadonlyMap<string, string> = new Map();
  #defaults: TopicSettings;

  constructor(config: BrokerConfig) {
    this.#config = config;
    this.#defaults = resolve(config, new Map());
  }

  /** Settings of a topic as the image has it. */
  of(topic: string, image: MetadataImage): TopicSettings {
    this.#followCluster(image.configs.of(ConfigResourceType.BROKER, ''));
    const entries = image.configs.of(ConfigResourceType.TOPIC, topic);
    if (entries.size === 0) return this.#defaults;
    const known = this.#byTopic.get(topic);
    if (known?.entries === entries) return known.settings;
    if (this.#byTopic.size >= MAX_CACHED) this.#byTopic.clear();
    const settings = resolve(this.#config, new Map([...this.#clusterOverrides, ...entries]));
    this.#byTopic.set(topic, { entries, settings });
    return settings;
  }

  #followCluster(cluster: ConfigEntries): void {
    if (this.#cluster === cluster) return;
    this.#cluster = cluster;
    const overrides = new Map<string, string>();
    for (const [name, { serverDefaults }] of Object.entries<TopicConfigDefinition>(topicConfigs)) {
      const brokerName = serverDefaults.find((candidate) => cluster.has(candidate));
      const text = brokerName === undefined ? undefined : cluster.get(brokerName);
      if (text !== undefined) overrides.set(name, text);
    }
    this.#clusterOverrides = overrides;
    this.#defaults = resolve(this.#config, overrides);
    this.#byTopic.clear();
  }
}

function resolve(config: BrokerConfig, overrides: ReadonlyMap<string, string>): TopicSettings {
  const resolved = resolveTopicConfig(config, overrides);
  return { log: resolved, minInsyncReplicas: resolved.minInsyncReplicas };
}
