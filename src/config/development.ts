import { BrokerConfig, type Surroundings } from './broker-config.ts';
import { overlay, type Settings, settingsFrom } from './settings.ts';

/**
 * What a start without `--config` takes in place of a file: one node that is broker and controller, reachable from this machine only, with
 * its data
 * below the working directory. It has no listener for controllers, since it is its quorum alone.
 */
export const DEVELOPMENT_PROFILE: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  listeners: 'PLAINTEXT://127.0.0.1:9092',
  'controller.listener.names': 'CONTROLLER',
  'log.dir': 'odradek-data',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  'odradek.auto.format': 'true',
};

/** The development profile as the lowest layer; `above` it lies what users gave, which may name this node in the former way. */
export function developmentSettings(above: Settings): Settings {
  const settings = new Map(settingsFrom(DEVELOPMENT_PROFILE, 'development profile'));
  if (above.has('broker.id') && !above.has('node.id')) settings.delete('node.id');
  return settings;
}

/**
 * A development configuration with `overrides` over it, for embedding and tests: nothing is read from the environment. @throws
 * BrokerError `CONFIG_INVALID`
 */
export function developmentConfig(
  overrides: Readonly<Record<string, string>>,
  surroundings: Surroundings,
): BrokerConfig {
  const given = settingsFrom(overrides, 'given');
  return new BrokerConfig(overlay(developmentSettings(given), given), surroundings);
}
