// Each row of formats §29 at the lane of a log: Kafka's error code, and nothing appended.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { SSD_LATENCY } from '../../sim/virtual/disk.ts';
import { errorName } from '../base/errors.ts';
import type { BatchInput } from '../records/builder.ts';
import { buildControlBatch } from '../records/control-records.ts';
import type { AppendOutcome, AppendRequest } from './append-request.ts';
import { LogHarness } from './log-harness.test.ts';
import type { PartitionLog } from './partition-log.ts';

const PRODUCER = 7;

/** A log, and appends to it told in short. */
class Bench {
  readonly harness: LogHarness;
  readonly log: PartitionLog;

  constructor(options: ConstructorParameters<typeof LogHarness>[0] = {}) {
    this.harness = new LogHarness(options).open();
    this.log = this.harness.log();
    this.harness.flush(this.log);
  }

  data(baseSequence: number, producerEpoch = 0, more: Partial<BatchInput> = {}): Buffer {
    return this.harness.batch(2, { producerId: PRODUCER, producerEpoch, baseSequence, ...more });
  }

  transactional(baseSequence: number, producerEpoch = 0): Buffer {
    return this.data(baseSequence, producerEpoch, { transactional: true });
  }

  marker(producerEpoch: number, coordinatorEpoch = 0, type: 'COMMIT' | 'ABORT' = 'ABORT'): Buffer {
    return buildControlBatch(
      {
        records: [{ type, coordinatorEpoch }],
        timestampMs: this.harness.clock.wallMs(),
        producerId: PRODUCER,
        producerEpoch,
      },
      this.harness.compute,
    );
  }

  /** What a client, a coordinator or a leader was answered; refused appends leave the log as it was. */
  append(bytes: Buffer, rest: Partial<AppendRequest> = {}): string {
    const before = this.log.logEndOffset;
    const outcome = this.harness.append(this.log, bytes, rest);
    const name = errorName(outcome.errorCode);
    if (name !== 'NONE' || outcome.duplicate)
      assert.equal(this.log.logEndOffset, before, 'nothing is appended');
    return outcome.duplicate ? `duplicate of ${outcome.baseOffset}` : name;
  }

  mark(bytes: Buffer, transactionVersion = 0): string {
    return this.append(bytes, { origin: 'coordinator', transactionVersion });
  }
}

suite('what a log checks of producers', () => {
  test('one of the last five batches is a duplicate, an older one is out of order', () => {
    const bench = new Bench();
    for (let i = 0; i < 7; i++) assert.equal(bench.append(bench.data(2 * i)), 'NONE');
    for (let i = 2; i < 7; i++) assert.equal(bench.append(bench.data(2 * i)), `duplicate of ${2 * i}`);
    assert.equal(bench.append(bench.data(2)), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  });

  test('an older epoch is refused, a newer one must begin at 0', () => {
    const bench = new Bench();
    assert.equal(bench.append(bench.data(0, 4)), 'NONE');
    assert.equal(bench.append(bench.data(2, 3)), 'INVALID_PRODUCER_EPOCH');
    assert.equal(bench.append(bench.data(2, 5)), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
    assert.equal(bench.append(bench.data(0, 5)), 'NONE');
  });

  test('a gap is refused, the sequence after 2147483647 is 0, and a producer that is not known begins anywhere', () => {
    const bench = new Bench();
    assert.equal(bench.append(bench.data(2147483646)), 'NONE');
    assert.equal(bench.append(bench.data(2)), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
    assert.equal(bench.append(bench.data(0)), 'NONE');
  });

  test('while a transaction is open a batch outside of it is refused', () => {
    const bench = new Bench();
    assert.equal(bench.append(bench.transactional(0)), 'NONE');
    assert.equal(bench.append(bench.data(2)), 'INVALID_TXN_STATE');
    assert.equal(bench.append(bench.transactional(2)), 'NONE');
    assert.equal(bench.mark(bench.marker(0)), 'NONE');
    assert.equal(bench.append(bench.data(4)), 'NONE');
  });

  test('a marker of an older epoch is refused', () => {
    const bench = new Bench();
    assert.equal(bench.append(bench.transactional(0, 3)), 'NONE');
    assert.equal(bench.mark(bench.marker(2)), 'INVALID_PRODUCER_EPOCH');
    assert.equal(bench.mark(bench.marker(3)), 'NONE');
    assert.equal(bench.mark(bench.marker(3)), 'NONE', 'what is over may be ended again');
    assert.equal(bench.mark(bench.marker(5)), 'NONE');
    assert.equal(bench.append(bench.transactional(0, 4)), 'INVALID_PRODUCER_EPOCH');
  });

  test('from transaction version 2 on a marker has a newer epoch than its transaction', () => {
    const bench = new Bench();
    assert.equal(bench.append(bench.transactional(0, 3)), 'NONE');
    assert.equal(bench.mark(bench.marker(2), 2), 'INVALID_PRODUCER_EPOCH');
    assert.equal(bench.mark(bench.marker(3), 2), 'INVALID_PRODUCER_EPOCH');
    assert.equal(bench.mark(bench.marker(4), 2), 'NONE');
    assert.equal(bench.mark(bench.marker(4), 2), 'NONE', 'a retry of what is over');
    assert.equal(bench.mark(bench.marker(3), 2), 'INVALID_PRODUCER_EPOCH');
    assert.equal(bench.append(bench.transactional(2, 3)), 'INVALID_PRODUCER_EPOCH');
    assert.equal(bench.append(bench.transactional(0, 4)), 'NONE');
  });

  test('a marker of a coordinator that was replaced is refused', () => {
    const bench = new Bench();
    assert.equal(bench.append(bench.transactional(0)), 'NONE');
    assert.equal(bench.mark(bench.marker(0, 5)), 'NONE');
    assert.equal(bench.append(bench.transactional(2)), 'NONE');
    assert.equal(bench.mark(bench.marker(0, 4)), 'TRANSACTION_COORDINATOR_FENCED');
    assert.equal(bench.mark(bench.marker(0, 5)), 'NONE');
    assert.equal(bench.mark(bench.marker(0, 6)), 'NONE');
  });

  test('a client writes no markers, neither as such nor inside of a transaction', () => {
    const bench = new Bench();
    assert.equal(bench.append(bench.transactional(0)), 'NONE');
    assert.equal(bench.append(bench.marker(0)), 'INVALID_RECORD');
    assert.equal(bench.append(bench.data(2, 0, { control: true })), 'INVALID_RECORD');
    assert.equal(bench.append(bench.data(2, 0, { control: true, transactional: true })), 'INVALID_RECORD');
    assert.equal(bench.log.producers().next().value?.currentTxnFirstOffset, 0);
  });

  test('a replica takes what its leader took', () => {
    const bench = new Bench();
    const copy = (bytes: Buffer): string => {
      bytes.writeBigInt64BE(BigInt(bench.log.logEndOffset), 0);
      bytes.writeInt32BE(0, 12);
      return bench.append(bytes, { origin: 'replica' });
    };
    assert.equal(copy(bench.transactional(0, 3)), 'NONE');
    assert.equal(copy(bench.transactional(40, 2)), 'NONE');
    assert.equal(copy(bench.marker(1, 5)), 'NONE');
    assert.equal(copy(bench.marker(0, 4)), 'NONE');
    assert.equal(bench.log.segments[0]?.txnIndex.count, 1);
  });

  test('a marker on its way counts like one in the log, until its write fails', () => {
    const bench = new Bench({ disk: { latency: { ...SSD_LATENCY, inlineAppends: 0 } } });
    const { harness, log } = bench;
    assert.equal(bench.append(bench.transactional(0)), 'NONE');
    const both = (): string[] => {
      const outcomes: AppendOutcome[] = [];
      const marker = { origin: 'coordinator', transactionVersion: 2 } as const;
      log.append(harness.request(bench.marker(1), marker), (outcome) => outcomes.push(outcome));
      log.append(harness.request(bench.transactional(2)), (outcome) => outcomes.push(outcome));
      harness.whenIdle(log);
      return outcomes.map(({ errorCode }) => errorName(errorCode)).sort();
    };
    const pathPrefix = '/data/t-0/00000000000000000000.log';
    const lift = harness.disk.faults.add({ operation: 'append', pathPrefix, code: 'ENOSPC', times: 1 });
    // A late batch of the transaction must not come behind its marker: nobody would end it.
    assert.deepEqual(both(), ['INVALID_PRODUCER_EPOCH', 'KAFKA_STORAGE_ERROR']);
    lift();
    assert.equal(log.logEndOffset, 2);
    assert.deepEqual(both(), ['INVALID_PRODUCER_EPOCH', 'NONE']);
    assert.equal(log.logEndOffset, 3);
    log.highWatermark = 3;
    assert.equal(log.lastStableOffset, 3);
  });
});
