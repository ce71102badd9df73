import type { BrokerConfigName } from '../broker-configs.ts';
import { type ConfigDefinition, LONG_MAX, boolean, double, int, list, long, string } from '../definition.ts';
import { atLeast, between, oneOf, orExactly, throttledReplicas } from '../rules.ts';
import type { ConfigValue } from '../values.ts';

/** A config of topics. */
export interface TopicConfigDefinition<V extends ConfigValue | null = ConfigValue | null>
  extends ConfigDefinition<V> {
  /** Broker configs that give the default, in order of precedence; empty where only the topic itself says. */
  readonly serverDefaults: readonly BrokerConfigName[];
}

/** Configs of a topic, each with the broker configs that give its default, in order of precedence. */
export const topicConfigs = {
  'cleanup.policy': {
    serverDefaults: ['log.cleanup.policy'],
    ...list({
      default: 'delete',
      rule: oneOf('compact', 'delete'),
      importance: 'MEDIUM',
      doc: 'What becomes of old segments: delete, compact, or both.',
    }),
  },
  'compression.gzip.level': {
    serverDefaults: ['compression.gzip.level'],
    ...int({
      default: -1,
      rule: orExactly(-1, between(1, 9)),
      importance: 'MEDIUM',
      doc: "Level for gzip where the broker itself compresses; -1 is the library's default.",
    }),
  },
  'compression.lz4.level': {
    serverDefaults: ['compression.lz4.level'],
    ...int({
      default: 9,
      rule: between(1, 17),
      importance: 'MEDIUM',
      doc: 'Level for lz4 where the broker itself compresses.',
    }),
  },
  'compression.type': {
    serverDefaults: ['compression.type'],
    ...string({
      default: 'producer',
      rule: oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'),
      importance: 'MEDIUM',
      doc: 'Codec that batches are stored in; producer keeps them as they were sent.',
    }),
  },
  'compression.zstd.level': {
    serverDefaults: ['compression.zstd.level'],
    ...int({
      default: 3,
      rule: between(-131072, 22),
      importance: 'MEDIUM',
      doc: 'Level for zstd where the broker itself compresses.',
    }),
  },
  'delete.retention.ms': {
    serverDefaults: ['log.cleaner.delete.retention.ms'],
    ...long({
      default: 86_400_000,
      rule: atLeast(0),
      importance: 'MEDIUM',
      doc: 'How long a delete marker stays in the compacted log, so that readers can still see it.',
    }),
  },
  'file.delete.delay.ms': {
    serverDefaults: ['log.segment.delete.delay.ms'],
    ...long({
      default: 60_000,
      rule: atLeast(0),
      importance: 'MEDIUM',
      doc: 'How long the files of a deleted segment stay on disk under another name.',
    }),
  },
  'flush.messages': {
    serverDefaults: ['log.flush.interval.messages'],
    ...long({
      default: LONG_MAX,
      rule: atLeast(1),
      importance: 'MEDIUM',
      doc: 'Records after which the log is flushed to the device.',
    }),
  },
  'flush.ms': {
    serverDefaults: ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
    ...long({
      default: LONG_MAX,
      rule: atLeast(0),
      importance: 'MEDIUM',
      doc: 'Longest time that records stay unflushed.',
    }),
  },
  'follower.replication.throttled.replicas': {
    serverDefaults: [],
    ...list({
      default: '',
      rule: throttledReplicas,
      importance: 'MEDIUM',
      doc: 'Replicas whose followers are throttled, as partition:broker, or * for all.',
    }),
  },
  'index.interval.bytes': {
    serverDefaults: ['log.index.interval.bytes'],
    ...int({
      default: 4096,
      rule: atLeast(0),
      importance: 'MEDIUM',
      doc: 'Bytes of records between two entries of the offset index.',
    }),
  },
  'internal.segment.bytes': {
    serverDefaults: [],
    ...int({
      default: null,
      importance: 'MEDIUM',
      internal: true,
      doc: 'Segment size below the public minimum, for tests.',
    }),
  },
  'leader.replication.throttled.replicas': {
    serverDefaults: [],
    ...list({
      default: '',
      rule: throttledReplicas,
      importance: 'MEDIUM',
      doc: 'Replicas whose leaders are throttled, as partition:broker, or * for all.',
    }),
  },
  'local.retention.bytes': {
    serverDefaults: ['log.local.retention.bytes'],
    ...long({
      default: -2,
      rule: atLeast(-2),
      importance: 'MEDIUM',
      doc: 'Bytes of a tiered partition that stay on local disks; -2 takes retention.bytes.',
    }),
  },
  'local.retention.ms': {
    serverDefaults: ['log.local.retention.ms'],
    ...long({
      default: -2,
      rule: atLeast(-2),
      importance: 'MEDIUM',
      doc: 'Time that records of a tiered partition stay on local disks; -2 takes retention.ms.',
    }),
  },
  'max.compaction.lag.ms': {
    serverDefaults: ['log.cleaner.max.compaction.lag.ms'],
    ...long({
      default: LONG_MAX,
      rule: atLeast(1),
      importance: 'MEDIUM',
      doc: 'Longest time that a record may stay out of compaction.',
    }),
  },
  'max.message.bytes': {
    serverDefaults: ['message.max.bytes'],
    ...int({
      default: 1_048_588,
      rule: atLeast(0),
      importance: 'MEDIUM',
      doc: 'Largest record batch that is accepted.',
    }),
  },
  'message.timestamp.after.max.ms': {
    serverDefaults: ['log.message.timestamp.after.max.ms'],
    ...long({
      default: 3_600_000,
      rule: atLeast(0),
      importance: 'MEDIUM',
      doc: "How far a record's timestamp may lie ahead of the broker's clock.",
    }),
  },
  'message.timestamp.before.max.ms': {
    serverDefaults: ['log.message.timestamp.before.max.ms'],
    ...long({
      default: LONG_MAX,
      rule: atLeast(0),
      importance: 'MEDIUM',
      doc: "How far a record's timestamp may lie behind the broker's clock.",
    }),
  },
  'message.timestamp.type': {
    serverDefaults: ['log.message.timestamp.type'],
    ...string({
      default: 'CreateTime',
      rule: oneOf('CreateTime', 'LogAppendTime'),
      importance: 'MEDIUM',
      doc: "Whether records keep the producer's timestamp or get that of the append.",
    }),
  },
  'min.cleanable.dirty.ratio': {
    serverDefaults: ['log.cleaner.min.cleanable.ratio'],
    ...double({
      default: 0.5,
      rule: between(0, 1),
      importance: 'MEDIUM',
      doc: 'Share of uncompacted bytes from which on the log is compacted.',
    }),
  },
  'min.compaction.lag.ms': {
    serverDefaults: ['log.cleaner.min.compaction.lag.ms'],
    ...long({
      default: 0,
      rule: atLeast(0),
      importance: 'MEDIUM',
      doc: 'Shortest time that a record stays out of compaction.',
    }),
  },
  'min.insync.replicas': {
    serverDefaults: ['min.insync.replicas'],
    ...int({
      default: 1,
      rule: atLeast(1),
      importance: 'MEDIUM',
      doc: 'In-sync replicas that must have a batch before a producer with acks=all gets its answer, and below which it is refused.',
    }),
  },
  preallocate: {
    serverDefaults: ['log.preallocate'],
    ...boolean({
      default: false,
      importance: 'MEDIUM',
      doc: 'Whether a new segment file is given its full size at once.',
    }),
  },
  'remote.log.copy.disable': {
    serverDefaults: [],
    ...boolean({
      default: false,
      importance: 'MEDIUM',
      doc: 'Whether a tiered topic stops copying to remote storage and only reads from it.',
    }),
  },
  'remote.log.delete.on.disable': {
    serverDefaults: [],
    ...boolean({
      default: false,
      importance: 'MEDIUM',
      doc: 'Whether turning tiered storage off deletes what lies in remote storage.',
    }),
  },
  'remote.storage.enable': {
    serverDefaults: [],
    ...boolean({
      default: false,
      importance: 'MEDIUM',
      doc: 'Whether the topic is tiered.',
    }),
  },
  'retention.bytes': {
    serverDefaults: ['log.retention.bytes'],
    ...long({
      default: -1,
      importance: 'MEDIUM',
      doc: 'Bytes of a partition past which its oldest segments are deleted; -1 is no bound.',
    }),
  },
  'retention.ms': {
    serverDefaults: ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
    ...long({
      default: 604_800_000,
      rule: atLeast(-1),
      importance: 'MEDIUM',
      doc: 'Milliseconds that records are kept; -1 is for ever.',
    }),
  },
  'segment.bytes': {
    serverDefaults: ['log.segment.bytes'],
    ...int({
      default: 1_073_741_824,
      rule: atLeast(1048576),
      importance: 'MEDIUM',
      doc: 'Size at which a segment is closed for a new one.',
    }),
  },
  'segment.index.bytes': {
    serverDefaults: ['log.index.size.max.bytes'],
    ...int({
      default: 10_485_760,
      rule: atLeast(4),
      importance: 'MEDIUM',
      doc: 'Largest size of an offset or time index; a full one rolls the segment.',
    }),
  },
  'segment.jitter.ms': {
    serverDefaults: ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
    ...long({
      default: 0,
      rule: atLeast(0),
      importance: 'MEDIUM',
      doc: 'Random part taken off segment.ms so that segments do not all roll at once.',
    }),
  },
  'segment.ms': {
    serverDefaults: ['log.roll.ms', 'log.roll.hours'],
    ...long({
      default: 604_800_000,
      rule: atLeast(1),
      importance: 'MEDIUM',
      doc: 'Age at which a segment is closed for a new one.',
    }),
  },
  'unclean.leader.election.enable': {
    serverDefaults: ['unclean.leader.election.enable'],
    ...boolean({
      default: false,
      importance: 'MEDIUM',
      doc: 'Whether a replica outside the in-sync ones may lead when no other is left, at the price of lost records.',
    }),
  },
} satisfies Readonly<Record<string, TopicConfigDefinition>>;
