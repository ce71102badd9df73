/** Rules over more than one config. */
import type { BrokerConfigName, BrokerConfigValue } from './broker-configs.ts';
import type { ConfigReader, ReportProblem } from './config-reader.ts';

/** Broker configs whose value is always a number. */
type NumberConfigName = {
  [K in BrokerConfigName]: BrokerConfigValue<K> extends number ? K : never;
}[BrokerConfigName];

/** Pairs of which the first must not be greater than the second. */
const ORDERED: readonly (readonly [NumberConfigName, NumberConfigName])[] = [
  ['replica.fetch.wait.max.ms', 'replica.socket.timeout.ms'],
  ['replica.fetch.wait.max.ms', 'replica.lag.time.max.ms'],
  ['group.consumer.min.heartbeat.interval.ms', 'group.consumer.heartbeat.interval.ms'],
  ['group.consumer.heartbeat.interval.ms', 'group.consumer.max.heartbeat.interval.ms'],
  ['group.consumer.min.session.timeout.ms', 'group.consumer.session.timeout.ms'],
  ['group.consumer.session.timeout.ms', 'group.consumer.max.session.timeout.ms'],
  ['group.share.min.heartbeat.interval.ms', 'group.share.heartbeat.interval.ms'],
  ['group.share.heartbeat.interval.ms', 'group.share.max.heartbeat.interval.ms'],
  ['group.share.min.session.timeout.ms', 'group.share.session.timeout.ms'],
  ['group.share.session.timeout.ms', 'group.share.max.session.timeout.ms'],
  ['group.share.min.record.lock.duration.ms', 'group.share.record.lock.duration.ms'],
  ['group.share.record.lock.duration.ms', 'group.share.max.record.lock.duration.ms'],
  ['group.streams.min.heartbeat.interval.ms', 'group.streams.heartbeat.interval.ms'],
  ['group.streams.heartbeat.interval.ms', 'group.streams.max.heartbeat.interval.ms'],
  ['group.streams.min.session.timeout.ms', 'group.streams.session.timeout.ms'],
  ['group.streams.session.timeout.ms', 'group.streams.max.session.timeout.ms'],
  ['group.streams.num.standby.replicas', 'group.streams.max.standby.replicas'],
];

/** Pairs of which the first must be less than the second. */
const STRICTLY_ORDERED: readonly (readonly [NumberConfigName, NumberConfigName])[] = [
  ['group.consumer.heartbeat.interval.ms', 'group.consumer.session.timeout.ms'],
  ['group.share.heartbeat.interval.ms', 'group.share.session.timeout.ms'],
  ['group.streams.heartbeat.interval.ms', 'group.streams.session.timeout.ms'],
];

/** Smallest share of `log.cleaner.dedupe.buffer.size` that a cleaner can work with, in bytes. */
const MIN_DEDUPE_BUFFER_BYTES = 1024 * 1024;

/** Reports every rule that the values break. */
export function checkRelations(config: ConfigReader, report: ReportProblem): void {
  for (const [low, high] of ORDERED) {
    const limit = config.get(high);
    if (config.get(low) > limit) report(low, `allowed: at most ${high}, which is ${limit}`);
  }
  for (const [low, high] of STRICTLY_ORDERED) {
    const limit = config.get(high);
    if (config.get(low) >= limit) report(low, `allowed: less than ${high}, which is ${limit}`);
  }
  checkTimes(config, report);
  checkIdentity(config, report);
  checkRequests(config, report);
  const cleaners = Math.max(1, config.get('log.cleaner.threads'));
  if (config.get('log.cleaner.dedupe.buffer.size') / cleaners <= MIN_DEDUPE_BUFFER_BYTES)
    report(
      'log.cleaner.dedupe.buffer.size',
      `allowed: more than ${MIN_DEDUPE_BUFFER_BYTES} for each of log.cleaner.threads`,
    );
}

function checkTimes(config: ConfigReader, report: ReportProblem): void {
  const retention = (['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'] as const).find(
    (name) => config.get(name) !== null,
  );
  if (retention !== undefined && config.get(retention) === 0)
    report(retention, 'allowed: 1 or more, or -1 to keep records for ever');
  if ((config.get('log.roll.ms') ?? 1) < 1) report('log.roll.ms', 'allowed: 1 or more');
  if ((config.get('log.roll.jitter.ms') ?? 0) < 0) report('log.roll.jitter.ms', 'allowed: 0 or more');
}

function checkIdentity(config: ConfigReader, report: ReportProblem): void {
  const nodeId = config.get('node.id');
  const brokerId = config.get('broker.id');
  if (config.isSet('broker.id') && brokerId !== nodeId)
    report('broker.id', `it is the former name of node.id, which is ${nodeId}; set only node.id`);
}

function checkRequests(config: ConfigReader, report: ReportProblem): void {
  const queuedBytes = config.get('queued.max.request.bytes');
  const requestBytes = config.get('socket.request.max.bytes');
  if (queuedBytes > 0 && queuedBytes < requestBytes)
    report(
      'queued.max.request.bytes',
      `allowed: socket.request.max.bytes, which is ${requestBytes}, or more; or -1`,
    );
  if (config.get('max.connections.per.ip') === 0 && config.get('max.connections.per.ip.overrides') === '')
    report(
      'max.connections.per.ip',
      'nobody could connect; allowed: 1 or more, or 0 with max.connections.per.ip.overrides',
    );
}
