import {
  type ConfigEntries,
  ConfigResourceType,
  type ConfigurationsImage,
} from '../metadata/configurations-image.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { brokerConfigs } from '../config/broker-configs.ts';
import { type ConfigDefinition, checkText, defaultOf } from '../config/definition.ts';
import { clientMetricsConfigs } from '../config/tables/client-metrics.ts';
import { dynamicGroupConfigs } from '../config/tables/group.ts';
import { type TopicConfigDefinition, topicConfigs } from '../config/tables/topic.ts';
import { isTopicConfig, topicConfigValue, validateTopicConfigs } from '../config/topic-config.ts';

/** Where the value of a config comes from, formats §30. */
export const ConfigSource = {
  TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
} as const;

/** A config in force, as answers show it. */
export interface DescribedConfig {
  readonly name: string;
  readonly value: string | null;
  /** One of `ConfigSource`. */
  readonly configSource: number;
  readonly readOnly: boolean;
  readonly isSensitive: boolean;
}

/** Name of the config that decides how small an ISR still takes writes. */
export const MIN_INSYNC_REPLICAS = 'min.insync.replicas';

/**
 * What the controller knows of configs: the definitions, the static values of this node, and over them the dynamic values of the image it is
 * given at each call.
 */
export class ConfigRules {
  readonly #broker: BrokerConfig;

  constructor(broker: BrokerConfig) {
    this.#broker = broker;
  }

  /** `num.partitions`. */
  get defaultPartitionCount(): number {
    return this.#broker.get('num.partitions');
  }

  /** `default.replication.factor`. */
  get defaultReplicationFactor(): number {
    return this.#broker.get('default.replication.factor');
  }

  /** `min.insync.replicas` of this node, static. */
  get staticMinInsyncReplicas(): number {
    return this.#broker.get(MIN_INSYNC_REPLICAS);
  }

  /** `broker.session.timeout.ms`. */
  get brokerSessionTimeoutMs(): number {
    return this.#broker.get('broker.session.timeout.ms');
  }

  /** `delete.topic.enable`. */
  get deleteTopicEnable(): boolean {
    return this.#broker.get('delete.topic.enable');
  }

  /** Checks all dynamic configs of a resource together; returns what is wrong, for the client, or null. */
  validate(type: number, name: string, entries: ReadonlyMap<string, string>): string | null {
    switch (type) {
      case ConfigResourceType.TOPIC:
        return validateTopicConfigs(this.#broker, entries);
      case ConfigResourceType.BROKER:
        return validateBrokerConfigs(name, entries);
      case ConfigResourceType.GROUP:
        return validateTable(dynamicGroupConfigs, 'group', entries);
      case ConfigResourceType.CLIENT_METRICS:
        return validateTable(clientMetricsConfigs, 'client metrics', entries);
      default:
        return `Unexpected resource type ${type}.`;
    }
  }

  /** True for a config whose value is a list that can be appended to. */
  isList(type: number, name: string): boolean {
    return definitionOf(type, name)?.type === 'LIST';
  }

  /** What a list config holds without a dynamic value of its own: its default. */
  defaultList(type: number, name: string): string[] {
    const definition = definitionOf(type, name);
    const value = definition === undefined ? null : (defaultOf(definition)?.value ?? null);
    return Array.isArray(value) ? (value as string[]) : [];
  }

  /** Every config of a topic that is not internal, with its value and where that comes from. */
  describeTopic(configs: ConfigurationsImage, own: ConfigEntries): DescribedConfig[] {
    const described: DescribedConfig[] = [];
    for (const [name, definition] of Object.entries<TopicConfigDefinition>(topicConfigs)) {
      if (definition.internal) continue;
      described.push({
        name,
        ...this.#effective(configs, own, name, definition),
        readOnly: false,
        isSensitive: definition.type === 'PASSWORD',
      });
    }
    return described.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The value of a topic config as a number. */
  topicNumber(configs: ConfigurationsImage, topic: string, name: 'min.insync.replicas'): number {
    return Number(this.#topicText(configs, topic, name));
  }

  /** The value of a topic config as a boolean. */
  topicBoolean(configs: ConfigurationsImage, topic: string, name: 'unclean.leader.election.enable'): boolean {
    return this.#topicText(configs, topic, name) === 'true';
  }

  #topicText(configs: ConfigurationsImage, topic: string, name: string): string | null {
    const own = configs.of(ConfigResourceType.TOPIC, topic);
    return this.#effective(configs, own, name, topicConfigs[name as keyof typeof topicConfigs]).value;
  }

  /** The topic's own value, else the cluster's dynamic one, else this node's. */
  #effective(
    configs: ConfigurationsImage,
    own: ConfigEntries,
    name: string,
    definition: TopicConfigDefinition,
  ): { value: string | null; configSource: number } {
    const topicValue = own.get(name);
    if (topicValue !== undefined) return { value: topicValue, configSource: ConfigSource.TOPIC };
    const cluster = configs.of(ConfigResourceType.BROKER, '');
    for (const serverDefault of definition.serverDefaults) {
      const value = cluster.get(serverDefault);
      if (value !== undefined) return { value, configSource: ConfigSource.DYNAMIC_DEFAULT_BROKER };
    }
    const value = isTopicConfig(name) ? topicConfigValue(this.#broker, NO_OVERRIDES, name).text : null;
    const isSet = definition.serverDefaults.some((serverDefault) => this.#broker.isSet(serverDefault));
    return { value, configSource: isSet ? ConfigSource.STATIC_BROKER : ConfigSource.DEFAULT };
  }
}

const NO_OVERRIDES: ReadonlyMap<string, string> = new Map();

function definitionOf(type: number, name: string): ConfigDefinition | undefined {
  const table: Readonly<Record<string, ConfigDefinition>> =
    type === ConfigResourceType.TOPIC
      ? topicConfigs
      : type === ConfigResourceType.GROUP
        ? dynamicGroupConfigs
        : type === ConfigResourceType.CLIENT_METRICS
          ? clientMetricsConfigs
          : brokerConfigs;
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Broker configs can be set dynamically only as far as their update mode allows; `listener.name.…` ones are the broker's to judge. */
function validateBrokerConfigs(brokerId: string, entries: ReadonlyMap<string, string>): string | null {
  for (const [name, text] of entries) {
    if (name.startsWith('listener.name.')) continue;
    const definition = definitionOf(ConfigResourceType.BROKER, name);
    if (definition === undefined) continue; // Kafka keeps configs it does not know: a plugin may.
    if (definition.updateMode === 'read-only') return `Cannot update these configs dynamically: ${name}`;
    if (definition.updateMode === 'per-broker' && brokerId === '') {
      return `Cannot update these configs at default cluster level: ${name}`;
    }
    const { problem } = checkText(definition, text);
    if (problem !== null) return `Invalid value ${text} for configuration ${name}; ${problem}`;
  }
  return null;
}

function validateTable(
  table: Readonly<Record<string, ConfigDefinition>>,
  kind: string,
  entries: ReadonlyMap<string, string>,
): string | null {
  for (const [name, text] of entries) {
    const definition = Object.hasOwn(table, name) ? table[name] : undefined;
    if (definition === undefined) return `Unknown ${kind} config name: ${name}`;
    const { problem } = checkText(definition, text);
    if (problem !== null) return `Invalid value ${text} for configuration ${name}; ${problem}`;
  }
  return null;
}
