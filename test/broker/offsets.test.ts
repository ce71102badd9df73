import assert from 'node:assert/strict';
import { ErrorCode } from '../../src/base/errors.ts';
import { ListOffsets, OffsetForLeaderEpoch } from './apis.ts';
import { batchOf, Bench } from './records.ts';
import { testInWorlds } from './worlds.ts';

const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;

/** One partition's answer, as the parts that matter. */
async function listOffset(
  bench: Bench,
  timestamp: number,
  options: { version?: number; partition?: number; epoch?: number; isolation?: number; topic?: string } = {},
) {
  const { version = 11, partition = 0, epoch = -1, isolation = 0, topic = 't' } = options;
  const answer = await bench.world.wait(
    bench.client.call(ListOffsets, version, {
      replicaId: -1,
      ...(version >= 2 ? { isolationLevel: isolation } : {}),
      topics: [
        {
          name: topic,
          partitions: [
            {
              partitionIndex: partition,
              timestamp: BigInt(timestamp),
              ...(version >= 4 ? { currentLeaderEpoch: epoch } : {}),
            },
          ],
        },
      ],
    }),
  );
  const result = answer.topics[0]?.partitions[0];
  assert.ok(result);
  return { ...result, timestamp: Number(result.timestamp) };
}

testInWorlds('the latest, the earliest and offsets by time are found', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  assert.equal((await listOffset(bench, LATEST)).offset, 0);
  assert.equal((await listOffset(bench, EARLIEST)).offset, 0);
  assert.equal((await listOffset(bench, MAX_TIMESTAMP)).offset, -1);
  assert.equal((await listOffset(bench, 0)).offset, -1);
  for (const timestampMs of [1000, 3000, 2000, 5000]) {
    await bench.produce('t', batchOf(['a', 'b'], {}, timestampMs));
  }
  for (let version = 1; version <= 11; version++) {
    const latest = await listOffset(bench, LATEST, { version });
    assert.deepEqual([latest.errorCode, latest.offset, latest.timestamp], [0, 8, -1], `v${version}`);
    assert.equal((await listOffset(bench, EARLIEST, { version })).offset, 0);
    if (version >= 4) assert.equal(latest.leaderEpoch, 0);
  }
  assert.equal((await listOffset(bench, LATEST, { isolation: 1 })).offset, 8);
  const at = async (timestampMs: number) => {
    const { offset, timestamp } = await listOffset(bench, timestampMs);
    return [offset, timestamp];
  };
  assert.deepEqual(await at(0), [0, 1000]);
  assert.deepEqual(await at(1000), [0, 1000]);
  assert.deepEqual(await at(1001), [2, 3000]);
  assert.deepEqual(await at(3001), [6, 5000]);
  assert.deepEqual(await at(5001), [-1, -1]);
  assert.deepEqual(await at(MAX_TIMESTAMP), [6, 5000]);
});

testInWorlds('special timestamps need the version that knows them', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  await bench.produce('t', batchOf(['a']));
  const cases: [number, number, number][] = [
    [MAX_TIMESTAMP, 7, 0],
    [-4, 8, 0],
    [-5, 9, -1],
    [-6, 11, -1],
  ];
  for (const [timestamp, since, offset] of cases) {
    const before = await listOffset(bench, timestamp, { version: since - 1 });
    assert.equal(before.errorCode, ErrorCode.UNSUPPORTED_VERSION, `${timestamp} before v${since}`);
    const found = await listOffset(bench, timestamp, { version: since });
    assert.deepEqual([found.errorCode, found.offset], [ErrorCode.NONE, offset], `${timestamp}`);
  }
  assert.equal((await listOffset(bench, -7)).errorCode, ErrorCode.UNSUPPORTED_VERSION);
});

testInWorlds('unknown partitions, wrong epochs and partitions named twice are refused', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const code = async (options: Parameters<typeof listOffset>[2]) =>
    (await listOffset(bench, LATEST, options)).errorCode;
  assert.equal(await code({ topic: 'unknown' }), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(await code({ partition: 3 }), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(await code({ epoch: 5 }), ErrorCode.UNKNOWN_LEADER_EPOCH);
  const twice = await world.wait(
    bench.client.call(ListOffsets, 5, {
      replicaId: -1,
      topics: [
        { name: 't', partitions: [0, 0].map((partitionIndex) => ({ partitionIndex, timestamp: -1n })) },
      ],
    }),
  );
  assert.deepEqual(
    twice.topics[0]?.partitions.map(({ errorCode }) => errorCode),
    [ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST],
  );
});

testInWorlds('the end of each leader epoch is told', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const epochs: number[] = [];
  for (let i = 0; i < 3; i++) {
    epochs.push((await bench.metadata(['t'])).topics[0]?.partitions[0]?.leaderEpoch ?? -1);
    await bench.produce('t', batchOf(['a', 'b']));
    if (i < 2) await bench.restart();
  }
  const endOf = async (leaderEpoch: number, currentLeaderEpoch = -1) => {
    const answer = await world.wait(
      bench.client.call(OffsetForLeaderEpoch, 4, {
        topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch, currentLeaderEpoch }] }],
      }),
    );
    const result = answer.topics[0]?.partitions[0];
    return [result?.errorCode, result?.leaderEpoch, result?.endOffset];
  };
  const [first, second, third] = epochs as [number, number, number];
  assert.deepEqual(await endOf(first), [ErrorCode.NONE, first, 2]);
  assert.deepEqual(await endOf(second), [ErrorCode.NONE, second, 4]);
  assert.deepEqual(await endOf(third), [ErrorCode.NONE, third, 6]);
  assert.deepEqual(await endOf(third + 1), [ErrorCode.NONE, -1, -1]);
  assert.deepEqual(await endOf(first, first), [ErrorCode.FENCED_LEADER_EPOCH, -1, -1]);
});
