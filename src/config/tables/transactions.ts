import { boolean, int, short } from '../definition.ts';
import { atLeast } from '../rules.ts';

/** Configs of transactions and of idempotent producers. */
export const transactionConfigs = {
  'add.partitions.to.txn.retry.backoff.max.ms': int({
    default: 100,
    rule: atLeast(0),
    importance: 'HIGH',
    doc: "Upper bound of the time the broker itself retries a partition's addition to a transaction while the coordinator reports a concurrent one.",
  }),
  'add.partitions.to.txn.retry.backoff.ms': int({
    default: 20,
    rule: atLeast(1),
    importance: 'HIGH',
    doc: 'Pause between those retries.',
  }),
  'producer.id.expiration.check.interval.ms': int({
    default: 600_000,
    rule: atLeast(1),
    importance: 'LOW',
    internal: true,
    doc: 'How often producer state is looked at for expired entries.',
  }),
  'producer.id.expiration.ms': int({
    default: 86_400_000,
    rule: atLeast(1),
    importance: 'LOW',
    updateMode: 'cluster-wide',
    doc: 'How long a partition remembers an idempotent producer that has gone quiet.',
  }),
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': int({
    default: 10_000,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'How often open transactions are looked at for timed-out ones to abort.',
  }),
  'transaction.max.timeout.ms': int({
    default: 900_000,
    rule: atLeast(1),
    importance: 'HIGH',
    doc: 'Longest timeout that a transaction may ask for.',
  }),
  'transaction.partition.verification.enable': boolean({
    default: true,
    importance: 'LOW',
    updateMode: 'cluster-wide',
    doc: 'Whether a transactional write is only accepted once the coordinator confirms that the partition is part of the transaction.',
  }),
  'transaction.remove.expired.transaction.cleanup.interval.ms': int({
    default: 3_600_000,
    rule: atLeast(1),
    importance: 'LOW',
    doc: 'How often transactional ids are looked at for expired ones.',
  }),
  'transaction.state.log.load.buffer.size': int({
    default: 5_242_880,
    rule: atLeast(1),
    importance: 'HIGH',
    doc: 'Bytes read at a time when a coordinator loads transactions.',
  }),
  'transaction.state.log.min.isr': int({
    default: 2,
    rule: atLeast(1),
    importance: 'HIGH',
    doc: 'In-sync replicas that must have a batch of transaction state.',
  }),
  'transaction.state.log.num.partitions': int({
    default: 50,
    rule: atLeast(1),
    importance: 'HIGH',
    doc: 'Partitions of __transaction_state; fixed once the topic exists.',
  }),
  'transaction.state.log.replication.factor': short({
    default: 3,
    rule: atLeast(1),
    importance: 'HIGH',
    doc: 'Replicas of __transaction_state.',
  }),
  'transaction.state.log.segment.bytes': int({
    default: 104_857_600,
    rule: atLeast(1),
    importance: 'HIGH',
    doc: 'Segment size of __transaction_state.',
  }),
  'transaction.two.phase.commit.enable': boolean({
    default: false,
    importance: 'LOW',
    doc: 'Whether producers may ask for transactions that only they themselves can end.',
  }),
  'transactional.id.expiration.ms': int({
    default: 604_800_000,
    rule: atLeast(1),
    importance: 'HIGH',
    doc: 'How long the coordinator remembers a transactional id that is not used.',
  }),
};
