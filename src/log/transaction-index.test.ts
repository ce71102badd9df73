import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { VirtualDisk } from '../../sim/virtual/disk.ts';
import { buildControlBatch } from '../records/control-records.ts';
import { LogHarness } from './log-harness.test.ts';
import type { PartitionLog } from './partition-log.ts';
import { type AbortedTransaction, TransactionIndex } from './transaction-index.ts';

const CONFIG = { segmentBytes: 1000, indexIntervalBytes: 200 };
const FIRST_INDEX = '/data/t-0/00000000000000000000.txnindex';

function ok(error: Error | null): void {
  assert.equal(error, null);
}

function collect(index: TransactionIndex, from: number, to: number): AbortedTransaction[] {
  const found: AbortedTransaction[] = [];
  index.collect(from, to, found);
  return found;
}

/** A transaction of one record, and what ends it. */
function transaction(
  harness: LogHarness,
  log: PartitionLog,
  producerId: number,
  type: 'COMMIT' | 'ABORT',
): void {
  const known = [...log.producers()].find((entry) => entry.producerId === producerId);
  const baseSequence = (known?.lastSequence ?? -1) + 1;
  harness.produce(log, harness.batch(1, { producerId, producerEpoch: 0, baseSequence, transactional: true }));
  const marker = buildControlBatch(
    {
      records: [{ type, coordinatorEpoch: 0 }],
      timestampMs: harness.clock.wallMs(),
      producerId,
      producerEpoch: 0,
    },
    harness.compute,
  );
  harness.produce(log, marker, { origin: 'coordinator' });
}

/** Every aborted transaction that the indexes of the log name. */
function abortedIn(log: PartitionLog): AbortedTransaction[] {
  return log.segments.flatMap(({ txnIndex }) =>
    Array.from({ length: txnIndex.count }, (_, i) => txnIndex.at(i)),
  );
}

function txnIndexFiles(harness: LogHarness): string[] {
  return harness.disk
    .list('/data/t-0')
    .map((entry) => entry.name)
    .filter((name) => name.includes('.txnindex'));
}

suite('an index of aborted transactions', () => {
  test('that Kafka wrote is read, and written to the same bytes', () => {
    const lines = readFileSync(new URL('../../testdata/log/files.jsonl', import.meta.url), 'utf8').split(
      '\n',
    );
    const line = lines.find((one) => one.includes('"case":"txn-index"')) ?? assert.fail('no vector');
    const { hex } = JSON.parse(line) as { hex: string };
    const disk = new VirtualDisk();
    const built = TransactionIndex.none(disk, '/built');
    built.append({ producerId: 4000, firstOffset: 1001, lastOffset: 1050, lastStableOffset: 1051 });
    assert.ok(!disk.exists('/built'));
    built.persist(ok);
    assert.equal(disk.readFile('/built').toString('hex'), hex);
    const read = TransactionIndex.open(disk, '/built', 1000, hex.length / 2);
    assert.deepEqual(read?.at(0), {
      producerId: 4000,
      firstOffset: 1001,
      lastOffset: 1050,
      lastStableOffset: 1051,
    });
  });

  test('finds what a walk over its entries finds, and what is cut is gone', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 30 })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(steps, fc.nat(200), fc.nat(200), fc.nat(200), (made, from, length, cutAt) => {
        const disk = new VirtualDisk();
        const index = TransactionIndex.none(disk, '/i');
        let lastOffset = 0;
        let lastStableOffset = 0;
        let entries: AbortedTransaction[] = made.map(([gap, reach], i) => {
          lastOffset += gap;
          lastStableOffset = Math.max(lastStableOffset, lastOffset + 1 - reach);
          const firstOffset = Math.max(lastOffset - 1 - reach, 0);
          return { producerId: i, firstOffset, lastOffset: lastOffset + 1, lastStableOffset };
        });
        for (const entry of entries) index.append(entry);
        const expectRight = (): void => {
          const wanted = entries.filter(
            (entry) => entry.lastOffset >= from && entry.firstOffset < from + length,
          );
          const found = collect(index, from, from + length);
          const stop = entries.find(
            (entry) => entry.lastStableOffset >= from + length && entry.lastOffset >= from,
          );
          const seen = wanted.filter((entry) => stop === undefined || entry.lastOffset <= stop.lastOffset);
          assert.deepEqual(found, seen);
        };
        expectRight();
        index.truncateTo(cutAt);
        entries = entries.filter((entry) => entry.lastOffset < cutAt);
        assert.equal(index.count, entries.length);
        expectRight();
      }),
    );
  });

  test('has a file only once a transaction was aborted, and goes with its segment', () => {
    const harness = new LogHarness({ config: { ...CONFIG, fileDeleteDelayMs: 1000 } }).open();
    const log = harness.log();
    transaction(harness, log, 1, 'COMMIT');
    harness.flush(log);
    assert.deepEqual(txnIndexFiles(harness), []);
    for (let i = 0; i < 12; i++) transaction(harness, log, 1, i % 3 === 0 ? 'ABORT' : 'COMMIT');
    harness.flush(log);
    assert.ok(log.segmentCount > 2 && txnIndexFiles(harness).length > 1);
    log.highWatermark = log.logEndOffset;
    const second = log.segments[1] ?? assert.fail('one segment only');
    log.advanceLogStart(second.baseOffset);
    harness.whenIdle(log);
    harness.clock.runFor(10);
    assert.ok(txnIndexFiles(harness).includes('00000000000000000000.txnindex.deleted'));
    harness.clock.runFor(2000);
    assert.ok(txnIndexFiles(harness).every((name) => !name.startsWith('00000000000000000000')));
  });

  test('that is damaged is built anew from the batches, after a clean stop too', () => {
    const damages: readonly (readonly [name: string, (bytes: Buffer) => Buffer])[] = [
      ['emptied', () => Buffer.alloc(0)],
      ['cut within an entry', (bytes) => bytes.subarray(0, bytes.length - 1)],
      ['another version', (bytes) => Buffer.concat([Buffer.from([9]), bytes.subarray(1)])],
      [
        'entries in the wrong order',
        (bytes) => Buffer.concat([bytes.subarray(34, 68), bytes.subarray(0, 34)]),
      ],
      ['an end before its beginning', (bytes) => Buffer.from(bytes).fill(0, 18, 26)],
      ['too long', (bytes) => Buffer.concat([bytes, Buffer.alloc(68)])],
    ];
    for (const [name, damage] of damages) {
      const harness = new LogHarness({ config: CONFIG }).open();
      const log = harness.log();
      for (let i = 0; i < 14; i++) transaction(harness, log, 1 + (i % 2), i % 2 === 0 ? 'ABORT' : 'COMMIT');
      const before = abortedIn(log);
      assert.equal(before.length, 7);
      harness.close();
      const bytes = harness.disk.readFile(FIRST_INDEX);
      assert.ok(bytes.length >= 68);
      harness.disk.replaceFile(FIRST_INDEX, damage(bytes), ok);
      harness.clock.runFor(10);
      harness.open();
      assert.deepEqual(abortedIn(harness.log()), before, name);
      assert.deepEqual(harness.disk.readFile(FIRST_INDEX), bytes, name);
      harness.close();
    }
  });
});
