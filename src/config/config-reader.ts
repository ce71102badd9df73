import type { BrokerConfigName, BrokerConfigValue } from './broker-configs.ts';

/** Typed reading of broker configs: the part of `BrokerConfig` that rules about it need. */
export interface ConfigReader {
  /** The value, set or default. */
  get<K extends BrokerConfigName>(name: K): BrokerConfigValue<K>;
  /** True if a setting gives the value and not the default. */
  isSet(name: BrokerConfigName): boolean;
}

/** Takes a problem that stops the start: of which config, and what is wrong. */
export type ReportProblem = (name: BrokerConfigName, problem: string) => void;
