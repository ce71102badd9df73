import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SSD_LATENCY } from '../../sim/virtual/disk.ts';
import type { DiskError } from '../io/disk.ts';
import { ErrorCode } from '../base/errors.ts';
import { LogHarness } from './log-harness.test.ts';

const SLOW = { latency: { ...SSD_LATENCY, inlineAppends: 1 } };

test('with flush.messages=1 the end that counts is the flushed one, and flushes are shared', () => {
  const harness = new LogHarness({ disk: SLOW, config: { flushMessages: 1 } }).open();
  const log = harness.log();
  harness.produce(log, harness.batch(1));
  harness.whenIdle(log);
  let flushes = 0;
  const file = log.segments[0]?.file ?? assert.fail();
  const flush = file.flush.bind(file);
  file.flush = (done) => {
    flushes++;
    flush(done);
  };
  const ends: number[] = [];
  log.onFlushed(() => ends.push(log.flushedEndOffset));
  for (let i = 0; i < 10; i++) harness.produce(log, harness.batch(1));
  assert.deepEqual([log.logEndOffset, log.acknowledgedEndOffset], [11, 1]);
  harness.whenIdle(log);
  assert.deepEqual([log.logEndOffset, log.acknowledgedEndOffset], [11, 11]);
  assert.deepEqual(ends, [2, 11]);
  assert.equal(flushes, 2);
});

test('otherwise the end that counts is the log end', () => {
  const harness = new LogHarness({ disk: SLOW }).open();
  const log = harness.log();
  harness.produce(log, harness.batch(3));
  assert.deepEqual([log.acknowledgedEndOffset, log.flushedEndOffset], [3, 0]);
});

test('flush.messages counts records, flush.ms time since the first that was not flushed', () => {
  const harness = new LogHarness({ config: { flushMessages: 10, flushMs: 500 } }).open();
  const log = harness.log();
  harness.produce(log, harness.batch(9));
  assert.equal(log.flushedEndOffset, 0);
  harness.produce(log, harness.batch(1));
  assert.equal(log.flushedEndOffset, 10);
  harness.clock.runFor(1000);
  harness.produce(log, harness.batch(2));
  harness.clock.runFor(400);
  harness.produce(log, harness.batch(2));
  assert.equal(log.flushedEndOffset, 10);
  harness.clock.runFor(100);
  assert.equal(log.flushedEndOffset, 14);
});

test('a new flush.ms or flush.messages counts for what is not flushed yet, without another record', () => {
  const harness = new LogHarness({ config: { flushMs: 100_000 } }).open();
  const log = harness.log();
  harness.produce(log, harness.batch(5));
  log.updateConfig({ ...log.config, flushMs: 500 });
  harness.clock.runFor(499);
  assert.equal(log.flushedEndOffset, 0);
  harness.clock.runFor(2);
  assert.equal(log.flushedEndOffset, 5);
  harness.produce(log, harness.batch(2));
  log.updateConfig({ ...log.config, flushMessages: 3 });
  assert.equal(log.flushedEndOffset, 5);
  log.updateConfig({ ...log.config, flushMessages: 2 });
  assert.equal(log.flushedEndOffset, 7);
});

test('a failed flush is not tried again: the directory goes offline with all its logs', () => {
  const harness = new LogHarness({ disk: SLOW });
  const offline: string[] = [];
  harness.managerOptions = { onDirectoryOffline: (directory) => offline.push(directory.path) };
  harness.open();
  const log = harness.log();
  const other = harness.log('other');
  harness.produce(log, harness.batch(1));
  harness.produce(other, harness.batch(1));
  harness.disk.faults.add({ operation: 'flush', times: 1, pathPrefix: log.segments[0]?.file.path ?? '' });
  const errors: (DiskError | null)[] = [];
  log.flush((error) => errors.push(error));
  log.flush((error) => errors.push(error));
  harness.clock.runFor(100);
  log.flush((error) => errors.push(error));
  assert.deepEqual(
    errors.map((error) => error?.code),
    ['EIO', 'EIO', 'EIO'],
  );
  assert.deepEqual(offline, ['/data']);
  assert.equal(log.flushedEndOffset, 0);
  assert.equal(other.offline, true);
  assert.equal(harness.append(other, harness.batch(1)).errorCode, 56);
});

test('a flush for which there is no room beside the log is made up for later', () => {
  const harness = new LogHarness().open();
  const log = harness.log();
  const lift = harness.disk.faults.add({
    operation: 'append',
    code: 'ENOSPC',
    pathPrefix: '/data/t-0/leader-epoch',
  });
  harness.produce(log, harness.batch(1));
  let failed: DiskError | null = null;
  log.flush((error) => {
    failed = error;
  });
  assert.equal((failed as DiskError | null)?.code, 'ENOSPC');
  assert.equal(log.flushedEndOffset, 0);
  assert.equal(log.offline, false);
  lift();
  harness.clock.runFor(1000);
  assert.equal(log.flushedEndOffset, 1);
});

test('a write that was in flight when the log went offline is not acknowledged', () => {
  const harness = new LogHarness({ disk: { latency: { ...SSD_LATENCY, inlineAppends: 0 } } }).open();
  const log = harness.log();
  const codes: number[] = [];
  for (let i = 0; i < 3; i++)
    log.append(harness.request(harness.batch(1)), (outcome) => codes.push(outcome.errorCode));
  log.directory.fail(new Error('gone'));
  log.checkInvariants();
  harness.clock.runFor(100);
  assert.deepEqual(codes, [56, 56, 56]);
  assert.equal(log.logEndOffset, 0);
  log.checkInvariants();
});

test('thousands of flushes, each asked for by the one before, do not pile up on the stack', () => {
  const harness = new LogHarness().open();
  const log = harness.log();
  harness.produce(log, harness.batch(1));
  let left = 20_000;
  const again = (): void => {
    if (--left > 0) log.flush(again);
  };
  log.flush(again);
  assert.equal(left, 0);
});

test('a flush makes a new segment durable by its name too', () => {
  const harness = new LogHarness({ config: { segmentBytes: 300 }, disk: { entryLoss: 1 } }).open();
  const log = harness.log();
  harness.produce(log, harness.batch(harness.records(1, 150)));
  harness.flush(log);
  // The snapshot, which would flush the directory on its way, is not written.
  const lift = harness.disk.faults.add({ operation: 'rename' });
  harness.produce(log, harness.batch(harness.records(1, 150)));
  lift();
  assert.equal(log.segmentCount, 2);
  harness.flush(log);
  harness.crash('power');
  harness.open();
  assert.equal(harness.log().logEndOffset, 2);
});

test('a roll whose flush fails at once fails the append, and nothing else', () => {
  const harness = new LogHarness({ config: { segmentBytes: 300 } }).open();
  const log = harness.log();
  harness.produce(log, harness.batch(harness.records(1, 150)));
  harness.disk.faults.add({ operation: 'rename' });
  const outcome = harness.append(log, harness.batch(harness.records(1, 150)));
  assert.equal(outcome.errorCode, ErrorCode.KAFKA_STORAGE_ERROR);
  assert.equal(log.offline, true);
});

test('an epoch without records is not written; one with records is, with the next flush', () => {
  const harness = new LogHarness().open();
  const log = harness.log();
  const path = `${log.path}/leader-epoch-checkpoint`;
  log.assignEpoch(3, 0);
  harness.flush(log);
  assert.equal(harness.disk.exists(path), false);
  harness.produce(log, harness.batch(1), { leaderEpoch: 3 });
  log.assignEpoch(4, 1);
  harness.flush(log);
  assert.equal(harness.disk.readFile(path).toString(), '0\n1\n3 0\n');
});

test('a bug of one who waited for a flush does not keep later flushes from being done', () => {
  const harness = new LogHarness().open();
  const log = harness.log();
  harness.produce(log, harness.batch(1));
  assert.throws(
    () =>
      log.flush(() => {
        throw new Error('a bug');
      }),
    /a bug/,
  );
  harness.produce(log, harness.batch(1));
  let flushed = false;
  log.flush((error) => {
    flushed = error === null;
  });
  assert.ok(flushed);
  assert.equal(log.flushedEndOffset, 2);
});
