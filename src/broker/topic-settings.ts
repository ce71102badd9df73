import type { BrokerConfig } from '../config/broker-config.ts';
import { type TopicConfigDefinition, topicConfigs } from '../config/tables/topic.ts';
import { resolveTopicConfig } from '../config/topic-config.ts';
import { type ConfigEntries, ConfigResourceType } from '../metadata/configurations-image.ts';
import type { MetadataImage } from '../metadata/metadata-image.ts';
import type { TopicSettings } from './partitions.ts';

/** Topics with configs of their own whose settings are kept at once. */
const MAX_CACHED = 10_000;

/** Effective settings of topics: their own configs over those set for brokers while they run over this broker's file. Equal inputs are resolved once. */
export class TopicSettingsCache {
  readonly #config: BrokerConfig;
  readonly #byTopic = new Map<
    string,
    { readonly entries: ConfigEntries; readonly settings: TopicSettings }
  >();
  /** Configs set for all brokers and for this one while they run, and what they mean for topics. */
  #cluster: ConfigEntries | null = null;
  #broker: ConfigEntries | null = null;
  #dynamicOverrides: ReadonlyMap<string, string> = new Map();
  #defaults: TopicSettings;

  constructor(config: BrokerConfig) {
    this.#config = config;
    this.#defaults = resolve(config, new Map());
  }

  /** Settings of a topic as the image has it. */
  of(topic: string, image: MetadataImage): TopicSettings {
    this.#followDynamic(
      image.configs.of(ConfigResourceType.BROKER, ''),
      image.configs.of(ConfigResourceType.BROKER, String(this.#config.nodeId)),
    );
    const entries = image.configs.of(ConfigResourceType.TOPIC, topic);
    if (entries.size === 0) return this.#defaults;
    const known = this.#byTopic.get(topic);
    if (known?.entries === entries) return known.settings;
    if (this.#byTopic.size >= MAX_CACHED) this.#byTopic.clear();
    const settings = resolve(this.#config, new Map([...this.#dynamicOverrides, ...entries]));
    this.#byTopic.set(topic, { entries, settings });
    return settings;
  }

  #followDynamic(cluster: ConfigEntries, broker: ConfigEntries): void {
    if (this.#cluster === cluster && this.#broker === broker) return;
    this.#cluster = cluster;
    this.#broker = broker;
    const overrides = new Map<string, string>();
    for (const [name, { serverDefaults }] of Object.entries<TopicConfigDefinition>(topicConfigs)) {
      for (const brokerName of serverDefaults) {
        const text = broker.get(brokerName) ?? cluster.get(brokerName);
        if (text !== undefined && !overrides.has(name)) overrides.set(name, text);
      }
    }
    this.#dynamicOverrides = overrides;
    this.#defaults = resolve(this.#config, overrides);
    this.#byTopic.clear();
  }
}

function resolve(config: BrokerConfig, overrides: ReadonlyMap<string, string>): TopicSettings {
  const resolved = resolveTopicConfig(config, overrides);
  return { log: resolved, minInsyncReplicas: resolved.minInsyncReplicas };
}
