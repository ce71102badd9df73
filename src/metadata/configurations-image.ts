import { type MutableMap, PersistentMap } from '../base/timeline-map.ts';
import type { ConfigRecord } from '../protocol/records/config-record.ts';
import { type MetadataRecord, metadataRecord } from './metadata-record.ts';

/** Config resource types, formats §30. */
export const ConfigResourceType = {
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const;

/** What a config belongs to: a topic, a broker (name '' for all brokers), a client metrics subscription, a group. */
export interface ConfigResource {
  readonly type: number;
  readonly name: string;
}

/** Config names and values of one resource, only those set dynamically. */
export type ConfigEntries = PersistentMap<string, string>;

const NO_ENTRIES: ConfigEntries = PersistentMap.empty();

/** All dynamic configs, immutable. */
export class ConfigurationsImage {
  /** No config. */
  static readonly EMPTY = new ConfigurationsImage(PersistentMap.empty());

  /** Entries by `configResourceKey`; a resource without entries is not here. */
  readonly resources: PersistentMap<string, ConfigEntries>;

  constructor(resources: PersistentMap<string, ConfigEntries>) {
    this.resources = resources;
  }

  /** Entries of a resource, possibly none. */
  of(type: number, name: string): ConfigEntries {
    return this.resources.get(configResourceKey(type, name)) ?? NO_ENTRIES;
  }

  /** Records that make this state. */
  *toRecords(): IterableIterator<MetadataRecord> {
    for (const [key, entries] of this.resources) {
      const { type, name } = parseConfigResourceKey(key);
      for (const config of [...entries.keys()].sort()) {
        yield metadataRecord('ConfigRecord', {
          resourceType: type,
          resourceName: name,
          name: config,
          value: entries.get(config) as string,
        });
      }
    }
  }
}

/** What changed of the configs. */
export class ConfigurationsDelta {
  /** Keys (`configResourceKey`) of the resources that changed. */
  readonly changedResources = new Set<string>();
  readonly #resources: MutableMap<string, ConfigEntries>;

  constructor(image: ConfigurationsImage) {
    this.#resources = image.resources.toMutable();
  }

  /** A config was set, or removed by the value null. */
  replay(record: Readonly<ConfigRecord>): void {
    const key = configResourceKey(record.resourceType, record.resourceName);
    const before = this.#resources.get(key) ?? NO_ENTRIES;
    const entries =
      record.value === null ? before.delete(record.name) : before.set(record.name, record.value);
    if (entries.size === 0) this.#resources.delete(key);
    else this.#resources.set(key, entries);
    this.changedResources.add(key);
  }

  /** A topic was removed: its configs go with it. */
  removeTopic(name: string): void {
    const key = configResourceKey(ConfigResourceType.TOPIC, name);
    if (this.#resources.delete(key)) this.changedResources.add(key);
  }

  /** The configs with the changes. */
  apply(): ConfigurationsImage {
    return new ConfigurationsImage(this.#resources.freeze());
  }
}

/** One text for a config resource, such as `2:orders`. */
export function configResourceKey(type: number, name: string): string {
  return `${type}:${name}`;
}

/** The resource that `configResourceKey` made the key of. */
export function parseConfigResourceKey(key: string): ConfigResource {
  const colon = key.indexOf(':');
  return { type: Number(key.slice(0, colon)), name: key.slice(colon + 1) };
}
