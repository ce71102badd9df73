import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { SSD_LATENCY } from '../../sim/virtual/disk.ts';
import { ErrorCode, errorName } from '../base/errors.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import { buildCompressedBatch } from '../records/builder.ts';
import type { AppendOutcome } from './append-request.ts';
import { LogHarness, readAll, TOPIC_ID, valuesOf } from './log-harness.test.ts';
import type { PartitionLog } from './partition-log.ts';

const SLOW = { latency: { ...SSD_LATENCY, inlineAppends: 0 } };

function send(harness: LogHarness, log: PartitionLog, batch: Buffer): { outcome: AppendOutcome | null } {
  const told: { outcome: AppendOutcome | null } = { outcome: null };
  log.append(harness.request(batch), (outcome) => {
    assert.equal(told.outcome, null, 'told once');
    told.outcome = outcome;
  });
  return told;
}

function compressed(harness: LogHarness): Buffer {
  let out: Buffer | null = null;
  buildCompressedBatch(
    { records: harness.records(3) },
    { codec: 1, level: null },
    harness.compute,
    (_e, batch) => {
      out = batch;
    },
  );
  assert.ok(out);
  return out;
}

function isTold(told: { outcome: AppendOutcome | null }): boolean {
  return told.outcome !== null;
}

/** How many appends the file of the active segment got. */
function countWrites(harness: LogHarness, log: PartitionLog): () => number {
  const file = log.segments.at(-1)?.file;
  assert.ok(file !== undefined);
  let writes = 0;
  const append = file.append.bind(file);
  file.append = (parts, done) => {
    writes++;
    append(parts, done);
  };
  void harness;
  return () => writes;
}

suite('the lane of a log', () => {
  test('nothing is told or readable before it is written', () => {
    const harness = new LogHarness({ disk: SLOW }).open();
    const log = harness.log();
    const batch = harness.batch(2);
    const told = send(harness, log, batch);
    assert.ok(!isTold(told));
    assert.equal(log.logEndOffset, 0);
    assert.equal(log.read(0, { maxBytes: 100, upperBoundOffset: 10, minOneBatch: true }).range, null);
    assert.equal(
      errorName(log.read(1, { maxBytes: 100, upperBoundOffset: 10, minOneBatch: true }).errorCode),
      'OFFSET_OUT_OF_RANGE',
    );
    harness.whenIdle(log);
    assert.equal(told.outcome?.endOffset, 2);
    assert.equal(readAll(log).length, 2);
  });

  test('the owner hears of a group before the callers do, and once', () => {
    const harness = new LogHarness().open();
    const log = harness.log();
    const events: string[] = [];
    log.onAppended(() => events.push(`appended ${log.logEndOffset}`));
    harness.manager?.cork();
    for (let i = 0; i < 3; i++)
      log.append(harness.request(harness.batch(1)), (o) => events.push(`told ${o.endOffset}`));
    assert.deepEqual(events, []);
    harness.manager?.uncork();
    assert.deepEqual(events, ['appended 3', 'told 1', 'told 2', 'told 3']);
  });

  test('appends between cork and uncork, or behind a slow write, become one write', () => {
    const harness = new LogHarness({ disk: SLOW }).open();
    const log = harness.log();
    harness.produce(log, harness.batch(1));
    const writes = countWrites(harness, log);
    harness.manager?.cork();
    harness.manager?.cork();
    const told = Array.from({ length: 10 }, () => send(harness, log, harness.batch(1)));
    harness.manager?.uncork();
    assert.equal(writes(), 0);
    harness.manager?.uncork();
    assert.equal(writes(), 1);
    for (let i = 0; i < 10; i++) told.push(send(harness, log, harness.batch(1)));
    harness.whenIdle(log);
    assert.equal(writes(), 2);
    assert.deepEqual(
      told.map((one) => one.outcome?.baseOffset),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  });

  test('no record is written before partition.metadata is durable, and none waits for long without room for it', () => {
    const harness = new LogHarness({ disk: SLOW }).open();
    const log = harness.log();
    const told = send(harness, log, harness.batch(1));
    const named = (): boolean => harness.disk.exists(`${log.path}/partition.metadata`);
    assert.ok(harness.clock.runUntilTrue(named));
    assert.equal(log.segments[0]?.file.sizeBytes, 0);
    assert.ok(harness.clock.runUntilTrue(() => isTold(told)));
    const lift = harness.disk.faults.add({ operation: 'rename', code: 'ENOSPC' });
    const other = harness.log('t', 1);
    assert.equal(harness.append(other, harness.batch(1)).errorCode, ErrorCode.NONE);
    lift();
    harness.flush(other);
    assert.ok(harness.disk.exists(`${other.path}/partition.metadata`));
  });

  test('a log that is given its identity late writes no record before that is durable', () => {
    const harness = new LogHarness({ disk: SLOW }).open();
    harness.flush(harness.log());
    harness.close();
    harness.open();
    const log = harness.log();
    assert.equal(log.topicId, ZERO_UUID);
    log.adoptTopicId(TOPIC_ID);
    harness.flush(log);
    assert.ok(
      !harness.disk.exists(`${log.path}/partition.metadata`),
      'nobody waits for that of an empty log',
    );
    send(harness, log, harness.batch(1));
    assert.ok(harness.clock.runUntilTrue(() => (log.segments[0]?.file.sizeBytes ?? 0) > 0));
    assert.ok(harness.disk.exists(`${log.path}/partition.metadata`));
  });

  test('a callback may append again', () => {
    const harness = new LogHarness().open();
    const log = harness.log();
    let left = 2000;
    const again = (outcome: AppendOutcome): void => {
      assert.equal(outcome.errorCode, ErrorCode.NONE);
      if (--left > 0) log.append(harness.request(harness.batch(1)), again);
    };
    log.append(harness.request(harness.batch(1)), again);
    assert.equal(left, 0);
    assert.equal(log.logEndOffset, 2000);
  });

  test('a batch whose records are being decompressed holds back its own log and no other', () => {
    const harness = new LogHarness().open();
    const log = harness.log('slow');
    const other = harness.log('other');
    const packed = compressed(harness);
    harness.compute.hold = true;
    const first = send(harness, log, packed);
    const second = send(harness, log, harness.batch(2));
    const elsewhere = send(harness, other, harness.batch(1));
    assert.deepEqual([first.outcome, second.outcome], [null, null]);
    assert.equal(elsewhere.outcome?.errorCode, ErrorCode.NONE);
    harness.compute.release();
    assert.deepEqual([first.outcome?.baseOffset, second.outcome?.baseOffset], [0, 3]);
  });

  test('a failed write takes back everything reserved behind it, and the places are used again', () => {
    const harness = new LogHarness({ disk: SLOW }).open();
    const log = harness.log();
    harness.produce(log, harness.batch(2));
    const pathPrefix = log.segments[0]?.file.path ?? '';
    const lift = harness.disk.faults.add({ operation: 'append', pathPrefix, code: 'ENOSPC', times: 1 });
    const told = Array.from({ length: 5 }, () => send(harness, log, harness.batch(2)));
    harness.whenIdle(log);
    lift();
    for (const one of told) assert.equal(errorName(one.outcome?.errorCode ?? 0), 'KAFKA_STORAGE_ERROR');
    assert.equal(log.logEndOffset, 2);
    log.checkInvariants();
    const batch = harness.batch(3);
    assert.equal(harness.produce(log, batch).baseOffset, 2);
    assert.deepEqual(
      readAll(log, 2).map((record) => record.value),
      valuesOf(batch),
    );
  });

  test('a full disk refuses writes, stays readable, and takes writes again when there is room', () => {
    const harness = new LogHarness().open();
    const log = harness.log();
    harness.produce(log, harness.batch(5));
    harness.disk.capacityBytes = 0;
    assert.equal(errorName(harness.append(log, harness.batch(1)).errorCode), 'KAFKA_STORAGE_ERROR');
    assert.equal(readAll(log).length, 5);
    assert.equal(log.offline, false);
    harness.disk.capacityBytes = Number.MAX_SAFE_INTEGER;
    assert.equal(harness.produce(log, harness.batch(1)).baseOffset, 5);
  });

  test('a log whose failed write could not be cut back goes offline, and says so', () => {
    const harness = new LogHarness({ disk: { ...SLOW, shortWrites: 1 } }).open();
    const log = harness.log();
    const other = harness.log('other');
    const { faults } = harness.disk;
    const { file } = log.segments[0] ?? assert.fail();
    faults.add({ operation: 'cut', pathPrefix: file.path });
    faults.add({ operation: 'append', pathPrefix: file.path, times: 1 });
    const first = send(harness, log, harness.batch(2));
    const second = send(harness, log, harness.batch(2));
    harness.clock.runFor(100);
    assert.equal(errorName(first.outcome?.errorCode ?? 0), 'KAFKA_STORAGE_ERROR');
    assert.equal(errorName(second.outcome?.errorCode ?? 0), 'KAFKA_STORAGE_ERROR');
    assert.equal(log.offline, true);
    assert.equal(
      errorName(log.read(0, { maxBytes: 1, upperBoundOffset: 1, minOneBatch: true }).errorCode),
      'KAFKA_STORAGE_ERROR',
    );
    assert.equal(errorName(harness.append(log, harness.batch(1)).errorCode), 'KAFKA_STORAGE_ERROR');
    harness.produce(other, harness.batch(1));
  });

  test('a retry of a batch in the log is answered with its first place', () => {
    const harness = new LogHarness().open();
    const log = harness.log();
    const batch = harness.batch(3, { producerId: 8, producerEpoch: 0, baseSequence: 0 });
    const first = harness.produce(log, batch);
    harness.produce(log, harness.batch(1));
    const again = harness.produce(log, batch);
    assert.deepEqual(
      [again.baseOffset, again.endOffset, again.duplicate],
      [first.baseOffset, first.endOffset, true],
    );
    assert.equal(again.logAppendTimeMs, harness.clock.wallMs());
    assert.equal(log.logEndOffset, 4);
  });
});

suite('batches of the broker itself', () => {
  test('the metadata log may append several batches at once, control batches too', () => {
    const harness = new LogHarness().open();
    const log = harness.log();
    const bytes = Buffer.concat([harness.batch(2), harness.batch(1, { control: true }), harness.batch(3)]);
    const outcome = harness.produce(log, bytes, { origin: 'raft', leaderEpoch: 4 });
    assert.deepEqual([outcome.baseOffset, outcome.endOffset], [0, 6]);
    assert.deepEqual(
      readAll(log).map((record) => [record.offset, record.epoch]),
      [0, 1, 2, 3, 4, 5].map((offset) => [offset, 4]),
    );
    assert.equal(log.latestEpoch, 4);
  });

  test('what a coordinator appends to a LogAppendTime topic gets the time of the append', () => {
    const harness = new LogHarness({ config: { messageTimestampType: 'LogAppendTime' } }).open();
    const log = harness.log();
    const batch = harness.batch([{ key: null, value: null, timestampMs: 5 }]);
    const outcome = harness.produce(log, batch, { origin: 'coordinator' });
    assert.equal(outcome.logAppendTimeMs, harness.clock.wallMs());
    const client = harness.produce(log, batch);
    assert.equal(client.logAppendTimeMs, harness.clock.wallMs());
  });
});

suite('batches of a leader', () => {
  /** The bytes of a leader's log. */
  function leaderBytes(harness: LogHarness): Buffer {
    const leader = harness.log('leader');
    for (let i = 0; i < 5; i++) harness.produce(leader, harness.batch(2), { leaderEpoch: i });
    const read = leader.read(0, { maxBytes: 1 << 20, upperBoundOffset: 10, minOneBatch: true });
    const bytes = Buffer.alloc(read.lengthBytes);
    read.range?.read(bytes, 0, 0, bytes.length);
    read.range?.release();
    return bytes;
  }

  test('a replica takes offsets and epochs as they are, and leaves out a batch that is cut short', () => {
    const harness = new LogHarness().open();
    const bytes = leaderBytes(harness);
    const replica = harness.log('replica');
    const part = bytes.subarray(0, Math.floor(bytes.length / 2));
    const first = harness.produce(replica, part, { origin: 'replica' });
    assert.equal(first.endOffset, 4);
    const rest = harness.produce(replica, bytes.subarray(replica.sizeBytes), { origin: 'replica' });
    assert.equal(rest.endOffset, 10);
    assert.deepEqual(readAll(replica), readAll(harness.log('leader')));
    for (let offset = 0; offset < 10; offset++)
      assert.equal(replica.epochOfOffset(offset), Math.floor(offset / 2));
    const nothing = harness.produce(replica, bytes.subarray(0, 30), { origin: 'replica' });
    assert.equal(nothing.endOffset, 10);
  });

  test('a replica refuses what does not go on from its end, and bytes that are not what was sent', () => {
    const harness = new LogHarness().open();
    const bytes = leaderBytes(harness);
    const replica = harness.log('replica');
    harness.produce(replica, bytes, { origin: 'replica' });
    assert.equal(
      errorName(harness.append(replica, bytes, { origin: 'replica' }).errorCode),
      'OFFSET_OUT_OF_RANGE',
    );
    const fresh = harness.log('fresh');
    const wrong = Buffer.from(bytes);
    wrong[bytes.length - 1] = (wrong[bytes.length - 1] as number) ^ 1;
    assert.equal(errorName(harness.append(fresh, wrong, { origin: 'replica' }).errorCode), 'CORRUPT_MESSAGE');
    assert.equal(fresh.logEndOffset, 0);
  });

  test('gaps that compaction left are kept', () => {
    const harness = new LogHarness({ config: { segmentBytes: 2000 } }).open();
    const replica = harness.log('replica');
    for (let i = 1; i < 30; i++) {
      const batch = harness.batch(2, { baseOffset: i * 100, partitionLeaderEpoch: 3 });
      assert.equal(harness.produce(replica, batch, { origin: 'replica' }).endOffset, i * 100 + 2);
    }
    assert.ok(replica.segmentCount > 1);
    assert.equal(readAll(replica, 150)[0]?.offset, 200);
    assert.equal(readAll(replica, 0).length, 58);
    for (const from of [0, 101, 102, 999, 2500, 2901]) {
      assert.equal(
        readAll(replica, from)[0]?.offset,
        from <= 100 ? 100 : from % 100 < 2 ? from : Math.ceil(from / 100) * 100,
      );
    }
  });

  test('a bug of one who appended does not hold up later appends', () => {
    const harness = new LogHarness().open();
    const log = harness.log();
    assert.throws(
      () =>
        log.append(harness.request(harness.batch(1)), () => {
          throw new Error('a bug');
        }),
      /a bug/,
    );
    const told = send(harness, log, harness.batch(2));
    assert.equal(told.outcome?.baseOffset, 1);
    assert.equal(log.offline, false);
  });

  test('a bug met while a batch is published takes the log offline, and the append fails', () => {
    const harness = new LogHarness().open();
    const log = harness.log();
    harness.produce(log, harness.batch(1));
    const segment = log.segments.at(-1);
    assert.ok(segment !== undefined);
    segment.add = () => {
      throw new Error('a bug');
    };
    const told: { outcome: AppendOutcome | null } = { outcome: null };
    assert.throws(
      () => log.append(harness.request(harness.batch(1)), (outcome) => (told.outcome = outcome)),
      /a bug/,
    );
    assert.equal(told.outcome?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR);
    assert.equal(log.offline, true);
    assert.equal(log.logEndOffset, 1);
    const later = send(harness, log, harness.batch(1));
    assert.equal(later.outcome?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR);
  });
});
