import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SSD_LATENCY } from '../../sim/virtual/disk.ts';
import { errorName } from '../base/errors.ts';
import type { DiskError } from '../io/disk.ts';
import { LogHarness, readAll } from './log-harness.test.ts';
import type { PartitionLog } from './partition-log.ts';

const CONFIG = { segmentBytes: 900, indexIntervalBytes: 200 };

function cut(harness: LogHarness, log: PartitionLog, offset: number, fully = false): DiskError | null {
  let result: DiskError | null | undefined;
  const done = (error: DiskError | null): void => {
    result = error;
  };
  if (fully) log.truncateFullyAndStartAt(offset, done);
  else log.truncateTo(offset, done);
  assert.ok(harness.clock.runUntilTrue(() => result !== undefined));
  log.checkInvariants();
  return result ?? null;
}

function snapshots(harness: LogHarness): number[] {
  return harness.disk
    .list('/data/t-0')
    .filter((entry) => entry.name.endsWith('.snapshot'))
    .map((entry) => Number(entry.name.slice(0, 20)));
}

test('a cut takes segments, snapshots and epochs above it along', () => {
  const harness = new LogHarness({ config: CONFIG }).open();
  const log = harness.log();
  for (let i = 0; i < 32; i++) harness.produce(log, harness.batch(2), { leaderEpoch: Math.floor(i / 8) });
  const before = readAll(log);
  assert.ok(snapshots(harness).some((offset) => offset > 20));
  assert.equal(cut(harness, log, 20), null);
  assert.deepEqual(readAll(log), before.slice(0, 20));
  assert.ok(snapshots(harness).every((offset) => offset <= 20));
  assert.deepEqual([log.logEndOffset, log.latestEpoch], [20, 1]);
  assert.deepEqual(log.endOffsetForEpoch(1), { epoch: 1, endOffset: 20 });
  assert.equal(log.endOffsetForEpoch(2), null);
  harness.produce(log, harness.batch(3), { leaderEpoch: 9 });
  assert.deepEqual(log.endOffsetForEpoch(1), { epoch: 1, endOffset: 20 });
  harness.close();
  harness.open();
  assert.equal(harness.log().logEndOffset, 23);
  assert.deepEqual(readAll(harness.log()).slice(0, 20), before.slice(0, 20));
});

test('a cut at or above the end changes nothing, one within a batch takes the whole batch', () => {
  const harness = new LogHarness({ config: CONFIG }).open();
  const log = harness.log();
  for (let i = 0; i < 4; i++) harness.produce(log, harness.batch(3));
  assert.equal(cut(harness, log, 12), null);
  assert.equal(cut(harness, log, 99), null);
  assert.equal(log.logEndOffset, 12);
  assert.equal(cut(harness, log, 10), null);
  assert.equal(log.logEndOffset, 10);
  assert.equal(readAll(log).length, 9);
  assert.equal(harness.produce(log, harness.batch(1)).baseOffset, 10);
  assert.equal(readAll(log).length, 10);
});

test('what producers wrote above the cut is forgotten, what they wrote below is known', () => {
  for (const restart of [false, true]) {
    const harness = new LogHarness({ config: CONFIG }).open();
    const log = harness.log();
    const batches = Array.from({ length: 12 }, (_, i) =>
      harness.batch(2, { producerId: 5, producerEpoch: 0, baseSequence: 2 * i }),
    );
    for (const batch of batches) harness.produce(log, batch);
    assert.equal(cut(harness, log, 18), null);
    if (restart) {
      harness.crash('process');
      harness.open();
    }
    const now = harness.log();
    const again = harness.produce(now, batches[8] as Buffer);
    assert.deepEqual([again.duplicate, again.baseOffset], [true, 16]);
    assert.equal(
      errorName(harness.append(now, batches[10] as Buffer).errorCode),
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    );
    const next = harness.produce(now, batches[9] as Buffer);
    assert.deepEqual([next.duplicate, next.baseOffset], [false, 18]);
  }
});

test('an emptied log begins where it is told, lower or higher', () => {
  for (const start of [4, 500]) {
    const harness = new LogHarness({ config: CONFIG }).open();
    const log = harness.log();
    for (let i = 0; i < 20; i++) harness.produce(log, harness.batch(2), { leaderEpoch: 2 });
    harness.flush(log);
    assert.equal(cut(harness, log, start, true), null);
    assert.deepEqual([log.logStartOffset, log.logEndOffset, log.flushedEndOffset], [start, start, start]);
    assert.equal(log.latestEpoch, -1);
    assert.equal(harness.produce(log, harness.batch(2), { leaderEpoch: 3 }).baseOffset, start);
    harness.close();
    harness.open();
    assert.deepEqual([harness.log().logStartOffset, harness.log().logEndOffset], [start, start + 2]);
  }
});

test('a cut waits for what is under way, and appends made meanwhile come after it', () => {
  const harness = new LogHarness({ disk: { latency: { ...SSD_LATENCY, inlineAppends: 0 } } }).open();
  const log = harness.log();
  const events: string[] = [];
  log.append(harness.request(harness.batch(4)), (outcome) => events.push(`first at ${outcome.baseOffset}`));
  log.truncateTo(2, () => events.push(`cut to ${log.logEndOffset}`));
  harness.clock.runFor(100);
  log.append(harness.request(harness.batch(1)), (outcome) => events.push(`second at ${outcome.baseOffset}`));
  harness.clock.runFor(100);
  assert.deepEqual(events, ['first at 0', 'cut to 2', 'second at 2']);
});

test('before a cut is made the checkpoints promise no more than will be left', () => {
  const harness = new LogHarness({ config: CONFIG }).open();
  for (let i = 0; i < 20; i++) harness.produce(harness.log(), harness.batch(2));
  harness.log().highWatermark = 40;
  harness.close();
  harness.open();
  const log = harness.log();
  const recoveryPoint = (): string =>
    harness.disk.readFile('/data/recovery-point-offset-checkpoint').toString();
  assert.equal(recoveryPoint(), '0\n1\nt 0 40\n');
  const file = log.segments[0]?.file ?? assert.fail();
  const truncate = file.truncate.bind(file);
  file.truncate = (sizeBytes) => {
    assert.equal(recoveryPoint(), '0\n1\nt 0 6\n');
    assert.equal(harness.disk.readFile('/data/replication-offset-checkpoint').toString(), '0\n1\nt 0 6\n');
    truncate(sizeBytes);
  };
  assert.equal(cut(harness, log, 6), null);
  assert.equal(log.logEndOffset, 6);
});

test('a cut whose checkpoints cannot be taken back is not made', () => {
  const harness = new LogHarness({ config: CONFIG }).open();
  for (let i = 0; i < 5; i++) harness.produce(harness.log(), harness.batch(2));
  harness.close();
  harness.open();
  const log = harness.log();
  const lift = harness.disk.faults.add({ operation: 'append', pathPrefix: '/data/recovery', code: 'ENOSPC' });
  assert.equal(cut(harness, log, 4)?.code, 'ENOSPC');
  assert.equal(log.logEndOffset, 10);
  harness.produce(log, harness.batch(1));
  lift();
  assert.equal(cut(harness, log, 4), null);
  assert.equal(log.logEndOffset, 4);
});

test('a cut that fails half way takes the log offline, and the start after it finds a log that is right', () => {
  const harness = new LogHarness({ config: CONFIG }).open();
  const log = harness.log();
  for (let i = 0; i < 32; i++) harness.produce(log, harness.batch(2));
  const before = readAll(log);
  harness.disk.faults.add({ operation: 'truncate', pathPrefix: log.segments[1]?.file.path ?? '', times: 1 });
  assert.equal(cut(harness, log, 4)?.code, 'EIO');
  assert.equal(log.offline, true);
  harness.crash('process');
  harness.open();
  const again = harness.log();
  assert.deepEqual(readAll(again), before.slice(0, again.logEndOffset));
  again.checkInvariants();
});
