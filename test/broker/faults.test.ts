import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../src/base/errors.ts';
import { InitProducerId } from './apis.ts';
import { batchOf, Bench, recordsIn, valuesOf } from './records.ts';
import { type VirtualTestWorld, virtualWorld } from './worlds.ts';

function testWithDisk(title: string, run: (world: VirtualTestWorld) => Promise<void>): void {
  test(title, { timeout: 60_000 }, async () => {
    const world = virtualWorld();
    await run(world);
    await world.end();
  });
}

testWithDisk(
  'a full disk refuses records, stays readable, and takes records again when there is room',
  async (world) => {
    const bench = await Bench.open(world);
    await bench.createTopic('t');
    await bench.produce('t', batchOf(['before']));
    const lift = world.disk.faults.add({ operation: 'append', pathPrefix: '/data/t-0', code: 'ENOSPC' });
    for (let i = 0; i < 3; i++) {
      const refused = await bench.produce('t', batchOf(['full']));
      assert.equal(refused.errorCode, ErrorCode.KAFKA_STORAGE_ERROR);
      assert.equal(refused.baseOffset, -1);
    }
    assert.deepEqual(await bench.readAll('t'), ['before']);
    lift();
    assert.equal((await bench.produce('t', batchOf(['after']))).baseOffset, 1);
    assert.deepEqual(await bench.readAll('t'), ['before', 'after']);
    bench.broker.checkInvariants();
  },
);

testWithDisk(
  'a failed write loses nothing that was acknowledged and reuses no offset that was',
  async (world) => {
    const bench = await Bench.open(world);
    await bench.createTopic('t');
    const acknowledged = new Map<number, string>();
    for (let round = 0; round < 20; round++) {
      const lift = world.disk.faults.add({ operation: 'append', pathPrefix: '/data/t-0', probability: 0.5 });
      const values = Array.from({ length: 10 }, (_, i) => `${round}.${i}`);
      const answers = await world.wait(
        Promise.all(values.map((value) => bench.produceLater('t', batchOf([value]), { acks: 1 }))),
      );
      lift();
      for (const [i, answer] of answers.entries()) {
        const result = answer.responses[0]?.partitionResponses[0];
        if (result?.errorCode !== ErrorCode.NONE) continue;
        assert.equal(acknowledged.has(result.baseOffset), false, 'one value per offset');
        acknowledged.set(result.baseOffset, values[i] as string);
      }
      bench.broker.checkInvariants();
    }
    assert.ok(acknowledged.size > 20);
    const read = await bench.readAll('t');
    for (const [offset, value] of acknowledged) assert.equal(read[offset], value);
  },
);

testWithDisk(
  'after a failed flush the directory is offline: nothing is acknowledged, and health says so',
  async (world) => {
    const bench = await Bench.open(world, { 'metadata.log.dir': '/metadata', 'odradek.admin.port': '0' });
    await bench.createTopic('t', 1, { 'flush.messages': '1' });
    await bench.produce('t', batchOf(['before']));
    const reader = await world.connect(bench.broker);
    const waiting = bench.fetchLater('t', 1, { maxWaitMs: 30_000 }, reader);
    world.disk.faults.add({ operation: 'flush', pathPrefix: '/data' });
    const startMs = world.nowMs();
    const refused = await bench.produce('t', batchOf(['not durable']), { timeoutMs: 30_000 });
    assert.equal(refused.errorCode, ErrorCode.KAFKA_STORAGE_ERROR);
    const answer = await world.wait(waiting);
    assert.equal(answer.responses[0]?.partitions[0]?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR);
    assert.ok(world.nowMs() - startMs < 5000, 'nobody waits for a time-out');
    assert.equal(
      (await bench.produce('t', batchOf(['x']), { acks: 1 })).errorCode,
      ErrorCode.KAFKA_STORAGE_ERROR,
    );
    assert.equal((await world.http(bench.broker, '/healthz')).status, 503);
    world.disk.faults.clear();
    world.kill();
    await bench.startAgain({ 'metadata.log.dir': '/metadata' });
    assert.equal((await bench.readAll('t'))[0], 'before');
  },
);

testWithDisk('acks=all that cannot be flushed in time says so', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t', 1, { 'flush.messages': '1' });
  const result = await bench.produce('t', batchOf(['x']), { timeoutMs: 0 });
  assert.equal(result.errorCode, ErrorCode.REQUEST_TIMED_OUT);
  await world.pass(1000);
  assert.deepEqual(await bench.readAll('t'), ['x']);
});

testWithDisk('a loss of power keeps what was flushed before it was acknowledged', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('durable', 1, { 'flush.messages': '1' });
  const values: string[] = [];
  for (let i = 0; i < 50; i++) {
    assert.equal((await bench.produce('durable', batchOf([`${i}`]))).errorCode, ErrorCode.NONE);
    values.push(`${i}`);
  }
  world.kill();
  world.disk.crash('power');
  await bench.startAgain();
  assert.deepEqual(await bench.readAll('durable'), values);
});

testWithDisk('producers keep their place over the end of the process', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const { producerId } = await world.wait(
    bench.client.call(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0 }),
  );
  const send = (baseSequence: number) =>
    bench.produce(
      't',
      batchOf([`${baseSequence}`], { producerId, producerEpoch: 0, baseSequence }, world.wallMs()),
    );
  for (let i = 0; i < 10; i++) assert.equal((await send(i)).baseOffset, i);
  world.kill();
  await bench.startAgain();
  assert.equal((await send(9)).baseOffset, 9);
  assert.equal((await send(10)).baseOffset, 10);
  assert.equal((await send(12)).errorCode, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
  const { records } = await bench.fetch('t', 0);
  assert.deepEqual(
    valuesOf(recordsIn(records)),
    Array.from({ length: 11 }, (_, i) => `${i}`),
  );
});

testWithDisk('a metadata log that cannot be written answers instead of hanging', async (world) => {
  const bench = await Bench.open(world, { 'metadata.log.dir': '/metadata' });
  await bench.createTopic('t');
  const lift = world.disk.faults.add({ operation: 'append', pathPrefix: '/metadata' });
  const refused = await bench.metadata(['new'], true);
  assert.notEqual(refused.topics[0]?.errorCode, ErrorCode.NONE);
  assert.equal((await bench.produce('t', batchOf(['data still flows']))).errorCode, ErrorCode.NONE);
  lift();
  await world.pass(15_000);
  const made = await bench.metadata(['new'], true);
  assert.equal(made.topics[0]?.errorCode, ErrorCode.NONE);
});
