import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../src/base/errors.ts';
import { ListOffsets } from './apis.ts';
import { batchOf, Bench, recordsIn, valuesOf } from './records.ts';
import { virtualWorld } from './worlds.ts';

/** A broker with a topic of several segments, none of which is in memory. */
async function withColdTopic(run: (bench: Bench, world: ReturnType<typeof virtualWorld>) => Promise<void>) {
  const world = virtualWorld();
  try {
    const bench = await Bench.open(world, {
      'log.segment.bytes': '1048576',
      'log.index.interval.bytes': '100',
    });
    await bench.createTopic('old');
    for (let i = 0; i < 60; i++)
      await bench.produce('old', batchOf([`${i} ${'x'.repeat(50_000)}`], {}, 1_767_225_600_000 + i * 1000));
    await bench.restart();
    world.disk.evict();
    await run(bench, world);
  } finally {
    await world.end();
  }
}

test('a fetch of data that is not in memory waits for it without holding up others', () =>
  withColdTopic(async (bench, world) => {
    const reader = await world.connect(bench.broker);
    const fetched = bench.fetchLater('old', 5, { maxWaitMs: 0, maxBytes: 60_000 }, reader);
    const answer = await world.wait(fetched);
    const values = valuesOf(recordsIn(answer.responses[0]?.partitions[0]?.records ?? null, 5));
    assert.match(values[0] ?? '', /^5 x/);
    assert.ok(bench.broker.counters.coldLookups > 0, 'the device had to be asked');
    const before = bench.broker.counters.coldLookups;
    const again = await bench.fetch('old', 5, { maxWaitMs: 0, maxBytes: 60_000 });
    assert.equal(again.errorCode, ErrorCode.NONE);
    assert.equal(bench.broker.counters.coldLookups, before, 'now it is in memory');
  }));

test('every offset of cold segments is found', () =>
  withColdTopic(async (bench, world) => {
    for (let offset = 0; offset < 60; offset++) {
      world.disk.evict();
      const result = await bench.fetch('old', offset, { maxWaitMs: 0, maxBytes: 60_000 });
      assert.equal(result.errorCode, ErrorCode.NONE);
      assert.match(valuesOf(recordsIn(result.records, offset))[0] ?? '', new RegExp(`^${offset} x`));
    }
  }));

test('a fetch whose connection ends while the device is asked is forgotten', () =>
  withColdTopic(async (bench, world) => {
    const reader = await world.connect(bench.broker);
    void bench.fetchLater('old', 5, { maxWaitMs: 0 }, reader).catch(() => undefined);
    await world.pass(0.2);
    reader.close();
    await world.pass(100);
    assert.equal(bench.broker.counters.handlerFailures, 0);
    const result = await bench.fetch('old', 7, { maxWaitMs: 0, maxBytes: 60_000 });
    assert.match(valuesOf(recordsIn(result.records, 7))[0] ?? '', /^7 x/);
  }));

test('a timestamp is found in cold segments', () =>
  withColdTopic(async (bench, world) => {
    for (const index of [0, 17, 42, 59]) {
      world.disk.evict();
      const asked = bench.client.call(ListOffsets, 7, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [
          {
            name: 'old',
            partitions: [
              {
                partitionIndex: 0,
                currentLeaderEpoch: -1,
                timestamp: 1_767_225_600_000n + BigInt(index) * 1000n,
              },
            ],
          },
        ],
      });
      const answer = await world.wait(asked);
      assert.equal(answer.topics[0]?.partitions[0]?.offset, index);
    }
  }));
