import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorName } from '../base/errors.ts';
import { LogHarness, readAll, valuesOf } from './log-harness.test.ts';

test('what was appended is read back, before and after a clean restart', () => {
  const harness = new LogHarness({ config: { segmentBytes: 2000, indexIntervalBytes: 300 } }).open();
  const log = harness.log();
  const expected: string[] = [];
  for (let i = 0; i < 40; i++) {
    const batch = harness.batch(1 + (i % 4));
    expected.push(...valuesOf(batch));
    const outcome = harness.produce(log, batch);
    assert.equal(outcome.endOffset, expected.length);
  }
  assert.ok(log.segmentCount >= 3);
  assert.deepEqual(
    readAll(log).map((record) => record.value),
    expected,
  );
  harness.close();
  harness.open();
  assert.deepEqual(harness.directories[0]?.wasClean, true);
  assert.equal(harness.manager?.previousBrokerEpoch, 7);
  const again = harness.log();
  assert.equal(again.logEndOffset, expected.length);
  assert.equal(again.topicId, log.topicId);
  again.checkInvariants();
  assert.deepEqual(
    readAll(again).map((record) => record.value),
    expected,
  );
});

for (const kind of ['process', 'power'] as const) {
  test(`what was flushed is there after a crash of the ${kind}`, () => {
    for (let seed = 0; seed < 30; seed++) {
      const harness = new LogHarness({
        seed,
        config: { segmentBytes: 1500, indexIntervalBytes: 200 },
      }).open();
      const log = harness.log();
      for (let i = 0; i < 12; i++) harness.produce(log, harness.batch(3));
      harness.flush(log);
      const flushed = readAll(log);
      for (let i = 0; i < 8; i++) harness.produce(log, harness.batch(3));
      const all = readAll(log);
      harness.crash(kind);
      harness.open();
      const again = harness.log();
      again.checkInvariants();
      const left = readAll(again);
      assert.ok(left.length >= flushed.length, `seed ${seed}`);
      assert.deepEqual(left, all.slice(0, left.length));
      if (kind === 'process') assert.equal(left.length, all.length);
      harness.produce(again, harness.batch(2));
      assert.equal(readAll(again).length, left.length + 2);
    }
  });
}

test('a batch that is not right leaves no trace', () => {
  const harness = new LogHarness().open();
  const log = harness.log();
  const bytes = harness.batch(2);
  bytes[70] = 99;
  assert.equal(errorName(harness.append(log, bytes).errorCode), 'CORRUPT_MESSAGE');
  assert.equal(log.logEndOffset, 0);
  assert.equal(log.sizeBytes, 0);
  harness.produce(log, harness.batch(1));
});
