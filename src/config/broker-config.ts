import { posix } from 'node:path';
import { type BrokerConfigName, type BrokerConfigValue, brokerConfigs } from './broker-configs.ts';
import { parseConnectionLimits } from './connection-limits.ts';
import type { ConfigReader, ReportProblem } from './config-reader.ts';
import { type ConfigDefinition, defaultOf } from './definition.ts';
import { deriveListeners, type NodeListeners } from './listener-config.ts';
import { readSettings } from './read-settings.ts';
import { checkRelations } from './relations.ts';
import { parseVoters, type QuorumVoter } from './quorum-voters.ts';
import { complaint, configError, type Settings } from './settings.ts';
import { whatIsMissing } from './support.ts';
import { NO_VALUE, type TypedValue } from './values.ts';

/** What a configuration takes from the machine. */
export interface Surroundings {
  /** This machine's name, advertised for listeners on every interface. */
  readonly hostName: string;
  /** Absolute; relative directories are below it. */
  readonly workingDirectory: string;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/**
 * The configuration of one node, checked as a whole when it is made: every value has its type, is in its range, and the values fit
 * together.
 */
export class BrokerConfig implements ConfigReader {
  /** Lines for the log: settings that have no effect. */
  readonly warnings: readonly string[];
  readonly listeners: NodeListeners;
  /** Absolute paths of the data directories, at least one, all different. */
  readonly logDirs: readonly string[];
  /** Absolute path of the directory of the metadata log; need not be one of `logDirs`. */
  readonly metadataLogDir: string;
  /** Fixed voters; empty where none are named. */
  readonly quorumVoters: readonly QuorumVoter[];

  /** Most connections at a time of single addresses, by host or address; `max.connections.per.ip` holds for all others. */
  readonly maxConnectionsPerIp: ReadonlyMap<string, number>;

  readonly #settings: Settings;
  readonly #values: ReadonlyMap<string, TypedValue>;

  /** @throws BrokerError `CONFIG_INVALID`, with one line per problem: name, value, origin and what is allowed. */
  constructor(settings: Settings, surroundings: Surroundings) {
    const read = readSettings(settings);
    const values = withSynonyms(read.values);
    const problems = [...read.problems, ...missing(values, read.problems)];
    if (problems.length > 0) throw configError(problems);
    this.#settings = settings;
    this.#values = values;

    const report: ReportProblem = (name, problem) => {
      const line = this.#complaint(name, problem);
      if (!problems.includes(line)) problems.push(line);
    };
    this.listeners = this.#deriveListeners(surroundings, report);
    const dirs = this.get('log.dirs') ?? this.get('log.dir');
    this.logDirs = dirs.map((dir) => posix.resolve(surroundings.workingDirectory, dir));
    if (new Set(this.logDirs).size < this.logDirs.length) report('log.dirs', 'a directory is there twice');
    this.metadataLogDir = posix.resolve(
      surroundings.workingDirectory,
      this.get('metadata.log.dir') ?? this.logDirs[0] ?? '',
    );
    this.quorumVoters = parseVoters(this.get('controller.quorum.voters'), (problem) =>
      report('controller.quorum.voters', problem),
    );
    this.maxConnectionsPerIp = parseConnectionLimits(
      this.get('max.connections.per.ip.overrides'),
      (problem) => report('max.connections.per.ip.overrides', problem),
    );
    checkRelations(this, report);
    const support = whatIsMissing(this, this.listeners, this.quorumVoters);

    for (const [name, problem] of support.problems) report(name, problem);
    if (problems.length > 0) throw configError(problems);
    this.warnings = [...read.warnings, ...support.warnings];
  }

  /** The value of a config, set or default. A LONG past 2^53 is the nearest number. */
  get<K extends BrokerConfigName>(name: K): BrokerConfigValue<K> {
    return this.typed(name).value as BrokerConfigValue<K>;
  }

  /** The value in Kafka's spelling, exact also for a LONG past 2^53; null if there is none, `[hidden]` for a password. */
  text(name: BrokerConfigName): string | null {
    return this.typed(name).text;
  }

  /** Both forms of the value. */
  typed(name: BrokerConfigName): TypedValue {
    const definition: ConfigDefinition = brokerConfigs[name];
    return this.#values.get(name) ?? defaultOf(definition) ?? NO_VALUE;
  }

  /** True if a setting gives the value and not the default. */
  isSet(name: BrokerConfigName): boolean {
    return this.#values.has(name);
  }

  /** The value for one listener: what `listener.name.{listener}.{name}` sets goes before `name`. */
  getForListener<K extends BrokerConfigName>(listenerName: string, name: K): BrokerConfigValue<K> {
    const own = this.#values.get(`listener.name.${listenerName.toLowerCase()}.${name}`);
    return own === undefined ? this.get(name) : (own.value as BrokerConfigValue<K>);
  }

  /** `node.id`, or `broker.id` where only that is set. */
  get nodeId(): number {
    return this.get('node.id');
  }

  /** `broker.rack`. */
  get rack(): string | null {
    return this.get('broker.rack');
  }

  /** True if `process.roles` has broker. */
  get isBroker(): boolean {
    return this.get('process.roles').includes('broker');
  }

  /** True if `process.roles` has controller. */
  get isController(): boolean {
    return this.get('process.roles').includes('controller');
  }

  /** `controller.listener.names` in capitals. */
  get controllerListenerNames(): readonly string[] {
    return this.get('controller.listener.names').map((name) => name.toUpperCase());
  }

  /** How long records are kept: the first that is set of `log.retention.ms`, `.minutes`, `.hours`; -1 for ever. */
  get logRetentionMs(): number {
    const minutes = this.get('log.retention.minutes');
    const coarse = minutes === null ? this.get('log.retention.hours') * HOUR_MS : minutes * MINUTE_MS;
    return Math.max(-1, this.get('log.retention.ms') ?? coarse);
  }

  /** Age at which a segment rolls: `log.roll.ms`, else `log.roll.hours`. */
  get logRollMs(): number {
    return this.get('log.roll.ms') ?? this.get('log.roll.hours') * HOUR_MS;
  }

  /** Random part of it: `log.roll.jitter.ms`, else `log.roll.jitter.hours`. */
  get logRollJitterMs(): number {
    return this.get('log.roll.jitter.ms') ?? this.get('log.roll.jitter.hours') * HOUR_MS;
  }

  /** Longest time without a flush: `log.flush.interval.ms`, else `log.flush.scheduler.interval.ms`. */
  get logFlushIntervalMs(): number {
    return this.get('log.flush.interval.ms') ?? this.get('log.flush.scheduler.interval.ms');
  }

  /** Address of the admin port; null if there is none. Port 0 takes any free one. */
  get admin(): { readonly host: string; readonly port: number } | null {
    const port = this.get('odradek.admin.port');
    return port < 0 ? null : { host: this.get('odradek.admin.host'), port };
  }

  /** A problem of this config, with the value it has. */
  #complaint(name: BrokerConfigName, problem: string): string {
    const setting = this.#settings.get(name);
    if (setting !== undefined) return complaint(name, setting, problem);
    const text = this.text(name) ?? '';
    return text === ''
      ? `${name} is not set; ${problem}`
      : complaint(name, { text, origin: 'default' }, problem);
  }

  #deriveListeners(surroundings: Surroundings, report: ReportProblem): NodeListeners {
    return deriveListeners(
      {
        listeners: this.get('listeners'),
        advertised: this.get('advertised.listeners'),
        protocolMap: this.get('listener.security.protocol.map'),
        protocolMapIsSet: this.isSet('listener.security.protocol.map'),
        controllerListenerNames: this.controllerListenerNames,
        interBrokerListenerName: this.get('inter.broker.listener.name'),
        interBrokerProtocol: this.get('security.inter.broker.protocol'),
        interBrokerProtocolIsSet: this.isSet('security.inter.broker.protocol'),
        isBroker: this.isBroker,
        hostName: surroundings.hostName,
      },
      report,
    );
  }
}

/** `broker.id` stands in for `node.id`. */
function withSynonyms(values: ReadonlyMap<string, TypedValue>): ReadonlyMap<string, TypedValue> {
  const brokerId = values.get('broker.id');
  if (brokerId === undefined || values.has('node.id')) return values;
  return new Map(values).set('node.id', brokerId);
}

/** Configs without a default that nobody set; not those that were set to something bad. */
function missing(values: ReadonlyMap<string, TypedValue>, problems: readonly string[]): string[] {
  const absent: string[] = [];
  for (const [name, definition] of Object.entries<ConfigDefinition>(brokerConfigs)) {
    if (definition.defaultText !== undefined || values.has(name)) continue;
    if (problems.some((problem) => problem.startsWith(`${name} = `))) continue;
    absent.push(`${name} must be set: ${definition.doc}`);
  }
  return absent;
}
