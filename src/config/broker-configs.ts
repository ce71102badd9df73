import type { ConfigDefinition, ValueOf } from './definition.ts';
import { groupConfigs } from './tables/groups.ts';
import { kraftConfigs } from './tables/kraft.ts';
import { logConfigs } from './tables/log.ts';
import { networkConfigs } from './tables/network.ts';
import { odradekConfigs } from './tables/odradek.ts';
import { remoteStorageConfigs } from './tables/remote-storage.ts';
import { replicationConfigs } from './tables/replication.ts';
import { securityConfigs } from './tables/security.ts';
import { serverConfigs } from './tables/server.ts';
import { shareGroupConfigs } from './tables/share-groups.ts';
import { transactionConfigs } from './tables/transactions.ts';

/** Every broker config of Kafka 4.2, by name. */
export const kafkaBrokerConfigs = {
  ...serverConfigs,
  ...networkConfigs,
  ...securityConfigs,
  ...logConfigs,
  ...kraftConfigs,
  ...replicationConfigs,
  ...groupConfigs,
  ...shareGroupConfigs,
  ...transactionConfigs,
  ...remoteStorageConfigs,
};

/** Everything that a broker can be configured with: Kafka's configs and Odradek's own. */
export const brokerConfigs = { ...kafkaBrokerConfigs, ...odradekConfigs };

/** A name in `brokerConfigs`. */
export type BrokerConfigName = keyof typeof brokerConfigs;

/** The type of the value of a broker config. */
export type BrokerConfigValue<K extends BrokerConfigName> = ValueOf<(typeof brokerConfigs)[K]>;

const byName: ReadonlyMap<string, ConfigDefinition> = new Map(Object.entries(brokerConfigs));

/** The definition of a broker config, undefined for a name that is none. */
export function brokerConfigByName(name: string): ConfigDefinition | undefined {
  return byName.get(name);
}

/** Names of all broker configs, each part of the table in alphabetical order. */
export function brokerConfigNames(): Iterable<string> {
  return byName.keys();
}
