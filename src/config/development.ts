import { BrokerConfig, type Surroundings } from './broker-config.ts';
import { overlay, type Settings, settingsFrom } from './settings.ts';

/**
 * What a start without `--config` takes in place of a file: one node that is broker and controller, reachable from this machine only, with its data
 * below the working directory. It has no listener for controllers, since it is its quorum alone.
 */
export const DEVELOPMENT_PROFILE: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  listeners: 'PLAINTEXT://127.0.0.1:9092',
  'controller.listener.names': 'CONTROLLER',
  'log.dirs': 'odradek-data',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  'odradek.auto.format': 'true',
};

/** The development profile as the lowest layer of settings. */
export function developmentSettings(): Settings {
  return settingsFrom(DEVELOPMENT_PROFILE, 'development profile');
}

/** A development configuration with `overrides` over it, for embedding and tests: nothing is read from the environment. @throws BrokerError `CONFIG_INVALID` */
export function developmentConfig(
  overrides: Readonly<Record<string, string>>,
  surroundings: Surroundings,
): BrokerConfig {
  return new BrokerConfig(overlay(developmentSettings(), settingsFrom(overrides, 'given')), surroundings);
}
