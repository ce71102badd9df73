import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { LogHarness, readAll } from './log-harness.test.ts';

const SEGMENT_BYTES = 4000;

function preallocating(rest: { segmentBytes?: number } = {}): LogHarness {
  return new LogHarness({ config: { segmentBytes: SEGMENT_BYTES, preallocate: true, ...rest } }).open();
}

/** Sizes of the log files by base offset. */
function sizes(harness: LogHarness): number[] {
  const files = harness.disk.list('/data/t-0').filter(({ name }) => name.endsWith('.log'));
  return files.map(({ sizeBytes }) => sizeBytes);
}

suite('preallocation', () => {
  test('a new segment is as long as it may get, a sealed one as long as what is in it', () => {
    const harness = preallocating();
    const log = harness.log();
    assert.deepEqual(sizes(harness), [SEGMENT_BYTES]);
    while (log.segmentCount < 3) harness.append(log, harness.batch(5));
    const used = log.segments.map(({ sizeBytes }) => sizeBytes);
    assert.deepEqual(sizes(harness), [used[0], used[1], SEGMENT_BYTES]);
    assert.equal(log.sizeBytes, used[0]! + used[1]! + used[2]!, 'zeros are no part of the log');
    harness.close();
    assert.deepEqual(sizes(harness), used, 'a clean close takes back what was not used');
  });

  test('a crash leaves zeros behind the records, which the next start cuts off', () => {
    for (const kind of ['process', 'power'] as const) {
      const harness = preallocating();
      const log = harness.log();
      for (let i = 0; i < 40; i++) harness.append(log, harness.batch(3));
      harness.flush(log);
      const before = readAll(log);
      assert.equal(sizes(harness).at(-1), SEGMENT_BYTES);
      harness.crash(kind);
      harness.open();
      const again = harness.log();
      assert.deepEqual(readAll(again), before, kind);
      assert.deepEqual(
        sizes(harness),
        again.segments.map(({ sizeBytes }) => sizeBytes),
      );
      harness.append(again, harness.batch(1));
      assert.equal(again.logEndOffset, before.length + 1);
      harness.close();
    }
  });

  test('a segment that the crash left uncut before a later one costs none of the later records', () => {
    const harness = preallocating();
    const log = harness.log();
    while (log.segmentCount < 3) harness.append(log, harness.batch(5));
    harness.append(log, harness.batch(5));
    const before = readAll(log);
    harness.crash('process');
    const first = harness.disk.open('/data/t-0/00000000000000000000.log', 'read-write');
    first.truncate(SEGMENT_BYTES);
    first.close();
    harness.open();
    assert.deepEqual(readAll(harness.log()), before);
    harness.close();
  });

  test('no room to preallocate does not keep a log from being written', () => {
    const harness = preallocating();
    harness.disk.faults.add({ operation: 'truncate', code: 'ENOSPC' });
    const log = harness.log();
    harness.append(log, harness.batch(2));
    assert.equal(log.logEndOffset, 2);
    assert.deepEqual(sizes(harness), [log.sizeBytes]);
    harness.close();
  });
});
