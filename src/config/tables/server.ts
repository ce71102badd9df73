import { boolean, int, list, long, string } from '../definition.ts';
import { atLeast, between, nonNullString, oneOf, orExactly } from '../rules.ts';

/** Configs of the node as a whole: threads, requests, compression, metrics. */
export const serverConfigs = {
  'authorizer.class.name': string({
    default: '',
    rule: nonNullString,
    importance: 'LOW',
    doc: 'Authorizer that decides who may do what; empty allows everything.',
  }),
  'background.threads': int({
    default: 10,
    rule: atLeast(1),
    importance: 'HIGH',
    updateMode: 'cluster-wide',
    doc: "Size of Kafka's pool for background work.",
  }),
  'broker.id': int({
    default: -1,
    importance: 'HIGH',
    doc: 'Former name of node.id.',
  }),
  'broker.rack': string({
    default: null,
    importance: 'MEDIUM',
    doc: 'Rack or zone of this node; replicas of a partition are spread over racks, and consumers may fetch from their own.',
  }),
  'compression.gzip.level': int({
    default: -1,
    rule: orExactly(-1, between(1, 9)),
    importance: 'MEDIUM',
    updateMode: 'cluster-wide',
    doc: "Level for gzip where the broker itself compresses; -1 is the library's default.",
  }),
  'compression.lz4.level': int({
    default: 9,
    rule: between(1, 17),
    importance: 'MEDIUM',
    updateMode: 'cluster-wide',
    doc: 'Level for lz4 where the broker itself compresses.',
  }),
  'compression.type': string({
    default: 'producer',
    rule: oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'),
    importance: 'HIGH',
    updateMode: 'cluster-wide',
    doc: 'Codec that batches are stored in; producer keeps them as they were sent.',
  }),
  'compression.zstd.level': int({
    default: 3,
    rule: between(-131072, 22),
    importance: 'MEDIUM',
    updateMode: 'cluster-wide',
    doc: 'Level for zstd where the broker itself compresses.',
  }),
  'config.providers': list({
    default: '',
    importance: 'LOW',
    updateMode: 'cluster-wide',
    doc: 'Names of plug-ins that supply config values from elsewhere.',
  }),
  'controlled.shutdown.enable': boolean({
    default: true,
    importance: 'MEDIUM',
    doc: 'Whether a broker hands its leaderships over before it stops.',
  }),
  'delete.topic.enable': boolean({
    default: true,
    importance: 'HIGH',
    doc: 'Whether topics can be deleted.',
  }),
  'early.start.listeners': list({
    default: null,
    importance: 'HIGH',
    doc: 'Listeners that open before the node has caught up with the metadata; those of the controller when unset.',
  }),
  'fetch.max.bytes': int({
    default: 57_671_680,
    rule: atLeast(1024),
    importance: 'MEDIUM',
    doc: 'Most bytes of records in one answer to a fetch.',
  }),
  'kafka.metrics.polling.interval.secs': int({
    default: 10,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'How often the reporters of kafka.metrics.reporters are polled.',
  }),
  'kafka.metrics.reporters': list({
    default: '',
    importance: 'LOW',
    doc: "Java classes that report Kafka's Yammer metrics.",
  }),
  'max.incremental.fetch.session.cache.slots': int({
    default: 1000,
    rule: atLeast(0),
    importance: 'MEDIUM',
    doc: 'Most incremental fetch sessions of one broker.',
  }),
  'max.request.partition.size.limit': int({
    default: 2000,
    rule: atLeast(1),
    importance: 'MEDIUM',
    doc: 'Most partitions in one answer to DescribeTopicPartitions.',
  }),
  'message.max.bytes': int({
    default: 1_048_588,
    rule: atLeast(0),
    importance: 'HIGH',
    updateMode: 'cluster-wide',
    doc: 'Largest record batch that is accepted.',
  }),
  'metric.reporters': list({
    default: 'org.apache.kafka.common.metrics.JmxReporter',
    importance: 'LOW',
    updateMode: 'cluster-wide',
    doc: "Java classes that report Kafka's metrics.",
  }),
  'metrics.num.samples': int({
    default: 2,
    rule: atLeast(1),
    importance: 'LOW',
    doc: "Samples kept for a rate among Kafka's metrics.",
  }),
  'metrics.recording.level': string({
    default: 'INFO',
    importance: 'LOW',
    doc: "How detailed Kafka's metrics are.",
  }),
  'metrics.sample.window.ms': long({
    default: 30_000,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'Length of one such sample.',
  }),
  'num.io.threads': int({
    default: 8,
    rule: atLeast(1),
    importance: 'HIGH',
    updateMode: 'cluster-wide',
    doc: 'Threads of Kafka that execute requests.',
  }),
  'num.replica.alter.log.dirs.threads': int({
    default: null,
    importance: 'HIGH',
    doc: 'Threads of Kafka that move replicas between directories; as many as directories when unset.',
  }),
  'request.timeout.ms': int({
    default: 30_000,
    importance: 'HIGH',
    doc: 'How long a request that this node sends may take.',
  }),
  'socket.connection.setup.timeout.max.ms': long({
    default: 30_000,
    importance: 'MEDIUM',
    doc: 'Longest time that connecting to another node may take after repeated failures.',
  }),
  'socket.connection.setup.timeout.ms': long({
    default: 10_000,
    importance: 'MEDIUM',
    doc: 'Time that connecting to another node may take at first.',
  }),
  'telemetry.max.bytes': int({
    default: 1_048_576,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'Largest push of metrics from a client.',
  }),
  'unstable.api.versions.enable': boolean({
    default: false,
    importance: 'HIGH',
    internal: true,
    doc: 'Whether versions of APIs that may still change are served.',
  }),
  'unstable.feature.versions.enable': boolean({
    default: false,
    importance: 'HIGH',
    internal: true,
    doc: 'Whether feature levels that may still change are allowed.',
  }),
};
