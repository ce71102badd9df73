import assert from 'node:assert/strict';
import { ErrorCode } from '../../src/base/errors.ts';
import { BATCH_HEADER_BYTES } from '../../src/records/batch.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { InitProducerId, Produce } from './apis.ts';
import { batchOf, Bench, compute, valuesOf, recordsIn } from './records.ts';
import { testInWorlds } from './worlds.ts';

const NOW = 1_767_225_600_000;

/** A batch with some bytes changed after it was made, and its checksum made right again. */
function tampered(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  change(batch);
  batch.writeUInt32BE(compute.crc32c(batch, 21, batch.length), 17);
  return batch;
}

testInWorlds(
  'a batch that is not as it should be is refused, nothing is appended, the connection lives',
  async (world) => {
    const bench = await Bench.open(world);
    await bench.createTopic('t', 1, { 'max.message.bytes': '2000' });
    await bench
      .createTopic('small', 1, { 'internal.segment.bytes': '1000', 'max.message.bytes': '5000' })
      .catch(() => {});
    const cases: [string, Buffer | null, number][] = [
      ['no records', null, ErrorCode.INVALID_RECORD],
      ['empty records', Buffer.alloc(0), ErrorCode.INVALID_RECORD],
      ['two batches', Buffer.concat([batchOf(['a']), batchOf(['b'])]), ErrorCode.INVALID_RECORD],
      ['a wrong checksum', flip(batchOf(['a']), BATCH_HEADER_BYTES + 3), ErrorCode.CORRUPT_MESSAGE],
      ['magic 1', tampered(batchOf(['a']), (b) => b.writeInt8(1, 16)), ErrorCode.INVALID_RECORD],
      ['magic 3', tampered(batchOf(['a']), (b) => b.writeInt8(3, 16)), ErrorCode.CORRUPT_MESSAGE],
      ['a base offset', batchOf(['a'], { baseOffset: 5 }), ErrorCode.INVALID_RECORD],
      [
        'a record count of 0',
        tampered(batchOf(['a']), (b) => b.writeInt32BE(0, 57)),
        ErrorCode.INVALID_RECORD,
      ],
      [
        'a record count too high',
        tampered(batchOf(['a']), (b) => b.writeInt32BE(2, 57)),
        ErrorCode.INVALID_RECORD,
      ],
      [
        'a last offset delta that does not fit',
        tampered(batchOf(['a']), (b) => b.writeInt32BE(7, 23)),
        ErrorCode.INVALID_RECORD,
      ],
      ['a control batch', batchOf(['a'], { control: true }), ErrorCode.INVALID_RECORD],
      [
        'a producer id without a sequence',
        batchOf(['a'], { producerId: 1, producerEpoch: 0 }),
        ErrorCode.INVALID_RECORD,
      ],
      ['a batch larger than max.message.bytes', batchOf(['x'.repeat(2000)]), ErrorCode.MESSAGE_TOO_LARGE],
      ['a timestamp of the far future', batchOf(['a'], {}, NOW + 1e12), ErrorCode.INVALID_TIMESTAMP],
      ['half a batch', batchOf(['abcdef']).subarray(0, 70), ErrorCode.INVALID_RECORD],
      ['less than a header', batchOf(['abcdef']).subarray(0, 30), ErrorCode.INVALID_RECORD],
    ];
    for (const [what, records, errorCode] of cases) {
      const result = await bench.produce('t', records);
      assert.equal(result.errorCode, errorCode, what);
      assert.equal(result.baseOffset, -1, what);
    }
    assert.deepEqual(await bench.readAll('t'), []);
    assert.equal((await bench.produce('t', batchOf(['good']))).baseOffset, 0);
    assert.equal(bench.broker.counters.malformedFrames, 0);
    assert.equal(bench.broker.counters.handlerFailures, 0);
  },
);

function flip(batch: Buffer, position: number): Buffer {
  batch[position] = (batch[position] as number) ^ 0xff;
  return batch;
}

testInWorlds('records without a key are refused by a compacted topic, one by one', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('c', 1, { 'cleanup.policy': 'compact' });
  const records = [Buffer.from('k'), null, Buffer.from('k'), null].map((key) => ({
    key,
    value: Buffer.from('v'),
    timestampMs: NOW,
  }));
  const result = await bench.produce('c', buildBatch({ records }, compute));
  assert.equal(result.errorCode, ErrorCode.INVALID_RECORD);
  assert.deepEqual(
    result.recordErrors.map(({ batchIndex }) => batchIndex),
    [1, 3],
  );
  assert.deepEqual(await bench.readAll('c'), []);
});

testInWorlds('topics and partitions that are not there, and internal ones, are refused', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const code = async (topic: string, options: Parameters<Bench['produce']>[2] = {}) =>
    (await bench.produce(topic, batchOf(['x']), options)).errorCode;
  assert.equal(await code('unknown'), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(await code('t', { partition: 1 }), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(await code('t', { partition: -1 }), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(await code('t', { acks: 2 }), ErrorCode.INVALID_REQUIRED_ACKS);
  assert.equal(await code('t', { acks: -2 }), ErrorCode.INVALID_REQUIRED_ACKS);
  assert.equal(await code('__consumer_offsets'), ErrorCode.INVALID_TOPIC_EXCEPTION);
  assert.deepEqual(await bench.readAll('t'), []);
});

testInWorlds('Produce v13 names topics by id', async (world) => {
  const bench = await Bench.open(world);
  const topicId = await bench.createTopic('t');
  const produce = (id: string) =>
    world.wait(
      bench.client.call(Produce, 13, {
        acks: -1,
        timeoutMs: 1000,
        topicData: [{ topicId: id, partitionData: [{ index: 0, records: batchOf(['x']) }] }],
      }),
    );
  const good = await produce(topicId);
  assert.equal(good.responses[0]?.topicId, topicId);
  assert.equal(good.responses[0]?.partitionResponses[0]?.errorCode, ErrorCode.NONE);
  const bad = await produce('AAAAAAAAAAAAAAAAAAAAAg');
  assert.equal(bad.responses[0]?.partitionResponses[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_ID);
  assert.deepEqual(await bench.readAll('t'), ['x']);
});

testInWorlds('every version of Produce that is served appends', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  for (let version = 3; version <= 12; version++) {
    const result = await bench.produce('t', batchOf([`v${version}`]), { version });
    assert.equal(result.errorCode, ErrorCode.NONE, `version ${version}`);
    assert.equal(result.baseOffset, version - 3);
  }
});

testInWorlds('acks=0 is not answered, and an error closes the connection', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const tell = (topic: string, value: string) =>
    bench.client.tell(Produce.request, 9, {
      acks: 0,
      timeoutMs: 1000,
      topicData: [{ name: topic, partitionData: [{ index: 0, records: batchOf([value]) }] }],
    });
  tell('t', 'one');
  tell('t', 'two');
  assert.equal((await bench.produce('t', batchOf(['three']))).baseOffset, 2);
  assert.equal(bench.client.answered.length, 2);
  assert.deepEqual(await bench.readAll('t'), ['one', 'two', 'three']);
  tell('unknown', 'x');
  await world.wait(bench.client.ended());
  assert.equal(bench.client.closed, 'peer');
});

testInWorlds('many requests in flight are appended and answered in their order', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const values = Array.from({ length: 100 }, (_, i) => `value ${i}`);
  const acks = [-1, 1];
  const answers = values.map((value, i) =>
    bench.produceLater('t', batchOf([value]), { acks: acks[i % 2] as number, version: 9 }),
  );
  const results = await world.wait(Promise.all(answers));
  for (const [i, answer] of results.entries()) {
    assert.equal(answer.responses[0]?.partitionResponses[0]?.baseOffset, i);
  }
  const sorted = [...bench.client.answered].sort((a, b) => a - b);
  assert.deepEqual(bench.client.answered, sorted);
  assert.deepEqual(await bench.readAll('t'), values);
});

testInWorlds(
  'a producer that retries is told the first offsets; a gap and an old epoch are refused',
  async (world) => {
    const bench = await Bench.open(world);
    await bench.createTopic('t');
    const ids = await world.wait(
      bench.client.call(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0 }),
    );
    assert.equal(ids.errorCode, ErrorCode.NONE);
    const { producerId } = ids;
    const send = (baseSequence: number, values: string[], producerEpoch = 0) =>
      bench.produce('t', batchOf(values, { producerId, producerEpoch, baseSequence }, world.wallMs()));
    assert.equal((await send(0, ['a', 'b'])).baseOffset, 0);
    assert.equal((await send(2, ['c'])).baseOffset, 2);
    const again = await send(0, ['a', 'b']);
    assert.equal(again.errorCode, ErrorCode.NONE);
    assert.equal(again.baseOffset, 0);
    assert.equal((await send(4, ['gap'])).errorCode, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert.equal((await send(0, ['next epoch'], 1)).errorCode, ErrorCode.NONE);
    assert.equal((await send(3, ['old epoch'])).errorCode, ErrorCode.INVALID_PRODUCER_EPOCH);
    assert.equal((await send(5, ['not from 0'], 2)).errorCode, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert.deepEqual(await bench.readAll('t'), ['a', 'b', 'c', 'next epoch']);
    await bench.restart();
    const after = await send(0, ['next epoch'], 1);
    assert.equal(after.errorCode, ErrorCode.NONE);
    assert.equal(after.baseOffset, 3);
    assert.equal((await send(1, ['on'], 1)).baseOffset, 4);
  },
);

testInWorlds('producer ids are never given twice, also over restarts', async (world) => {
  const bench = await Bench.open(world);
  const ids = new Set<number>();
  const take = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const version = i % 6;
      const answer = await world.wait(
        bench.client.call(InitProducerId, version, { transactionalId: null, transactionTimeoutMs: 0 }),
      );
      assert.equal(answer.errorCode, ErrorCode.NONE);
      assert.equal(answer.producerEpoch, 0);
      assert.equal(ids.has(answer.producerId), false);
      ids.add(answer.producerId);
    }
  };
  await take(world.name === 'virtual' ? 2100 : 30);
  await bench.restart();
  await take(30);
});

testInWorlds('transactions are refused without a promise', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const init = (transactionalId: string, more = {}) =>
    world.wait(
      bench.client.call(InitProducerId, 4, { transactionalId, transactionTimeoutMs: 1000, ...more }),
    );
  assert.equal((await init('tx')).errorCode, ErrorCode.UNSUPPORTED_VERSION);
  assert.equal((await init('')).errorCode, ErrorCode.INVALID_REQUEST);
  const produce = async (version: number, transactionalId: string | null) => {
    const records = batchOf(['x'], { producerId: 1, producerEpoch: 0, baseSequence: 0, transactional: true });
    const answer = await world.wait(
      bench.client.call(Produce, version, {
        transactionalId,
        acks: -1,
        timeoutMs: 1000,
        topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
      }),
    );
    return answer.responses[0]?.partitionResponses[0]?.errorCode;
  };
  assert.equal(await produce(9, null), ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
  assert.equal(await produce(9, 'tx'), ErrorCode.INVALID_TXN_STATE);
  assert.equal(await produce(12, 'tx'), ErrorCode.TRANSACTION_ABORTABLE);
  assert.deepEqual(await bench.readAll('t'), []);
});

testInWorlds('LogAppendTime puts the broker time on batches and tells it', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t', 1, { 'message.timestamp.type': 'LogAppendTime' });
  const result = await bench.produce('t', batchOf(['x'], {}, 1000));
  assert.ok(result.logAppendTimeMs > 1_700_000_000_000);
  const { records } = await bench.fetch('t', 0);
  const [record] = recordsIn(records);
  assert.equal(record?.timestampMs, result.logAppendTimeMs);
  assert.deepEqual(valuesOf(recordsIn(records)), ['x']);
});

testInWorlds('where every record is flushed, acks=all waits for the flush', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t', 1, { 'flush.messages': '1' });
  const result = await bench.produce('t', batchOf(['x']));
  assert.equal(result.errorCode, ErrorCode.NONE);
  assert.equal((await bench.fetch('t', 0)).highWatermark, 1);
  assert.deepEqual(await bench.readAll('t'), ['x']);
});

testInWorlds(
  'too few in-sync replicas refuse acks=all only as far as there could be so many',
  async (world) => {
    const bench = await Bench.open(world);
    await bench.createTopic('t', 1, { 'min.insync.replicas': '2' });
    assert.equal((await bench.produce('t', batchOf(['x']))).errorCode, ErrorCode.NONE);
  },
);
