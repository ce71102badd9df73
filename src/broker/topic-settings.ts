import type { BrokerConfig } from '../config/broker-config.ts';
import { resolveTopicConfig } from '../config/topic-config.ts';
import { type ConfigEntries, ConfigResourceType } from '../metadata/configurations-image.ts';
import type { MetadataImage } from '../metadata/metadata-image.ts';
import type { TopicSettings } from './partitions.ts';

/** Topics with configs of their own whose settings are kept at once. */
const MAX_CACHED = 10_000;

/** Effective settings of topics: their own configs over the broker's. Equal inputs are resolved once. */
export class TopicSettingsCache {
  readonly #config: BrokerConfig;
  readonly #defaults: TopicSettings;
  readonly #byTopic = new Map<
    string,
    { readonly entries: ConfigEntries; readonly settings: TopicSettings }
  >();

  constructor(config: BrokerConfig) {
    this.#config = config;
    this.#defaults = resolve(config, new Map());
  }

  /** Settings of a topic as the image has it. */
  of(topic: string, image: MetadataImage): TopicSettings {
    const entries = image.configs.of(ConfigResourceType.TOPIC, topic);
    if (entries.size === 0) return this.#defaults;
    const known = this.#byTopic.get(topic);
    if (known?.entries === entries) return known.settings;
    if (this.#byTopic.size >= MAX_CACHED) this.#byTopic.clear();
    const settings = resolve(this.#config, new Map(entries));
    this.#byTopic.set(topic, { entries, settings });
    return settings;
  }
}

function resolve(config: BrokerConfig, overrides: ReadonlyMap<string, string>): TopicSettings {
  const resolved = resolveTopicConfig(config, overrides);
  return { log: resolved, minInsyncReplicas: resolved.minInsyncReplicas };
}
