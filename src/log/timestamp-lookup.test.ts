import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorName } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { buildCompressedBatch } from '../records/builder.ts';
import { LogHarness } from './log-harness.test.ts';
import type { TimestampAndOffset } from './log-read.ts';
import type { PartitionLog } from './partition-log.ts';

function find(log: PartitionLog, timestampMs: number): TimestampAndOffset | null {
  let result: TimestampAndOffset | null | undefined;
  log.offsetForTimestamp(timestampMs, (errorCode, found) => {
    assert.equal(errorName(errorCode), 'NONE');
    result = found;
  });
  assert.ok(result !== undefined);
  return result;
}

function findMax(log: PartitionLog): TimestampAndOffset | null {
  let result: TimestampAndOffset | null | undefined;
  log.offsetForMaxTimestamp((errorCode, found) => {
    assert.equal(errorName(errorCode), 'NONE');
    result = found;
  });
  assert.ok(result !== undefined);
  return result;
}

test('a timestamp is found as a walk over all records finds it, whatever the order of timestamps', () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = new Random(seed, 3);
    const harness = new LogHarness({
      seed,
      config: { segmentBytes: 1500, indexIntervalBytes: random.pick([0, 200, 1000]) },
    }).open();
    const log = harness.log();
    const base = harness.clock.wallMs() - 10_000;
    const disorder = random.pick([0, 10, 500]);
    const all: TimestampAndOffset[] = [];
    for (let i = 0; i < 60; i++) {
      const records = harness.records(1 + random.below(4), random.below(40)).map((record) => ({
        ...record,
        timestampMs: random.chance(0.1) ? -1 : base + i * 20 + random.below(disorder + 1),
      }));
      buildCompressedBatch(
        { records },
        { codec: random.pick([0, 0, 1]), level: null },
        harness.compute,
        (_e, batch) => {
          assert.ok(batch);
          const { baseOffset } = harness.produce(log, batch, { leaderEpoch: Math.floor(i / 10) });
          for (const [j, record] of records.entries()) {
            all.push({
              offset: baseOffset + j,
              timestampMs: record.timestampMs,
              leaderEpoch: Math.floor(i / 10),
            });
          }
        },
      );
    }
    if (random.chance(0.5)) log.advanceLogStart(random.below(all.length));
    if (random.chance(0.5)) {
      harness.close();
      harness.open();
    }
    const now = harness.log();
    const visible = all.filter((record) => record.offset >= now.logStartOffset);
    for (let round = 0; round < 40; round++) {
      const target = base - 50 + random.below(2000);
      assert.deepEqual(
        find(now, target),
        visible.find((r) => r.timestampMs >= target) ?? null,
        `seed ${seed}, ${target}`,
      );
    }
    assert.equal(find(now, base + 1_000_000), null);
    const max = Math.max(...visible.map((record) => record.timestampMs));
    const expected = visible.find((record) => record.timestampMs === max);
    if (now.logStartOffset === 0) assert.deepEqual(findMax(now), expected);
  }
});

test('on a LogAppendTime topic every record has the time of its batch', () => {
  const harness = new LogHarness({ config: { messageTimestampType: 'LogAppendTime' } }).open();
  const log = harness.log();
  const first = harness.clock.wallMs();
  harness.produce(log, harness.batch(3));
  harness.clock.runFor(100);
  harness.produce(log, harness.batch(3));
  assert.deepEqual(find(log, first), { offset: 0, timestampMs: first, leaderEpoch: 0 });
  assert.deepEqual(find(log, first + 1), { offset: 3, timestampMs: first + 100, leaderEpoch: 0 });
  assert.deepEqual(findMax(log), { offset: 3, timestampMs: first + 100, leaderEpoch: 0 });
});

test('an empty log has no timestamps', () => {
  const log = new LogHarness().open().log();
  assert.equal(find(log, 0), null);
  assert.equal(findMax(log), null);
});

test('a large batch is opened off the thread, and the lookup goes on if the log was cut meanwhile', () => {
  const harness = new LogHarness().open();
  const log = harness.log();
  const pack = (): Buffer => {
    let out: Buffer | null = null;
    buildCompressedBatch(
      { records: harness.records(2) },
      { codec: 1, level: null },
      harness.compute,
      (_e, batch) => {
        out = batch;
      },
    );
    assert.ok(out);
    return out;
  };
  harness.produce(log, pack());
  harness.clock.runFor(50);
  harness.produce(log, pack());
  harness.compute.hold = true;
  let found: TimestampAndOffset | null | undefined;
  log.offsetForTimestamp(harness.clock.wallMs(), (_code, result) => {
    found = result;
  });
  assert.equal(found, undefined);
  harness.compute.release();
  assert.equal((found as TimestampAndOffset | undefined)?.offset, 2);
});
