import { LONG_MAX, boolean, int, javaClass, long, string } from '../definition.ts';
import { atLeast, oneOf } from '../rules.ts';

/** Configs of replication, leadership and quotas. */
export const replicationConfigs = {
  'alter.log.dirs.replication.quota.window.num': int({
    default: 11,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'Samples kept to measure the rate of moves between log directories.',
  }),
  'alter.log.dirs.replication.quota.window.size.seconds': int({
    default: 1,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'Length of one such sample.',
  }),
  'auto.leader.rebalance.enable': boolean({
    default: true,
    importance: 'HIGH',
    doc: 'Whether leadership is moved back to preferred replicas from time to time.',
  }),
  'client.quota.callback.class': javaClass({
    default: null,
    importance: 'LOW',
    doc: 'Java class that computes quotas in place of the built-in rules.',
  }),
  'controller.quota.window.num': int({
    default: 11,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'Samples kept to measure the rate of changes to topics.',
  }),
  'controller.quota.window.size.seconds': int({
    default: 1,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'Length of one such sample.',
  }),
  'controller.socket.timeout.ms': int({
    default: 30_000,
    importance: 'MEDIUM',
    doc: 'How long a connection between broker and controller waits for an answer.',
  }),
  'default.replication.factor': int({
    default: 1,
    importance: 'MEDIUM',
    doc: 'Replicas of a topic for which nothing else is asked.',
  }),
  'delete.records.purgatory.purge.interval.requests': int({
    default: 1,
    importance: 'MEDIUM',
    doc: 'Waiting DeleteRecords requests after which finished ones are swept out in Kafka.',
  }),
  'fetch.purgatory.purge.interval.requests': int({
    default: 1000,
    importance: 'MEDIUM',
    doc: 'Waiting fetches after which finished ones are swept out in Kafka.',
  }),
  'follower.replication.throttled.rate': long({
    default: LONG_MAX,
    rule: atLeast(0),
    importance: 'MEDIUM',
    updateMode: 'dynamic-only',
    doc: 'Bytes a second that this broker may take in for throttled replicas it follows.',
  }),
  'inter.broker.listener.name': string({
    default: null,
    importance: 'MEDIUM',
    doc: 'Name of the listener that brokers use among themselves; the one named like security.inter.broker.protocol when unset.',
  }),
  'leader.imbalance.check.interval.seconds': long({
    default: 300,
    rule: atLeast(1),
    importance: 'HIGH',
    doc: 'How often the controller looks for leaderships to move back.',
  }),
  'leader.replication.throttled.rate': long({
    default: LONG_MAX,
    rule: atLeast(0),
    importance: 'MEDIUM',
    updateMode: 'dynamic-only',
    doc: 'Bytes a second that this broker may send for throttled replicas it leads.',
  }),
  'num.replica.fetchers': int({
    default: 1,
    rule: atLeast(1),
    importance: 'HIGH',
    updateMode: 'cluster-wide',
    doc: 'Fetchers that follow each leading broker.',
  }),
  'producer.purgatory.purge.interval.requests': int({
    default: 1000,
    importance: 'MEDIUM',
    doc: 'Waiting produce requests after which finished ones are swept out in Kafka.',
  }),
  'quota.window.num': int({
    default: 11,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'Samples kept to measure the rates of clients against their quotas.',
  }),
  'quota.window.size.seconds': int({
    default: 1,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'Length of one such sample.',
  }),
  'replica.alter.log.dirs.io.max.bytes.per.second': long({
    default: LONG_MAX,
    rule: atLeast(0),
    importance: 'MEDIUM',
    updateMode: 'dynamic-only',
    doc: 'Bytes a second for moving replicas between directories of this broker.',
  }),
  'replica.fetch.backoff.ms': int({
    default: 1000,
    rule: atLeast(0),
    importance: 'MEDIUM',
    doc: 'Pause of a follower after a failed fetch.',
  }),
  'replica.fetch.max.bytes': int({
    default: 1_048_576,
    rule: atLeast(0),
    importance: 'MEDIUM',
    doc: 'Bytes that a follower asks for per partition.',
  }),
  'replica.fetch.min.bytes': int({
    default: 1,
    importance: 'HIGH',
    doc: 'Bytes that a leader collects before it answers a follower.',
  }),
  'replica.fetch.response.max.bytes': int({
    default: 10_485_760,
    rule: atLeast(0),
    importance: 'MEDIUM',
    doc: 'Bytes that a follower asks for in one answer.',
  }),
  'replica.fetch.wait.max.ms': int({
    default: 500,
    importance: 'HIGH',
    doc: "Longest time that a follower's fetch waits at the leader.",
  }),
  'replica.high.watermark.checkpoint.interval.ms': long({
    default: 5000,
    importance: 'HIGH',
    doc: 'How often high watermarks are written down.',
  }),
  'replica.lag.time.max.ms': long({
    default: 30_000,
    importance: 'HIGH',
    doc: 'A follower that has not caught up for this long leaves the in-sync replicas.',
  }),
  'replica.selector.class': string({
    default: null,
    importance: 'MEDIUM',
    doc: 'Java class that chooses the replica a consumer is sent to; the leader when unset.',
  }),
  'replica.socket.receive.buffer.bytes': int({
    default: 65_536,
    importance: 'HIGH',
    doc: "Socket buffer of a follower's connection to its leader.",
  }),
  'replica.socket.timeout.ms': int({
    default: 30_000,
    importance: 'HIGH',
    doc: 'How long a follower waits for an answer; more than replica.fetch.wait.max.ms.',
  }),
  'replication.quota.window.num': int({
    default: 11,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'Samples kept to measure the rate of replication.',
  }),
  'replication.quota.window.size.seconds': int({
    default: 1,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'Length of one such sample.',
  }),
  'security.inter.broker.protocol': string({
    default: 'PLAINTEXT',
    rule: oneOf('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'),
    importance: 'MEDIUM',
    doc: 'Security protocol among brokers, when inter.broker.listener.name is not given.',
  }),
  'unclean.leader.election.enable': boolean({
    default: false,
    importance: 'HIGH',
    updateMode: 'cluster-wide',
    doc: 'Whether a replica outside the in-sync ones may lead when no other is left, at the price of lost records.',
  }),
  'unclean.leader.election.interval.ms': long({
    default: 300_000,
    rule: atLeast(1),
    importance: 'MEDIUM',
    internal: true,
    doc: 'How often the controller looks for partitions to which that applies.',
  }),
};
