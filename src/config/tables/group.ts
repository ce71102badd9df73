import type { BrokerConfigName } from '../broker-configs.ts';
import { type ConfigDefinition, int, string } from '../definition.ts';
import { atLeast, oneOf, shareOffsetReset } from '../rules.ts';
import type { ConfigValue } from '../values.ts';

/** A config of groups. */
export interface GroupConfigDefinition<V extends ConfigValue | null = ConfigValue | null>
  extends ConfigDefinition<V> {
  /** Broker configs that give the default and the bounds; null where there is none. */
  readonly serverDefault: BrokerConfigName | null;
  readonly serverMin: BrokerConfigName | null;
  readonly serverMax: BrokerConfigName | null;
}

/** Configs of one group, each with the broker configs that give its default and its bounds. */
export const dynamicGroupConfigs = {
  'consumer.heartbeat.interval.ms': {
    serverDefault: 'group.consumer.heartbeat.interval.ms',
    serverMin: 'group.consumer.min.heartbeat.interval.ms',
    serverMax: 'group.consumer.max.heartbeat.interval.ms',
    ...int({
      default: 5000,
      rule: atLeast(1),
      importance: 'MEDIUM',
      doc: 'Heartbeat interval given to the members of this consumer group.',
    }),
  },
  'consumer.session.timeout.ms': {
    serverDefault: 'group.consumer.session.timeout.ms',
    serverMin: 'group.consumer.min.session.timeout.ms',
    serverMax: 'group.consumer.max.session.timeout.ms',
    ...int({
      default: 45_000,
      rule: atLeast(1),
      importance: 'MEDIUM',
      doc: 'A member is removed after this long without a heartbeat.',
    }),
  },
  'share.auto.offset.reset': {
    serverDefault: null,
    serverMin: null,
    serverMax: null,
    ...string({
      default: 'latest',
      rule: shareOffsetReset,
      importance: 'MEDIUM',
      doc: 'Where a share group begins to read a partition: latest, earliest, or by_duration: and an ISO 8601 duration back from now.',
    }),
  },
  'share.heartbeat.interval.ms': {
    serverDefault: 'group.share.heartbeat.interval.ms',
    serverMin: 'group.share.min.heartbeat.interval.ms',
    serverMax: 'group.share.max.heartbeat.interval.ms',
    ...int({
      default: 5000,
      rule: atLeast(1),
      importance: 'MEDIUM',
      doc: 'Heartbeat interval given to the members of this share group.',
    }),
  },
  'share.isolation.level': {
    serverDefault: null,
    serverMin: null,
    serverMax: null,
    ...string({
      default: 'read_uncommitted',
      rule: oneOf('read_committed', 'read_uncommitted'),
      importance: 'MEDIUM',
      doc: 'Whether records of open and aborted transactions are delivered.',
    }),
  },
  'share.record.lock.duration.ms': {
    serverDefault: 'group.share.record.lock.duration.ms',
    serverMin: 'group.share.min.record.lock.duration.ms',
    serverMax: 'group.share.max.record.lock.duration.ms',
    ...int({
      default: 30_000,
      rule: atLeast(1000),
      importance: 'MEDIUM',
      doc: 'How long a consumer holds an acquired record before others may have it.',
    }),
  },
  'share.session.timeout.ms': {
    serverDefault: 'group.share.session.timeout.ms',
    serverMin: 'group.share.min.session.timeout.ms',
    serverMax: 'group.share.max.session.timeout.ms',
    ...int({
      default: 45_000,
      rule: atLeast(1),
      importance: 'MEDIUM',
      doc: 'A member is removed after this long without a heartbeat.',
    }),
  },
  'streams.heartbeat.interval.ms': {
    serverDefault: 'group.streams.heartbeat.interval.ms',
    serverMin: 'group.streams.min.heartbeat.interval.ms',
    serverMax: 'group.streams.max.heartbeat.interval.ms',
    ...int({
      default: 5000,
      rule: atLeast(1),
      importance: 'MEDIUM',
      doc: 'Heartbeat interval given to the members of this streams group.',
    }),
  },
  'streams.initial.rebalance.delay.ms': {
    serverDefault: 'group.streams.initial.rebalance.delay.ms',
    serverMin: null,
    serverMax: null,
    ...int({
      default: 3000,
      rule: atLeast(0),
      importance: 'MEDIUM',
      doc: 'How long the first rebalance of the empty group waits for more members.',
    }),
  },
  'streams.num.standby.replicas': {
    serverDefault: 'group.streams.num.standby.replicas',
    serverMin: null,
    serverMax: 'group.streams.max.standby.replicas',
    ...int({
      default: 0,
      rule: atLeast(0),
      importance: 'MEDIUM',
      doc: 'Standby copies of each stateful task.',
    }),
  },
  'streams.session.timeout.ms': {
    serverDefault: 'group.streams.session.timeout.ms',
    serverMin: 'group.streams.min.session.timeout.ms',
    serverMax: 'group.streams.max.session.timeout.ms',
    ...int({
      default: 45_000,
      rule: atLeast(1),
      importance: 'MEDIUM',
      doc: 'A member is removed after this long without a heartbeat.',
    }),
  },
} satisfies Readonly<Record<string, GroupConfigDefinition>>;
