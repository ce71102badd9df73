import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ErrorCode } from '../base/errors.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from './log-config.ts';
import { LogHarness, readAll } from './log-harness.test.ts';
import { countDeletable, type RetainedLog } from './retention.ts';

const DAY_MS = 86_400_000;

/** Segments of 10 records and 100 bytes each, with these largest timestamps; the last one is active. */
function logOf(timestampsMs: readonly number[], rest: Partial<RetainedLog> = {}): RetainedLog {
  const segments = timestampsMs.map((maxTimestampMs, i) => ({
    baseOffset: i * 10,
    sizeBytes: 100,
    maxTimestampMs,
  }));
  const end = segments.length * 10;
  return {
    segments,
    logStartOffset: 0,
    logEndOffset: end,
    highWatermark: end,
    sizeBytes: segments.length * 100,
    lastModifiedMs: () => assert.fail('nobody asks for the time of a file whose records have times'),
    ...rest,
  };
}

const config = (rest: Partial<LogConfig>): LogConfig => ({ ...DEFAULT_LOG_CONFIG, retentionMs: -1, ...rest });

suite('what retention deletes', () => {
  test('segments whose newest record is older than retention.ms, up to the first that is not', () => {
    const log = logOf([1000, 2000, 9000, 3000, 9000]);
    assert.equal(countDeletable(log, config({ retentionMs: 5000 }), 10_000), 2);
    assert.equal(countDeletable(log, config({ retentionMs: 8000 }), 10_000), 1);
    assert.equal(
      countDeletable(log, config({ retentionMs: 9000 }), 10_000),
      0,
      'exactly as old is not older',
    );
    assert.equal(countDeletable(log, config({ retentionMs: -1 }), 10_000), 0);
    assert.equal(countDeletable(log, config({ retentionMs: 0 }), 10_000), 5, 'the active one too');
  });

  test('the time of the file counts where no record has a timestamp', () => {
    const log = logOf([-1, -1, 9000], { lastModifiedMs: (i) => (i === 0 ? 1000 : 8000) });
    assert.equal(countDeletable(log, config({ retentionMs: 5000 }), 10_000), 1);
  });

  test('what retention.bytes leaves no room for, never so much that less stays than it allows', () => {
    const log = logOf([1, 2, 3, 4, 5]);
    assert.equal(countDeletable(log, config({ retentionBytes: 300 }), 10), 2);
    assert.equal(countDeletable(log, config({ retentionBytes: 301 }), 10), 1);
    assert.equal(countDeletable(log, config({ retentionBytes: 500 }), 10), 0);
    assert.equal(countDeletable(log, config({ retentionBytes: 0 }), 10), 5);
    assert.equal(countDeletable(log, config({ retentionBytes: -1 }), 10), 0);
  });

  test('segments below the log start, whatever the policy', () => {
    for (const cleanupPolicy of [['compact'], ['delete'], []] as LogConfig['cleanupPolicy'][]) {
      const log = logOf([1, 2, 3], { logStartOffset: 20 });
      assert.equal(countDeletable(log, config({ cleanupPolicy }), 10), 2);
      assert.equal(countDeletable({ ...log, logStartOffset: 19 }, config({ cleanupPolicy }), 10), 1);
      assert.equal(
        countDeletable({ ...log, logStartOffset: 30 }, config({ cleanupPolicy }), 10),
        2,
        'not the active one',
      );
    }
  });

  test('nothing above the high watermark, and no empty active segment', () => {
    const log = logOf([1, 2, 3], { highWatermark: 15 });
    assert.equal(countDeletable(log, config({ retentionMs: 0 }), 10_000), 1);
    const fresh = logOf([1, 2]);
    const segments = [...fresh.segments, { baseOffset: 20, sizeBytes: 0, maxTimestampMs: -1 }];
    assert.equal(countDeletable({ ...fresh, segments }, config({ retentionMs: 0 }), 10_000), 2);
  });

  test('without delete in cleanup.policy neither time nor size', () => {
    const log = logOf([1, 2, 3]);
    const rules = { retentionMs: 0, retentionBytes: 0 };
    assert.equal(countDeletable(log, config({ ...rules, cleanupPolicy: ['compact'] }), 10_000), 0);
    assert.equal(countDeletable(log, config({ ...rules, cleanupPolicy: [] }), 10_000), 0);
    assert.equal(countDeletable(log, config({ ...rules, cleanupPolicy: ['compact', 'delete'] }), 10_000), 3);
  });
});

/** A log with `count` segments of one batch each, all committed, whose records are a day apart. */
function filled(count: number, rest: Partial<LogConfig> = {}): LogHarness {
  const harness = new LogHarness({ config: { segmentBytes: 400, fileDeleteDelayMs: 60_000, ...rest } });
  harness.open();
  const log = harness.log();
  for (let i = 0; i < count; i++) {
    harness.append(log, harness.batch(3, {}), { nowMs: harness.clock.wallMs() });
    harness.clock.runFor(DAY_MS);
  }
  log.highWatermark = log.logEndOffset;
  return harness;
}

const names = (harness: LogHarness) => harness.disk.list('/data/t-0').map(({ name }) => name);

suite('a log under retention', () => {
  test('loses old segments at the next check, their files after the delay, and keeps the rest over a restart', () => {
    const harness = filled(10, { retentionMs: 4.5 * DAY_MS });
    const log = harness.log();
    harness.clock.runFor(300_001 - (harness.clock.monotonicMs() % 300_000));
    const start = log.logStartOffset;
    assert.ok(start >= 15 && start <= 18, `${start}`);
    assert.equal(log.segments[0]?.baseOffset, start);
    assert.ok(names(harness).some((name) => name.endsWith('.log.deleted')));
    assert.equal(
      log.read(start - 1, { maxBytes: 1000, upperBoundOffset: Infinity, minOneBatch: true }).errorCode,
      ErrorCode.OFFSET_OUT_OF_RANGE,
    );
    harness.clock.runFor(61_000);
    assert.ok(!names(harness).some((name) => name.endsWith('.deleted')));
    const records = readAll(log);
    harness.close();
    harness.open();
    assert.equal(harness.log().logStartOffset, start);
    assert.deepEqual(readAll(harness.log()), records);
    harness.close();
  });

  test('is emptied when all of it is old, and goes on at its end', () => {
    const harness = filled(4, { retentionMs: DAY_MS });
    const log = harness.log();
    const end = log.logEndOffset;
    harness.clock.runFor(2 * DAY_MS);
    assert.deepEqual(
      [log.logStartOffset, log.logEndOffset, log.segmentCount, log.sizeBytes],
      [end, end, 1, 0],
    );
    harness.append(log, harness.batch(2));
    assert.equal(log.logEndOffset, end + 2);
    log.checkInvariants();
    harness.close();
    harness.open();
    assert.deepEqual([harness.log().logStartOffset, harness.log().logEndOffset], [end, end + 2]);
    harness.close();
  });

  test('goes in steps when it is many segments, and others get their turn between them', () => {
    const harness = new LogHarness({ config: { segmentBytes: 100, fileDeleteDelayMs: 1000 } }).open();
    const log = harness.log();
    const count = 600;
    while (log.segmentCount <= count) harness.append(log, harness.batch(1));
    log.highWatermark = log.logEndOffset;
    const ending = (suffix: string) => names(harness).filter((name) => name.endsWith(suffix)).length;
    log.advanceLogStart(log.logEndOffset - 1);
    assert.ok(harness.clock.runUntilTrue(() => ending('.log.deleted') > 0));
    assert.ok(ending('.log.deleted') < count, 'not all in one turn');
    harness.append(log, harness.batch(1));
    assert.ok(harness.clock.runUntilTrue(() => ending('.log.deleted') === count));
    assert.ok(harness.clock.runUntilTrue(() => ending('.log.deleted') < count));
    assert.ok(ending('.log.deleted') > 0, 'not all in one turn');
    assert.ok(harness.clock.runUntilTrue(() => ending('.deleted') === 0));
    assert.equal(ending('.log'), log.segmentCount);
    assert.equal(ending('.snapshot'), log.segmentCount, 'one at the start of each that is left');
    harness.close();
  });

  test('takes a new configuration without a restart', () => {
    const harness = filled(6, { retentionMs: -1 });
    const log = harness.log();
    harness.clock.runFor(400_000);
    assert.equal(log.logStartOffset, 0);
    log.updateConfig({ ...log.config, retentionBytes: 500 });
    harness.clock.runFor(400_000);
    assert.ok(log.logStartOffset > 0 && log.sizeBytes >= 500 && log.segmentCount > 1);
    harness.close();
  });

  test('through crashes the log start never falls below what was durable, and nothing above it is lost', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const harness = new LogHarness({
        seed,
        config: { segmentBytes: 400, retentionMs: -1, flushMessages: 1 },
      });
      harness.open();
      for (let life = 0; life < 4; life++) {
        const log = harness.log();
        for (let i = harness.random.below(12); i > 0; i--)
          harness.append(log, harness.batch(harness.random.between(1, 4)));
        harness.clock.runFor(1000);
        const durableEnd = log.flushedEndOffset;
        log.highWatermark = log.logEndOffset;
        let durableStart = log.logStartOffset;
        for (let i = harness.random.below(3); i > 0; i--) {
          const to = harness.random.between(log.logStartOffset, durableEnd);
          log.advanceLogStart(to);
          log.saveLogStart(log, (error) => {
            if (error === null) durableStart = Math.max(durableStart, to);
          });
          harness.clock.runFor(harness.random.below(30));
        }
        if (harness.random.chance(0.3)) harness.clock.runFor(120_000);
        const start = log.logStartOffset;
        harness.crash(harness.random.chance(0.7) ? 'power' : 'process');
        harness.open();
        const again = harness.log();
        again.checkInvariants();
        assert.ok(
          again.logStartOffset >= durableStart,
          `seed ${seed}: ${again.logStartOffset} < ${durableStart}`,
        );
        assert.ok(again.logStartOffset <= start, `seed ${seed}`);
        assert.ok(
          again.logEndOffset >= durableEnd,
          `seed ${seed}: the end ${again.logEndOffset} < ${durableEnd}`,
        );
        let next = again.logStartOffset;
        for (const { offset } of readAll(again))
          if (offset >= next) assert.equal(offset, next++, `seed ${seed}: a hole`);
        assert.equal(next, again.logEndOffset);
      }
    }
  });
});
