/** Configs of topics: a topic's own over what the broker gives. */
import { printable } from '../base/printable.ts';
import type { BrokerConfig } from './broker-config.ts';
import { checkText, defaultOf, type ValueOf } from './definition.ts';
import { type TopicConfigDefinition, topicConfigs } from './tables/topic.ts';
import { NO_VALUE, parseValue, type TypedValue } from './values.ts';

/** A name in `topicConfigs`. */
export type TopicConfigName = keyof typeof topicConfigs;

/** The type of the value of a topic config. */
export type TopicConfigValue<K extends TopicConfigName> = ValueOf<(typeof topicConfigs)[K]>;

/** What a topic itself sets: names and texts, as its metadata records have them. */
export type TopicOverrides = ReadonlyMap<string, string>;

/** The configs of one topic that its log and its leader go by, as plain data. */
export interface ResolvedTopicConfig {
  /** `internal.segment.bytes`, else `segment.bytes`. */
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly segmentJitterMs: number;
  readonly indexIntervalBytes: number;
  readonly indexSizeMaxBytes: number;
  readonly maxMessageBytes: number;
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime';
  readonly messageTimestampBeforeMaxMs: number;
  readonly messageTimestampAfterMaxMs: number;
  readonly cleanupPolicy: readonly ('compact' | 'delete')[];
  readonly compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  /** Level for `compressionType`; null takes the codec's default. */
  readonly compressionLevel: number | null;
  readonly flushMessages: number;
  readonly flushMs: number;
  /** -1 for ever. */
  readonly retentionMs: number;
  /** -1 without bound. */
  readonly retentionBytes: number;
  readonly fileDeleteDelayMs: number;
  readonly preallocate: boolean;
  readonly minInsyncReplicas: number;
  readonly uncleanLeaderElectionEnable: boolean;
}

/** Longest text of a client that a message repeats. */
const MAX_SHOWN_LENGTH = 200;

/** True for a name that topics have. */
export function isTopicConfig(name: string): name is TopicConfigName {
  return Object.hasOwn(topicConfigs, name);
}

/** Checks one config of a topic; returns what is wrong for the client's eyes, or null. */
export function validateTopicConfig(name: string, text: string | null): string | null {
  if (!isTopicConfig(name)) return `There is no topic config ${printable(name, MAX_SHOWN_LENGTH)}`;
  if (text === null) return `${name} needs a value`;
  const { problem } = checkText(topicConfigs[name], text);
  return problem === null ? null : `${name} cannot be "${printable(text, MAX_SHOWN_LENGTH)}"; ${problem}`;
}

/** Checks all configs of a topic, each and together, over what the broker gives; returns the first thing that is wrong, or null. */
export function validateTopicConfigs(
  broker: BrokerConfig,
  overrides: ReadonlyMap<string, string | null>,
): string | null {
  const valid = new Map<string, string>();
  for (const [name, text] of overrides) {
    const problem = validateTopicConfig(name, text);
    if (problem !== null) return problem;
    if (text !== null) valid.set(name, text);
  }
  const value = <K extends TopicConfigName>(name: K) =>
    topicConfigValue(broker, valid, name).value as TopicConfigValue<K>;
  if (value('min.compaction.lag.ms') > value('max.compaction.lag.ms'))
    return 'min.compaction.lag.ms must not be greater than max.compaction.lag.ms';
  if (value('remote.storage.enable')) return 'remote.storage.enable: this version has no tiered storage';
  return null;
}

/** The value of one config of a topic: its own, else the broker's. An override that is not valid counts as none. */
export function topicConfigValue(
  broker: BrokerConfig,
  overrides: TopicOverrides,
  name: TopicConfigName,
): TypedValue {
  const definition: TopicConfigDefinition = topicConfigs[name];
  const text = overrides.get(name);
  const own = text === undefined ? null : checkText(definition, text).typed;
  return own ?? brokerDefault(broker, name, definition);
}

/** All configs of a topic that its log and its leader go by. */
export function resolveTopicConfig(broker: BrokerConfig, overrides: TopicOverrides): ResolvedTopicConfig {
  const value = <K extends TopicConfigName>(name: K) =>
    topicConfigValue(broker, overrides, name).value as TopicConfigValue<K>;
  const compressionType = value('compression.type') as ResolvedTopicConfig['compressionType'];
  return {
    segmentBytes: value('internal.segment.bytes') ?? value('segment.bytes'),
    segmentMs: value('segment.ms'),
    segmentJitterMs: value('segment.jitter.ms'),
    indexIntervalBytes: value('index.interval.bytes'),
    indexSizeMaxBytes: value('segment.index.bytes'),
    maxMessageBytes: value('max.message.bytes'),
    messageTimestampType: value('message.timestamp.type') as ResolvedTopicConfig['messageTimestampType'],
    messageTimestampBeforeMaxMs: value('message.timestamp.before.max.ms'),
    messageTimestampAfterMaxMs: value('message.timestamp.after.max.ms'),
    cleanupPolicy: value('cleanup.policy') as ResolvedTopicConfig['cleanupPolicy'],
    compressionType,
    compressionLevel: compressionLevel(compressionType, value),
    flushMessages: value('flush.messages'),
    flushMs: value('flush.ms'),
    retentionMs: value('retention.ms'),
    retentionBytes: value('retention.bytes'),
    fileDeleteDelayMs: value('file.delete.delay.ms'),
    preallocate: value('preallocate'),
    minInsyncReplicas: value('min.insync.replicas'),
    uncleanLeaderElectionEnable: value('unclean.leader.election.enable'),
  };
}

function compressionLevel(
  compressionType: ResolvedTopicConfig['compressionType'],
  value: (name: 'compression.gzip.level' | 'compression.lz4.level' | 'compression.zstd.level') => number,
): number | null {
  switch (compressionType) {
    case 'gzip': {
      const level = value('compression.gzip.level');
      return level === -1 ? null : level;
    }
    case 'lz4':
      return value('compression.lz4.level');
    case 'zstd':
      return value('compression.zstd.level');
    default:
      return null;
  }
}

/** What the broker gives: configs with several names in their own units are the broker's to decide. */
function brokerDefault(
  broker: BrokerConfig,
  name: TopicConfigName,
  definition: TopicConfigDefinition,
): TypedValue {
  switch (name) {
    case 'retention.ms':
      return broker.isSet('log.retention.ms')
        ? broker.typed('log.retention.ms')
        : milliseconds(broker.logRetentionMs);
    case 'segment.ms':
      return broker.isSet('log.roll.ms') ? broker.typed('log.roll.ms') : milliseconds(broker.logRollMs);
    case 'segment.jitter.ms':
      return broker.isSet('log.roll.jitter.ms')
        ? broker.typed('log.roll.jitter.ms')
        : milliseconds(broker.logRollJitterMs);
    case 'flush.ms':
      return broker.typed(
        broker.isSet('log.flush.interval.ms') ? 'log.flush.interval.ms' : 'log.flush.scheduler.interval.ms',
      );
    default: {
      const [serverDefault] = definition.serverDefaults;
      return serverDefault === undefined ? (defaultOf(definition) ?? NO_VALUE) : broker.typed(serverDefault);
    }
  }
}

function milliseconds(value: number): TypedValue {
  return parseValue('LONG', String(value)) ?? NO_VALUE;
}
