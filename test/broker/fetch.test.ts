import assert from 'node:assert/strict';
import { ErrorCode } from '../../src/base/errors.ts';
import { DeleteTopics, Fetch } from './apis.ts';
import { batchOf, Bench, recordsIn, valuesOf } from './records.ts';
import { testInWorlds } from './worlds.ts';

testInWorlds('a long poll is answered when a record comes, not before and not later', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const reader = await world.connect(bench.broker);
  const fetched = bench.fetchLater('t', 0, { maxWaitMs: 20_000 }, reader);
  await world.pass(150);
  assert.equal(reader.answered.length, 0);
  await bench.produce('t', batchOf(['now']));
  const answer = await world.wait(fetched);
  assert.deepEqual(valuesOf(recordsIn(answer.responses[0]?.partitions[0]?.records ?? null)), ['now']);
  assert.equal(bench.broker.counters.fetchesDelayed, 1);
});

testInWorlds('a long poll ends empty when its time is over', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const startMs = world.nowMs();
  const result = await bench.fetch('t', 0, { maxWaitMs: 300 });
  const tookMs = world.nowMs() - startMs;
  assert.equal(result.errorCode, ErrorCode.NONE);
  assert.equal(result.records?.length, 0);
  assert.ok(tookMs >= 299 && tookMs < 600, `took ${tookMs} ms`);
});

testInWorlds('a long poll waits for as many bytes as it wants', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t', 2);
  const reader = await world.connect(bench.broker);
  const batch = batchOf(['x'.repeat(100)]);
  const fetched = reader.call(Fetch, 12, {
    maxWaitMs: 20_000,
    minBytes: batch.length * 3,
    sessionEpoch: -1,
    topics: [
      {
        topic: 't',
        partitions: [0, 1].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 10_000 })),
      },
    ],
  });
  await bench.produce('t', batch);
  await bench.produce('t', batchOf(['x'.repeat(100)]), { partition: 1 });
  await world.pass(50);
  assert.equal(reader.answered.length, 0);
  await bench.produce('t', batchOf(['x'.repeat(100)]));
  const answer = await world.wait(fetched);
  const sizes = answer.responses[0]?.partitions.map(({ records }) => records?.length);
  assert.deepEqual(sizes, [batch.length * 2, batch.length]);
});

testInWorlds('the end of a connection ends what waits on its behalf', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const reader = await world.connect(bench.broker);
  const fetched = bench.fetchLater('t', 0, { maxWaitMs: 20_000 }, reader);
  fetched.catch(() => {});
  await world.pass(50);
  reader.close();
  await world.pass(50);
  assert.equal((await bench.produce('t', batchOf(['x']))).errorCode, ErrorCode.NONE);
  assert.equal(bench.broker.counters.handlerFailures, 0);
  bench.broker.checkInvariants();
});

testInWorlds('byte limits hold, but for the first batch, which is always whole', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t', 2);
  const value = 'v'.repeat(1000);
  const size = batchOf([value]).length;
  for (let i = 0; i < 5; i++) {
    for (const partition of [0, 1]) await bench.produce('t', batchOf([value]), { partition });
  }
  const fetch = async (maxBytes: number, partitionMaxBytes: number) => {
    const answer = await world.wait(
      bench.client.call(Fetch, 12, {
        maxWaitMs: 0,
        minBytes: 1,
        maxBytes,
        sessionEpoch: -1,
        topics: [
          {
            topic: 't',
            partitions: [0, 1].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes })),
          },
        ],
      }),
    );
    return answer.responses[0]?.partitions.map(({ records }) => recordsIn(records).length);
  };
  assert.deepEqual(await fetch(1 << 20, 1 << 20), [5, 5]);
  assert.deepEqual(await fetch(1 << 20, size * 2), [2, 2]);
  assert.deepEqual(await fetch(size * 3, 1 << 20), [3, 0]);
  assert.deepEqual(await fetch(1, 1 << 20), [1, 0]);
  assert.deepEqual(await fetch(1 << 20, 1), [1, 0]);
  assert.deepEqual(await fetch(0, 0), [1, 0]);
});

testInWorlds('reading begins in the middle of a batch and goes on over segments', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t', 1, { 'segment.bytes': '1048576' });
  const expected: string[] = [];
  for (let i = 0; i < 30; i++) {
    const values = [0, 1, 2].map((n) => `${i}.${n} ${'x'.repeat(30_000)}`);
    expected.push(...values);
    await bench.produce('t', batchOf(values), { acks: 1 });
  }
  assert.deepEqual(await bench.readAll('t'), expected);
  for (const offset of [1, 2, 34, 35, 89]) {
    const { records } = await bench.fetch('t', offset);
    assert.equal(valuesOf(recordsIn(records, offset))[0], expected[offset]);
  }
});

testInWorlds('errors of partitions: unknown, out of range, wrong epochs, topic ids', async (world) => {
  const bench = await Bench.open(world);
  const topicId = await bench.createTopic('t');
  await bench.produce('t', batchOf(['a', 'b']));
  const code = async (offset: number, options = {}, topic = 't') =>
    (await bench.fetch(topic, offset, options)).errorCode;
  assert.equal(await code(0, {}, 'unknown'), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(await code(0, { partition: 7 }), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(await code(2), ErrorCode.NONE);
  assert.equal(await code(3), ErrorCode.OFFSET_OUT_OF_RANGE);
  assert.equal(await code(-1), ErrorCode.OFFSET_OUT_OF_RANGE);
  assert.equal(
    await code(0, { partitionFields: { currentLeaderEpoch: 99 } }),
    ErrorCode.UNKNOWN_LEADER_EPOCH,
  );
  assert.equal(await code(0, { partitionFields: { currentLeaderEpoch: 0 } }), ErrorCode.NONE);
  const byId = async (id: string, version = 16) =>
    world.wait(
      bench.client.call(Fetch, version, {
        maxWaitMs: 0,
        minBytes: 1,
        sessionEpoch: -1,
        topics: [{ topicId: id, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
      }),
    );
  for (let version = 13; version <= 18; version++) {
    const answer = await byId(topicId, version);
    assert.equal(answer.responses[0]?.topicId, topicId);
    assert.deepEqual(valuesOf(recordsIn(answer.responses[0]?.partitions[0]?.records ?? null)), ['a', 'b']);
  }
  const unknown = await byId('AAAAAAAAAAAAAAAAAAAAAg');
  assert.equal(unknown.responses[0]?.partitions[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_ID);
});

testInWorlds(
  'a restart begins a new leader epoch; older ones are fenced and told the leader',
  async (world) => {
    const bench = await Bench.open(world);
    const topicId = await bench.createTopic('t');
    await bench.produce('t', batchOf(['a']));
    const leaderEpoch = async () => (await bench.metadata(['t'])).topics[0]?.partitions[0]?.leaderEpoch ?? -1;
    const before = await leaderEpoch();
    await bench.restart();
    const after = await leaderEpoch();
    assert.ok(after > before, `${after} after ${before}`);
    const fenced = await world.wait(
      bench.client.call(Fetch, 16, {
        maxWaitMs: 5000,
        minBytes: 1,
        sessionEpoch: -1,
        topics: [
          {
            topicId,
            partitions: [
              { partition: 0, fetchOffset: 0, partitionMaxBytes: 1000, currentLeaderEpoch: before },
            ],
          },
        ],
      }),
    );
    const result = fenced.responses[0]?.partitions[0];
    assert.equal(result?.errorCode, ErrorCode.FENCED_LEADER_EPOCH);
    assert.deepEqual(
      { leaderId: result?.currentLeader.leaderId, leaderEpoch: result?.currentLeader.leaderEpoch },
      { leaderId: 1, leaderEpoch: after },
    );
    assert.equal(fenced.nodeEndpoints[0]?.nodeId, 1);
    await bench.produce('t', batchOf(['b']));
    const diverging = async (lastFetchedEpoch: number, offset: number) =>
      (await bench.fetch('t', offset, { partitionFields: { lastFetchedEpoch } })).divergingEpoch;
    assert.deepEqual((await diverging(before, 1)).epoch, -1);
    assert.deepEqual((await diverging(before, 2)).epoch, before);
    assert.deepEqual((await diverging(before, 2)).endOffset, 1);
  },
);

testInWorlds('a session is opened, used, and lost with the broker', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t', 3);
  const ask = (sessionId: number, sessionEpoch: number, partitions: number[] = [], fetchOffset = 0) =>
    world.wait(
      bench.client.call(Fetch, 12, {
        maxWaitMs: 0,
        minBytes: 1,
        sessionId,
        sessionEpoch,
        topics: [
          {
            topic: 't',
            partitions: partitions.map((partition) => ({
              partition,
              fetchOffset,
              partitionMaxBytes: 10_000,
            })),
          },
        ],
      }),
    );
  const first = await ask(0, 0, [0, 1, 2]);
  assert.ok(first.sessionId > 0);
  assert.equal(first.responses[0]?.partitions.length, 3);
  assert.deepEqual((await ask(first.sessionId, 1)).responses, []);
  await bench.produce('t', batchOf(['x']), { partition: 2 });
  const news = await ask(first.sessionId, 2);
  assert.deepEqual(
    news.responses.map(({ topic, partitions }) => [
      topic,
      partitions.map(({ partitionIndex }) => partitionIndex),
    ]),
    [['t', [2]]],
  );
  const moved = await ask(first.sessionId, 3, [2], 1);
  assert.deepEqual(moved.responses, []);
  assert.equal((await ask(first.sessionId, 3)).errorCode, ErrorCode.INVALID_FETCH_SESSION_EPOCH);
  await bench.restart();
  assert.equal((await ask(first.sessionId, 4)).errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
});

testInWorlds('a session learns of a topic that is deleted and made again', async (world) => {
  const bench = await Bench.open(world);
  const topicId = await bench.createTopic('t');
  const ask = (sessionId: number, sessionEpoch: number, id?: string) =>
    world.wait(
      bench.client.call(Fetch, 16, {
        maxWaitMs: 0,
        minBytes: 1,
        sessionId,
        sessionEpoch,
        topics:
          id === undefined
            ? []
            : [{ topicId: id, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
      }),
    );
  const { sessionId } = await ask(0, 0, topicId);
  const deleted = await world.wait(
    bench.client.call(DeleteTopics, 6, { topics: [{ name: 't' }], timeoutMs: 1000 }),
  );
  assert.equal(deleted.responses[0]?.errorCode, ErrorCode.NONE);
  const gone = await ask(sessionId, 1);
  assert.equal(gone.responses[0]?.partitions[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_ID);
  const newId = await bench.createTopic('t');
  assert.notEqual(newId, topicId);
  await bench.produce('t', batchOf(['new']));
  const still = await ask(sessionId, 2);
  assert.equal(still.responses[0]?.partitions[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_ID);
  assert.deepEqual(await bench.readAll('t'), ['new']);
});

testInWorlds('a topic that is deleted while it is read and written answers so', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  await bench.produce('t', batchOf(['x']));
  const reader = await world.connect(bench.broker);
  const waiting = bench.fetchLater('t', 1, { maxWaitMs: 20_000 }, reader);
  await world.pass(20);
  await world.wait(bench.client.call(DeleteTopics, 4, { topicNames: ['t'], timeoutMs: 1000 }));
  const answer = await world.wait(waiting);
  assert.equal(answer.responses[0]?.partitions[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  const late = await bench.produce('t', batchOf(['y']));
  assert.equal(late.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  bench.broker.checkInvariants();
});

testInWorlds('a replica that is none is not served, a session of one is not made', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const answer = await world.wait(
    bench.client.call(Fetch, 12, {
      replicaId: 5,
      maxWaitMs: 0,
      minBytes: 1,
      sessionEpoch: -1,
      topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
    }),
  );
  assert.equal(answer.responses[0]?.partitions[0]?.errorCode, ErrorCode.NOT_LEADER_OR_FOLLOWER);
});

testInWorlds(
  'a reader sees records only once they are acknowledged by all in-sync replicas',
  async (world) => {
    const bench = await Bench.open(world);
    await bench.createTopic('t', 1, { 'flush.messages': '1' });
    const reader = await world.connect(bench.broker);
    let produced = 0;
    for (let i = 0; i < 20; i++) {
      const sent = bench.produceLater('t', batchOf([`${i}`])).then(() => produced++);
      const answer = await world.wait(bench.fetchLater('t', i, { maxWaitMs: 10_000 }, reader));
      const result = answer.responses[0]?.partitions[0];
      assert.equal(result?.highWatermark, i + 1);
      assert.deepEqual(valuesOf(recordsIn(result?.records ?? null, i)), [`${i}`]);
      await world.wait(sent);
    }
    assert.equal(produced, 20);
  },
);

testInWorlds('read_committed readers get empty lists of aborted transactions', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  await bench.produce('t', batchOf(['x']));
  const committed = await bench.fetch('t', 0, { isolationLevel: 1 });
  assert.deepEqual(committed.abortedTransactions, []);
  assert.equal(committed.lastStableOffset, 1);
  assert.equal((await bench.fetch('t', 0)).abortedTransactions, null);
  for (let version = 4; version <= 12; version++) {
    assert.deepEqual(
      valuesOf(recordsIn((await bench.fetch('t', 0, { version })).records)),
      ['x'],
      `v${version}`,
    );
  }
});

testInWorlds('a close answers what waits and leaves the marker', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const waiting = bench.fetchLater('t', 0, { maxWaitMs: 50_000 });
  await world.pass(20);
  const startMs = world.nowMs();
  const closing = bench.broker.close();
  const answer = await world.wait(waiting);
  assert.equal(answer.responses[0]?.partitions[0]?.records?.length, 0);
  await world.wait(closing);
  assert.ok(world.nowMs() - startMs < 5000);
  await bench.startAgain();
  assert.equal(
    world.lines.some(({ message }) => message === 'The logs are loaded'),
    false,
  );
});
