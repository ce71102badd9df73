import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SSD_LATENCY } from '../../sim/virtual/disk.ts';
import { ErrorCode } from '../../src/base/errors.ts';
import { DeleteRecords, ListOffsets } from './apis.ts';
import { batchOf, Bench } from './records.ts';
import { testInWorlds, virtualWorld } from './worlds.ts';

/** Error code and low watermark of one partition. */
async function deleteBelow(
  bench: Bench,
  offset: number,
  options: { topic?: string; partition?: number; version?: number; timeoutMs?: number } = {},
): Promise<[number, number]> {
  const { topic = 't', partition = 0, version = 2, timeoutMs = 10_000 } = options;
  const answer = await bench.world.wait(
    bench.client.call(DeleteRecords, version, {
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, offset }] }],
      timeoutMs,
    }),
  );
  const result = answer.topics[0]?.partitions[0];
  assert.ok(result);
  return [result.errorCode, result.lowWatermark];
}

async function earliest(bench: Bench): Promise<number> {
  const answer = await bench.world.wait(
    bench.client.call(ListOffsets, 7, {
      replicaId: -1,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -2n, currentLeaderEpoch: -1 }] }],
    }),
  );
  return answer.topics[0]?.partitions[0]?.offset ?? -1;
}

testInWorlds(
  'records are deleted below an offset, or all of them, and stay so over a restart',
  async (world) => {
    const bench = await Bench.open(world);
    await bench.createTopic('t');
    for (let i = 0; i < 5; i++) await bench.produce('t', batchOf(['a', 'b']));
    for (const version of [0, 1, 2]) {
      assert.deepEqual(await deleteBelow(bench, 3, { version }), [ErrorCode.NONE, 3], 'twice does no harm');
    }
    assert.equal(await earliest(bench), 3);
    assert.deepEqual(await deleteBelow(bench, 1), [ErrorCode.NONE, 3], 'the log start never falls');
    assert.equal((await bench.fetch('t', 2)).errorCode, ErrorCode.OFFSET_OUT_OF_RANGE);
    assert.equal((await bench.fetch('t', 3)).errorCode, ErrorCode.NONE);
    await bench.restart();
    assert.equal(await earliest(bench), 3);
    assert.deepEqual(await deleteBelow(bench, -1), [ErrorCode.NONE, 10]);
    assert.equal(await earliest(bench), 10);
    await bench.produce('t', batchOf(['c']));
    assert.equal((await bench.fetch('t', 10)).errorCode, ErrorCode.NONE);
  },
);

testInWorlds('what cannot be deleted is refused with the code of Kafka, and stays', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  await bench.createTopic('compacted', 1, { 'cleanup.policy': 'compact' });
  await bench.createTopic('kept', 1, { 'cleanup.policy': '' });
  await bench.produce('kept', batchOf(['a', 'b']));
  assert.deepEqual(
    await deleteBelow(bench, 1, { topic: 'kept' }),
    [ErrorCode.NONE, 1],
    'no policy forbids nothing',
  );
  await bench.produce('t', batchOf(['a', 'b']));
  assert.deepEqual(await deleteBelow(bench, 3), [ErrorCode.OFFSET_OUT_OF_RANGE, -1]);
  assert.deepEqual(await deleteBelow(bench, -2), [ErrorCode.OFFSET_OUT_OF_RANGE, -1]);
  assert.deepEqual(await deleteBelow(bench, 0, { partition: 7 }), [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1]);
  assert.deepEqual(await deleteBelow(bench, 0, { topic: 'x' }), [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1]);
  assert.deepEqual(await deleteBelow(bench, 0, { topic: 'compacted' }), [ErrorCode.POLICY_VIOLATION, -1]);
  assert.deepEqual(await deleteBelow(bench, 0, { topic: '__consumer_offsets' }), [
    ErrorCode.INVALID_TOPIC_EXCEPTION,
    -1,
  ]);
  assert.equal(await earliest(bench), 0);
});

test('a disk that takes longer than the client waits is a time-out, and the records are gone all the same', async () => {
  const world = virtualWorld(1, { ...SSD_LATENCY, flushMs: [100, 120] });
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  await bench.produce('t', batchOf(['a', 'b', 'c']));
  assert.deepEqual(await deleteBelow(bench, 2, { timeoutMs: 20 }), [ErrorCode.REQUEST_TIMED_OUT, -1]);
  assert.equal(await earliest(bench), 2);
  assert.deepEqual(await deleteBelow(bench, 2, { timeoutMs: 1000 }), [ErrorCode.NONE, 2]);
  await world.end();
});

test('a deletion that would not outlive a crash is no success', { timeout: 60_000 }, async () => {
  const world = virtualWorld();
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  for (let i = 0; i < 3; i++) await bench.produce('t', batchOf(['a']));
  const lift = world.disk.faults.add({
    operation: 'open',
    pathPrefix: '/data/log-start-offset-checkpoint',
    code: 'ENOSPC',
  });
  assert.deepEqual(await deleteBelow(bench, 2), [ErrorCode.KAFKA_STORAGE_ERROR, -1]);
  lift();
  assert.deepEqual(await deleteBelow(bench, 2), [ErrorCode.NONE, 2]);
  await world.end();
});
