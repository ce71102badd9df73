import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Random } from '../base/random.ts';
import { LogHarness, readAll, readBatches } from './log-harness.test.ts';
import { BatchView } from '../records/batch.ts';
import type { PartitionLog } from './partition-log.ts';

const DIRECTORY = '/data/t-0';
/** Where the virtual wall clock begins. */
const START_MS = new LogHarness().clock.wallMs();
const CONFIG = { segmentBytes: 900, indexIntervalBytes: 200 };

function fileOf(base: number, suffix: string): string {
  return `${DIRECTORY}/${String(base).padStart(20, '0')}${suffix}`;
}

/** Overwrites a file's content behind the broker's back. */
function put(harness: LogHarness, path: string, content: Buffer | string): void {
  harness.disk.replaceFile(path, Buffer.from(content), (error) => assert.equal(error, null));
}

/** A log of several segments, closed well. */
function closedLog(seed = 1): { harness: LogHarness; records: ReturnType<typeof readAll>; bases: number[] } {
  const harness = new LogHarness({ seed, config: CONFIG }).open();
  const log = harness.log();
  for (let i = 0; i < 32; i++) {
    harness.clock.runFor(3);
    harness.produce(log, harness.batch(2), { leaderEpoch: Math.floor(i / 8) });
  }
  const records = readAll(log);
  const bases = log.segments.map((segment) => segment.baseOffset);
  assert.ok(bases.length >= 4);
  log.highWatermark = log.logEndOffset;
  harness.close();
  return { harness, records, bases };
}

/** What the indexes of all segments hold. */
function indexesOf(log: PartitionLog): unknown {
  return log.segments.map(({ baseOffset, offsetIndex, timeIndex }) => ({
    baseOffset,
    offsets: Array.from({ length: offsetIndex.count }, (_, i) => [
      offsetIndex.offsetAt(i),
      offsetIndex.positionAt(i),
    ]),
    times: Array.from({ length: timeIndex.count }, (_, i) => [
      timeIndex.timestampAt(i),
      timeIndex.offsetAt(i),
    ]),
  }));
}

suite('after a crash', () => {
  test('a batch torn at any byte is cut off, and what stands before it stays', () => {
    const harness = new LogHarness().open();
    const log = harness.log();
    for (let i = 0; i < 3; i++) harness.produce(log, harness.batch(2));
    const before = readAll(log);
    const keptBytes = log.sizeBytes;
    harness.produce(log, harness.batch(3));
    const whole = harness.disk.readFile(fileOf(0, '.log'));
    for (let size = keptBytes; size < whole.length; size++) {
      for (const tail of [Buffer.alloc(0), Buffer.alloc(whole.length - size), Buffer.alloc(50, 0xff)]) {
        harness.crash('process');
        put(harness, fileOf(0, '.log'), Buffer.concat([whole.subarray(0, size), tail]));
        harness.open();
        const again = harness.log();
        // Zeros may be what the batch had there anyway.
        const isWhole = Buffer.concat([whole.subarray(0, size), tail])
          .subarray(0, whole.length)
          .equals(whole);
        assert.equal(again.logEndOffset, isWhole ? 9 : 6, `cut at ${size}`);
        assert.equal(harness.disk.readFile(fileOf(0, '.log')).length, isWhole ? whole.length : keptBytes);
        assert.deepEqual(readAll(again, 0, 6), before);
      }
    }
  });

  test('a wrong byte anywhere in the unflushed part ends the log at its batch', () => {
    for (let round = 0; round < 100; round++) {
      const random = new Random(round, 9);
      const harness = new LogHarness({ seed: round }).open();
      const log = harness.log();
      const ends: number[] = [];
      for (let i = 0; i < 5; i++) {
        harness.produce(log, harness.batch(2));
        ends.push(log.sizeBytes);
      }
      harness.crash('process');
      const bytes = harness.disk.readFile(fileOf(0, '.log'));
      const at = random.below(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
      put(harness, fileOf(0, '.log'), bytes);
      harness.open();
      const broken = ends.findIndex((end) => at < end);
      const end = harness.log().logEndOffset / 2;
      // Offset and epoch lie outside the crc: a changed one shows if it is out of order, else it is believed.
      const start = broken === 0 ? 0 : (ends[broken - 1] as number);
      const isCovered = at - start >= 16 || (at - start >= 8 && at - start < 12);
      if (isCovered) assert.equal(end, broken, `byte ${at}`);
      else assert.ok(end >= broken);
    }
  });

  test('indexes, epochs and producers are rebuilt to what they were', () => {
    const harness = new LogHarness({ config: CONFIG }).open();
    const log = harness.log();
    for (let i = 0; i < 30; i++) {
      harness.clock.runFor(2);
      const idempotent = { producerId: 4 + (i % 2), producerEpoch: 0, baseSequence: 2 * Math.floor(i / 2) };
      harness.produce(log, harness.batch(2, idempotent), { leaderEpoch: Math.floor(i / 7) });
    }
    for (const segment of log.segments.slice(0, -1)) segment.seal();
    const indexes = indexesOf(log);
    const epochs = Array.from({ length: 60 }, (_, offset) => log.epochOfOffset(offset));
    harness.crash('process');
    for (const entry of harness.disk.list(DIRECTORY)) {
      if (/index$|snapshot$|checkpoint$/.test(entry.name)) harness.disk.remove(`${DIRECTORY}/${entry.name}`);
    }
    harness.open();
    const again = harness.log();
    again.checkInvariants();
    assert.deepEqual(indexesOf(again), indexes);
    assert.deepEqual(
      epochs.map((_, offset) => again.epochOfOffset(offset)),
      epochs,
    );
    const batch = harness.batch(2, { producerId: 4, producerEpoch: 0, baseSequence: 28 });
    const retry = harness.produce(again, batch, { leaderEpoch: 4 });
    assert.deepEqual([retry.duplicate, retry.baseOffset], [true, 56]);
  });

  test('a snapshot that is not whole is removed, and an older one or the log itself serves', () => {
    const { harness } = closedLog();
    harness.open();
    const log = harness.log();
    const idempotent = harness.batch(2, { producerId: 4, producerEpoch: 0, baseSequence: 0 });
    const epoch = { leaderEpoch: 3 };
    harness.produce(log, idempotent, epoch);
    while (log.segmentCount < 8) harness.produce(log, harness.batch(2), epoch);
    harness.whenIdle(log);
    harness.crash('process');
    const snapshots = harness.disk.list(DIRECTORY).filter((entry) => entry.name.endsWith('.snapshot'));
    assert.ok(snapshots.length > 3);
    for (const { name } of snapshots.slice(-2)) put(harness, `${DIRECTORY}/${name}`, Buffer.alloc(7));
    harness.open();
    assert.equal(harness.produce(harness.log(), idempotent, epoch).duplicate, true);
  });

  test('a batch of an older epoch behind a newer one is left over from before a cut, and ends the log', () => {
    const harness = new LogHarness().open();
    const log = harness.log();
    for (let i = 0; i < 3; i++) harness.produce(log, harness.batch(2), { leaderEpoch: 3 });
    const at = log.sizeBytes;
    harness.produce(log, harness.batch(2), { leaderEpoch: 3 });
    harness.crash('process');
    const bytes = harness.disk.readFile(fileOf(0, '.log'));
    bytes.writeInt32BE(2, at + 12);
    put(harness, fileOf(0, '.log'), bytes);
    harness.open();
    assert.equal(harness.log().logEndOffset, 6);
  });

  test('epochs that the checkpoint has and the log has not are forgotten', () => {
    const harness = new LogHarness().open();
    for (let i = 0; i < 5; i++) harness.produce(harness.log(), harness.batch(2), { leaderEpoch: 1 });
    harness.crash('process');
    put(harness, `${DIRECTORY}/leader-epoch-checkpoint`, '0\n2\n1 0\n8 4\n');
    harness.open();
    assert.deepEqual([harness.log().epochOfOffset(6), harness.log().latestEpoch], [1, 1]);
  });

  test('the indexes of a segment that ends at the recovery point are not trusted', () => {
    const { harness, bases, records } = closedLog();
    harness.open();
    harness.crash('process');
    put(harness, '/data/recovery-point-offset-checkpoint', `0\n1\nt 0 ${bases[2]}\n`);
    const path = fileOf(bases[1] as number, '.index');
    const index = harness.disk.readFile(path);
    for (let at = 4; at < index.length; at += 8) index.writeInt32BE(index.readInt32BE(at) + 7, at);
    put(harness, path, index);
    harness.open();
    for (const { offset } of records) assert.equal(readAll(harness.log(), offset)[0]?.offset, offset);
  });

  test('segments after a cut are removed', () => {
    const { harness, bases } = closedLog();
    harness.open();
    harness.crash('process');
    harness.disk.remove('/data/recovery-point-offset-checkpoint');
    const second = harness.disk.readFile(fileOf(bases[1] as number, '.log'));
    put(harness, fileOf(bases[1] as number, '.log'), second.subarray(0, second.length - 1));
    harness.open();
    const log = harness.log();
    assert.equal(log.segmentCount, 2);
    assert.equal(log.logEndOffset, (bases[2] as number) - 2);
    assert.deepEqual(harness.disk.list(DIRECTORY).filter((entry) => entry.name.endsWith('.log')).length, 2);
    harness.produce(log, harness.batch(1), { leaderEpoch: 9 });
  });

  test('a segment that lost its end takes those behind it along, unless compaction leaves such gaps', () => {
    for (const cleanupPolicy of [['delete'], ['compact']] as const) {
      const { harness, bases, records } = closedLog();
      harness.config = { ...harness.config, cleanupPolicy };
      harness.open();
      harness.crash('process');
      harness.disk.remove('/data/recovery-point-offset-checkpoint');
      const log = harness.disk.readFile(fileOf(bases[1] as number, '.log'));
      const lastBatch = log.length - (log.length / ((bases[2] as number) - (bases[1] as number))) * 2;
      put(harness, fileOf(bases[1] as number, '.log'), log.subarray(0, lastBatch));
      harness.open();
      const end = (bases[2] as number) - 2;
      const expected = records.filter(
        ({ offset }) => offset < end || (cleanupPolicy[0] === 'compact' && offset >= end + 2),
      );
      assert.deepEqual(readAll(harness.log()), expected);
    }
  });
});

suite('at a clean start', () => {
  test('little is read: not the batches before the last index entry', () => {
    const { harness, records } = closedLog();
    let bytesRead = 0;
    const open = harness.disk.open.bind(harness.disk);
    harness.disk.open = (path, mode) => {
      const file = open(path, mode);
      if (!path.endsWith('.log')) return file;
      const read = file.read.bind(file);
      file.read = (position, target, start, length) => {
        const got = read(position, target, start, length);
        bytesRead += got;
        return got;
      };
      return file;
    };
    harness.open();
    assert.ok(bytesRead <= 1200, `${bytesRead} bytes read`);
    assert.equal(harness.log().logEndOffset, records.length);
  });

  for (const suffix of ['.index', '.timeindex']) {
    for (const [what, damage] of [
      ['missing', null],
      ['empty', Buffer.alloc(0)],
      ['of an impossible size', Buffer.alloc(13)],
      ['of another log', Buffer.alloc(24, 0xee)],
    ] as const) {
      test(`a ${suffix} that is ${what} is rebuilt`, () => {
        const { harness, records } = closedLog();
        harness.open();
        const whole = indexesOf(harness.log());
        harness.close();
        for (const entry of harness.disk.list(DIRECTORY).filter((one) => one.name.endsWith(suffix))) {
          if (damage === null) harness.disk.remove(`${DIRECTORY}/${entry.name}`);
          else put(harness, `${DIRECTORY}/${entry.name}`, damage);
        }
        harness.open();
        const log = harness.log();
        log.checkInvariants();
        assert.deepEqual(readAll(log), records);
        harness.close();
        harness.open();
        // An empty offset index alone cannot be told from one that has no entries yet; look-ups then walk the segment.
        if (suffix === '.timeindex' || what !== 'empty') assert.deepEqual(indexesOf(harness.log()), whole);
        assert.deepEqual(readAll(harness.log()), records);
      });
    }
  }

  test('a log that is not what the marker says is recovered all the same', () => {
    const { harness, bases, records } = closedLog();
    const last = bases.at(-1) as number;
    const bytes = harness.disk.readFile(fileOf(last, '.log'));
    put(harness, fileOf(last, '.log'), Buffer.concat([bytes, Buffer.alloc(100)]));
    harness.open();
    assert.deepEqual(readAll(harness.log()), records);
    assert.equal(harness.disk.readFile(fileOf(last, '.log')).length, bytes.length);
    harness.produce(harness.log(), harness.batch(2), { leaderEpoch: 5 });
  });

  test('index files that a JVM preallocated and did not trim are rebuilt', () => {
    const { harness, bases, records } = closedLog();
    for (const suffix of ['.index', '.timeindex']) {
      const path = fileOf(bases.at(-1) as number, suffix);
      put(harness, path, Buffer.concat([harness.disk.readFile(path), Buffer.alloc(120)]));
    }
    harness.open();
    harness.crash('process');
    harness.open();
    assert.deepEqual(readAll(harness.log()), records);
    harness.log().checkInvariants();
  });
});

suite('after a clean stop', () => {
  /** A log of which the first segment has several entries in each index, closed well. */
  function indexedLog(): { harness: LogHarness; indexes: unknown; records: ReturnType<typeof readAll> } {
    const harness = new LogHarness({ config: { segmentBytes: 4000, indexIntervalBytes: 200 } }).open();
    const log = harness.log();
    while (log.segmentCount < 3) {
      harness.clock.runFor(3);
      harness.produce(log, harness.batch(2));
    }
    const records = readAll(log);
    for (const segment of log.segments) segment.seal();
    const indexes = indexesOf(log);
    harness.close();
    return { harness, indexes, records };
  }

  test('an index with a wrong entry misleads nobody and is rebuilt', () => {
    const { harness, indexes, records } = indexedLog();
    const whole = harness.disk.readFile(fileOf(0, '.index'));
    assert.ok(whole.length >= 64);
    for (let at = 0; at < whole.length; at++) {
      const wrong = Buffer.from(whole);
      wrong[at] = (wrong[at] as number) ^ 0x10;
      put(harness, fileOf(0, '.index'), wrong);
      harness.open();
      const log = harness.log();
      const options = { maxBytes: 1, upperBoundOffset: log.logEndOffset, minOneBatch: true };
      for (const { offset } of records) {
        const [batch] = readBatches(log, offset, options);
        assert.equal(new BatchView().at(batch as Buffer, 0).baseOffset, offset - (offset % 2));
      }
      harness.whenIdle(log);
      assert.equal(log.segments[0]?.isSuspect, false, `byte ${at}`);
      if (harness.disk.readFile(fileOf(0, '.index')).equals(whole)) assert.deepEqual(indexesOf(log), indexes);
      harness.close();
    }
  });

  test('a time index with a wrong entry, or without its last ones, misleads nobody', () => {
    const { harness, records } = indexedLog();
    const whole = harness.disk.readFile(fileOf(0, '.timeindex'));
    const flipped = Array.from({ length: whole.length }, (_, at) => {
      const wrong = Buffer.from(whole);
      wrong[at] = (wrong[at] as number) ^ 0x08;
      return wrong;
    });
    const cut = [12, 24, 36].map((sizeBytes) => whole.subarray(0, sizeBytes));
    harness.open();
    const times = timesOf(harness, records.length);
    harness.close();
    for (const wrong of [...flipped, ...cut]) {
      put(harness, fileOf(0, '.timeindex'), wrong);
      harness.open();
      assert.deepEqual(timesOf(harness, records.length), times);
      harness.whenIdle(harness.log());
      harness.close();
    }
  });

  /** The offset found for each millisecond in which something was written. */
  function timesOf(harness: LogHarness, count: number): (number | undefined)[] {
    const found: (number | undefined)[] = [];
    for (let i = 0; i <= count * 2; i++)
      harness.log().offsetForTimestamp(START_MS + i, (_code, record) => found.push(record?.offset));
    return found;
  }

  test('a segment that is gone empty is told of, and what follows is served', () => {
    const { harness, records } = indexedLog();
    put(harness, fileOf(0, '.log'), '');
    harness.open();
    const next = harness.log().segments[1]?.baseOffset as number;
    assert.deepEqual(
      readAll(harness.log(), 0),
      records.filter(({ offset }) => offset >= next),
    );
  });
});

suite('leftovers', () => {
  test('replicas on their way in or out are passed by, and stay', () => {
    const { harness, records } = closedLog();
    const hex = 'a'.repeat(32);
    for (const name of [`u-0.${hex}-stray`, `u-0.${hex}-future`]) {
      harness.disk.makeDirectory(`/data/${name}`);
      put(harness, `/data/${name}/00000000000000000000.log`, 'x');
    }
    harness.open();
    assert.deepEqual(readAll(harness.log()), records);
    assert.equal(harness.manager?.count, 1);
    assert.ok(harness.disk.exists(`/data/u-0.${hex}-stray/00000000000000000000.log`));
    assert.ok(harness.disk.exists(`/data/u-0.${hex}-future/00000000000000000000.log`));
  });

  test('what was being deleted or cleaned is removed, complete replacements take their place', () => {
    const { harness, bases, records } = closedLog();
    const [first, second, third] = bases as [number, number, number];
    const merged = Buffer.concat([
      harness.disk.readFile(fileOf(first, '.log')),
      harness.disk.readFile(fileOf(second, '.log')),
    ]);
    put(harness, fileOf(first, '.log.swap'), merged);
    put(harness, fileOf(third, '.log.deleted'), 'x');
    put(harness, fileOf(999, '.index'), 'x');
    put(harness, `${DIRECTORY}/leader-epoch-checkpoint.tmp`, 'x');
    put(harness, `${DIRECTORY}/00000000000000000005-0000000001.checkpoint.deleted`, 'x');
    harness.open();
    const log = harness.log();
    assert.deepEqual(readAll(log), records);
    assert.deepEqual(
      log.segments.map((segment) => segment.baseOffset),
      bases.filter((base) => base !== second),
    );
    const names = harness.disk.list(DIRECTORY).map((entry) => entry.name);
    assert.ok(!names.some((name) => /swap$|log\.deleted$|tmp$/.test(name) || name.includes('999')));
    assert.ok(names.includes('00000000000000000005-0000000001.checkpoint.deleted'));
  });

  test('a replacement above an unfinished one is dropped with it', () => {
    const { harness, bases, records } = closedLog();
    const [, second, third] = bases as [number, number, number];
    put(harness, fileOf(second, '.log.cleaned'), 'half');
    put(harness, fileOf(third, '.log.swap'), 'not to be used');
    harness.open();
    assert.deepEqual(readAll(harness.log()), records);
  });
});

suite('checkpoints', () => {
  test('a log under an old name does not inherit what the checkpoints say of the other', () => {
    const harness = new LogHarness({ config: CONFIG }).open();
    for (let i = 0; i < 20; i++) harness.produce(harness.log(), harness.batch(2));
    harness.log().highWatermark = 40;
    harness.close();
    harness.open();
    harness.manager?.delete('t', 0);
    const log = harness.log();
    harness.produce(log, harness.batch(2));
    harness.crash('power');
    harness.open();
    const again = harness.manager?.get('t', 0);
    assert.ok((again?.logEndOffset ?? 0) <= 2);
    assert.ok((again?.highWatermark ?? 0) <= 2);
    assert.ok(again === null || again === undefined || again.flushedEndOffset <= 2);
  });

  test('recovery points, log starts and high watermarks are written now and then', () => {
    const harness = new LogHarness({ config: CONFIG });
    harness.managerOptions = { checkpointIntervalMs: 1000, highWatermarkCheckpointIntervalMs: 100 };
    harness.open();
    const log = harness.log();
    for (let i = 0; i < 20; i++) harness.produce(log, harness.batch(2));
    harness.flush(log);
    log.highWatermark = 30;
    log.advanceLogStart(5);
    harness.clock.runFor(200);
    assert.equal(harness.disk.readFile('/data/replication-offset-checkpoint').toString(), '0\n1\nt 0 30\n');
    harness.clock.runFor(1000);
    assert.equal(
      harness.disk.readFile('/data/recovery-point-offset-checkpoint').toString(),
      '0\n1\nt 0 40\n',
    );
    assert.equal(harness.disk.readFile('/data/log-start-offset-checkpoint').toString(), '0\n1\nt 0 5\n');
    harness.crash('power');
    harness.open();
    assert.equal(harness.log().logStartOffset, 5);
    assert.equal(harness.log().highWatermark, 30);
    assert.equal(harness.log().flushedEndOffset, 40);
  });
});
