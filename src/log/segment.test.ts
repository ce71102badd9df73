import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { BatchView } from '../records/batch.ts';
import { LogHarness, readBatches } from './log-harness.test.ts';
import type { PartitionLog } from './partition-log.ts';

function names(harness: LogHarness): string[] {
  return harness.disk.list('/data/t-0').map((entry) => entry.name.replace(/^0{17}/, ''));
}

function at(harness: LogHarness, log: PartitionLog, timestampMs: number): void {
  harness.produce(log, harness.batch([{ key: null, value: Buffer.from('v'), timestampMs }]));
}

suite('rolling', () => {
  test('a segment is rolled when the next batch would not fit, and takes one batch at least', () => {
    const harness = new LogHarness({ config: { segmentBytes: 400 } }).open();
    const log = harness.log();
    const sizes: number[] = [];
    for (let i = 0; i < 6; i++) {
      const batch = harness.batch(harness.records(1, 100 + 20 * i));
      sizes.push(batch.length);
      harness.produce(log, batch);
    }
    let filled = 0;
    let expected = 1;
    for (const size of sizes) {
      if (filled > 0 && filled + size > 400) {
        expected++;
        filled = 0;
      }
      filled += size;
    }
    assert.equal(log.segmentCount, expected);
    assert.ok(log.segments.every((segment) => segment.sizeBytes <= 400));
  });

  test('a segment is rolled when its records span more than segment.ms, whatever the clock says', () => {
    const harness = new LogHarness({ config: { segmentMs: 1000 } }).open();
    const log = harness.log();
    const now = harness.clock.wallMs();
    at(harness, log, now - 5000);
    at(harness, log, now - 4000);
    assert.equal(log.segmentCount, 1);
    at(harness, log, now - 3999);
    assert.equal(log.segmentCount, 2);
    harness.clock.runFor(10_000);
    at(harness, log, now - 3500);
    assert.equal(log.segmentCount, 2);
  });

  test('records without timestamps are measured by the clock', () => {
    const harness = new LogHarness({ config: { segmentMs: 1000 } }).open();
    const log = harness.log();
    at(harness, log, -1);
    harness.clock.runFor(1000);
    at(harness, log, -1);
    assert.equal(log.segmentCount, 1);
    harness.clock.runFor(1);
    at(harness, log, -1);
    assert.equal(log.segmentCount, 2);
  });

  test('jitter makes segments roll earlier, each by its own measure', () => {
    const harness = new LogHarness({
      config: { segmentBytes: 200, segmentMs: 10_000, segmentJitterMs: 9000 },
    }).open();
    const log = harness.log();
    for (let i = 0; i < 8; i++) harness.produce(log, harness.batch(harness.records(1, 90)));
    const jitters = log.segments.map((segment) => segment.rollJitterMs);
    assert.ok(new Set(jitters).size > 4);
    assert.ok(jitters.every((jitter) => jitter >= 0 && jitter < 9000));
  });

  test('jitter counts for the first segments of logs and for those found at a start', () => {
    const harness = new LogHarness({ config: { segmentMs: 10_000, segmentJitterMs: 9000 } }).open();
    const topics = ['a', 'b', 'c', 'd', 'e'];
    const jitters = () =>
      new Set(topics.map((topic) => harness.log(topic).segments.at(-1)?.rollJitterMs)).size;
    assert.ok(jitters() > 2, 'they do not all roll at once');
    harness.close();
    harness.open();
    assert.ok(jitters() > 2);
    harness.close();
  });

  test('a segment is rolled when an index is full', () => {
    const harness = new LogHarness({ config: { indexIntervalBytes: 0, indexSizeMaxBytes: 48 } }).open();
    const log = harness.log();
    // 6 entries fit in the offset index, 4 in the time index, of which one is kept for the end.
    for (let i = 0; i < 12; i++) {
      harness.clock.runFor(1);
      harness.produce(log, harness.batch(1));
    }
    assert.deepEqual(
      log.segments.map((segment) => segment.baseOffset),
      [0, 4, 8],
    );
    const same = harness.log('same-time');
    for (let i = 0; i < 12; i++) harness.produce(same, harness.batch(1));
    assert.deepEqual(
      same.segments.map((segment) => segment.baseOffset),
      [0, 7],
    );
  });

  test('a segment is rolled when offsets get too far from its base', () => {
    const harness = new LogHarness().open();
    const log = harness.log();
    harness.produce(log, harness.batch(1, { partitionLeaderEpoch: 0 }), { origin: 'replica' });
    const far = 0x7fffffff;
    for (const baseOffset of [far, far + 1, 3 * far]) {
      harness.produce(log, harness.batch(1, { baseOffset, partitionLeaderEpoch: 0 }), { origin: 'replica' });
    }
    assert.deepEqual(
      log.segments.map((segment) => segment.baseOffset),
      [0, far + 1, 3 * far],
    );
  });

  test('rolling leaves indexes of just their size, a final time entry and a producer snapshot at the new base', () => {
    const harness = new LogHarness({ config: { segmentBytes: 1000, indexIntervalBytes: 200 } }).open();
    const log = harness.log();
    while (log.segmentCount < 2) {
      harness.clock.runFor(5);
      harness.produce(
        log,
        harness.batch(2, { producerId: 7, producerEpoch: 0, baseSequence: log.logEndOffset }),
      );
    }
    const base = log.segments[1]?.baseOffset ?? 0;
    assert.ok(names(harness).includes(`${String(base).padStart(3, '0')}.snapshot`));
    const [sealed] = log.segments;
    assert.ok(sealed);
    const timeIndex = harness.disk.readFile('/data/t-0/00000000000000000000.timeindex');
    const last = timeIndex.length - 12;
    assert.equal(Number(timeIndex.readBigInt64BE(last)), sealed.maxTimestampMs);
    assert.equal(timeIndex.readInt32BE(last + 8), base - 1);
  });

  test('index entries are made just as Kafka makes them', () => {
    const harness = new LogHarness({ config: { segmentBytes: 1 << 20, indexIntervalBytes: 300 } }).open();
    const log = harness.log();
    const expectedOffsets: number[][] = [];
    const expectedTimes: number[][] = [];
    let position = 0;
    let since = 0;
    let max = { timestamp: -1, offset: 0 };
    for (let i = 0; i < 60; i++) {
      harness.clock.runFor(harness.random.below(3));
      const batch = harness.batch(harness.records(1 + (i % 3), harness.random.below(80)));
      const { endOffset } = harness.produce(log, batch);
      if (harness.clock.wallMs() > max.timestamp)
        max = { timestamp: harness.clock.wallMs(), offset: endOffset - 1 };
      if (since > 300) {
        expectedOffsets.push([endOffset - 1, position]);
        if (max.timestamp > (expectedTimes.at(-1)?.[0] ?? -1))
          expectedTimes.push([max.timestamp, max.offset]);
        since = 0;
      }
      position += batch.length;
      since += batch.length;
    }
    const { offsetIndex, timeIndex } = log.segments[0] ?? assert.fail();
    assert.ok(expectedOffsets.length > 10);
    assert.deepEqual(
      expectedOffsets.map((_, i) => [offsetIndex.offsetAt(i), offsetIndex.positionAt(i)]),
      expectedOffsets,
    );
    assert.deepEqual(
      expectedTimes.map((_, i) => [timeIndex.timestampAt(i), timeIndex.offsetAt(i)]),
      expectedTimes,
    );
    assert.deepEqual([offsetIndex.count, timeIndex.count], [expectedOffsets.length, expectedTimes.length]);
  });

  test('a roll that finds no room changes nothing, and the next one works', () => {
    const harness = new LogHarness({ config: { segmentBytes: 300 } }).open();
    const log = harness.log();
    harness.produce(log, harness.batch(harness.records(1, 200)));
    for (const times of [1, 2, 3]) {
      const skip = harness.disk.faults.add({ operation: 'open', code: 'ENOSPC', times });
      assert.equal(harness.append(log, harness.batch(harness.records(1, 200))).errorCode, 56);
      skip();
      assert.equal(log.segmentCount, 1);
    }
    assert.equal(names(harness).filter((name) => name.endsWith('.log')).length, 1);
    harness.produce(log, harness.batch(harness.records(1, 200)));
    assert.equal(log.segmentCount, 2);
  });

  test('a directory that is gone is noticed at the roll: the log goes offline and nothing is acknowledged', () => {
    const harness = new LogHarness({ config: { segmentBytes: 300 } }).open();
    const log = harness.log();
    harness.produce(log, harness.batch(harness.records(1, 200)));
    harness.disk.removeTree('/data');
    assert.equal(harness.append(log, harness.batch(harness.records(1, 200))).errorCode, 56);
    assert.equal(log.directory.offline, true);
    assert.equal(harness.append(log, harness.batch(1)).errorCode, 56);
  });
});

suite('reading', () => {
  test('a read gives whole batches up to its bounds, and one at least if it must', () => {
    const harness = new LogHarness({ config: { segmentBytes: 1 << 20, indexIntervalBytes: 500 } }).open();
    const log = harness.log();
    const sizes: number[] = [];
    for (let i = 0; i < 200; i++) {
      const batch = harness.batch(harness.records(1, harness.random.below(100)));
      sizes.push(batch.length);
      harness.produce(log, batch);
    }
    for (let round = 0; round < 300; round++) {
      const from = harness.random.below(200);
      const bound = harness.random.between(from, 200);
      const maxBytes = harness.random.between(1, 3000);
      const read = log.read(from, { maxBytes, upperBoundOffset: bound, minOneBatch: false });
      const available = sizes.slice(from, bound).reduce((sum, size) => sum + size, 0);
      const first = sizes[from] as number;
      if (bound === from || first > maxBytes) {
        assert.equal(read.range, null);
        const forced = log.read(from, { maxBytes, upperBoundOffset: bound, minOneBatch: true });
        assert.equal(forced.lengthBytes, bound === from ? 0 : first);
        forced.range?.release();
        continue;
      }
      assert.ok(read.lengthBytes <= Math.min(maxBytes, available));
      assert.ok(read.lengthBytes >= first);
      if (available <= maxBytes) assert.equal(read.lengthBytes, available);
      const head = Buffer.alloc(61);
      read.range?.read(head, 0, 0, 61);
      assert.equal(new BatchView().at(head, 0).baseOffset, from);
      read.range?.release();
    }
  });

  test('every offset is found among batches of all sizes, and where a large batch begins with one read', () => {
    const harness = new LogHarness({ config: { segmentBytes: 1 << 20 } }).open();
    const log = harness.log();
    const starts: number[] = [];
    for (let i = 0; i < 60; i++) {
      starts.push(log.logEndOffset);
      const large = i % 3 > 0;
      harness.produce(log, harness.batch(harness.records(1 + (i % 4), large ? 10_000 : 50)));
    }
    const options = { maxBytes: 1, upperBoundOffset: log.logEndOffset, minOneBatch: true };
    for (let offset = 0; offset < log.logEndOffset; offset++) {
      const batch = readBatches(log, offset, options)[0];
      assert.ok(batch !== undefined);
      assert.equal(
        new BatchView().at(batch, 0).baseOffset,
        starts.findLast((start) => start <= offset),
      );
    }
    const file = log.segments[0]?.file ?? assert.fail();
    let reads = 0;
    const read = file.read.bind(file);
    file.read = (...wanted) => {
      reads++;
      return read(...wanted);
    };
    log.read(starts[20] as number, options).range?.release();
    assert.equal(reads, 1);
  });

  test('at the tail a read touches no file', () => {
    const harness = new LogHarness().open();
    const log = harness.log();
    for (let i = 0; i < 50; i++) harness.produce(log, harness.batch(2));
    harness.disk.faults.add({ operation: 'read' });
    for (let behind = 1; behind <= 16; behind++) {
      for (const bound of [100, 100 - 2 * (behind - 1)]) {
        const read = log.read(100 - 2 * behind, {
          maxBytes: 1 << 20,
          upperBoundOffset: bound,
          minOneBatch: true,
        });
        assert.equal(read.errorCode, 0);
        assert.ok(read.lengthBytes > 0);
        read.range?.release();
      }
    }
    assert.equal(log.read(10, { maxBytes: 1, upperBoundOffset: 100, minOneBatch: true }).errorCode, 56);
    harness.disk.faults.clear();
    assert.equal(readBatches(log, 11, { maxBytes: 1, upperBoundOffset: 100, minOneBatch: true }).length, 1);
  });

  test('offsets outside the log are out of range, its end is not', () => {
    const harness = new LogHarness().open();
    const log = harness.log();
    harness.produce(log, harness.batch(4));
    log.advanceLogStart(2);
    const read = (offset: number): number =>
      log.read(offset, { maxBytes: 100, upperBoundOffset: 100, minOneBatch: false }).errorCode;
    assert.deepEqual([read(1), read(4), read(5)], [1, 0, 1]);
  });

  test('a lease outlives the deletion of its segment and its log', () => {
    const harness = new LogHarness({ config: { segmentBytes: 300, fileDeleteDelayMs: 10 } }).open();
    const log = harness.log();
    for (let i = 0; i < 4; i++) harness.produce(log, harness.batch(harness.records(1, 200)));
    const read = log.read(0, { maxBytes: 1000, upperBoundOffset: 4, minOneBatch: true });
    const before = Buffer.alloc(read.lengthBytes);
    read.range?.read(before, 0, 0, before.length);
    log.advanceLogStart(3);
    const deleted = () => names(harness).filter((name) => name.endsWith('.log.deleted')).length;
    assert.equal(deleted(), 0, 'the checkpoint of the log start comes first');
    assert.ok(harness.clock.runUntilTrue(() => deleted() === 3));
    harness.clock.runFor(20);
    assert.equal(names(harness).filter((name) => name.endsWith('.deleted')).length, 0);
    harness.manager?.delete('t', 0);
    harness.clock.runFor(20);
    const after = Buffer.alloc(read.lengthBytes);
    read.range?.read(after, 0, 0, after.length);
    assert.deepEqual(after, before);
    read.range?.release();
  });
});
