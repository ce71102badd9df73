import assert from 'node:assert/strict';
import { ErrorCode } from '../../src/base/errors.ts';
import type { DescribeTopicPartitionsResponse } from '../../src/protocol/messages/describe-topic-partitions.ts';
import { CreateTopics, DeleteTopics, DescribeTopicPartitions, Metadata } from './apis.ts';
import { batchOf, Bench } from './records.ts';
import { testInWorlds } from './worlds.ts';

const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAAAg';

testInWorlds(
  'an unknown topic is made when client and broker allow it, and can be used at once',
  async (world) => {
    const bench = await Bench.open(world, { 'num.partitions': '3' });
    const refused = await bench.metadata(['t'], false);
    assert.equal(refused.topics[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const made = await bench.metadata(['t', 'u'], true);
    assert.deepEqual(
      made.topics.map(({ name, errorCode, partitions }) => [name, errorCode, partitions.length]),
      [
        ['t', 0, 3],
        ['u', 0, 3],
      ],
    );
    for (const partition of [0, 1, 2]) {
      assert.equal((await bench.produce('t', batchOf(['x']), { partition })).errorCode, ErrorCode.NONE);
    }
    assert.equal(bench.broker.counters.topicsAutoCreated, 2);
    await bench.restart({ 'auto.create.topics.enable': 'false' });
    const off = await bench.metadata(['v'], true);
    assert.equal(off.topics[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  },
);

testInWorlds('two clients that ask for the same new topic at once both get it', async (world) => {
  const bench = await Bench.open(world);
  const other = await world.connect(bench.broker);
  const ask = (client: typeof other) =>
    client.call(Metadata, 9, { topics: [{ name: 'same' }], allowAutoTopicCreation: true });
  const answers = await world.wait(Promise.all([ask(bench.client), ask(other), ask(other)]));
  for (const { topics } of answers) {
    assert.equal(topics[0]?.errorCode, ErrorCode.NONE);
    assert.equal(topics[0]?.partitions[0]?.leaderId, 1);
  }
});

testInWorlds(
  'names that no topic may have are refused, and internal ones are not made for clients',
  async (world) => {
    const bench = await Bench.open(world);
    const answer = await bench.metadata(['bad name', '..', 'x'.repeat(250), '', '__consumer_offsets'], true);
    assert.deepEqual(
      answer.topics.map(({ errorCode }) => errorCode),
      [
        ErrorCode.INVALID_TOPIC_EXCEPTION,
        ErrorCode.INVALID_TOPIC_EXCEPTION,
        ErrorCode.INVALID_TOPIC_EXCEPTION,
        ErrorCode.INVALID_TOPIC_EXCEPTION,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ],
    );
    assert.equal(answer.topics[4]?.isInternal, true);
  },
);

testInWorlds('every version tells brokers, cluster and topics', async (world) => {
  const bench = await Bench.open(world);
  const topicId = await bench.createTopic('t', 2);
  for (let version = 0; version <= 13; version++) {
    const answer = await bench.metadata(['t'], false, version);
    assert.deepEqual(
      answer.brokers.map(({ nodeId, port }) => [nodeId, port]),
      [[1, bench.broker.addresses[0]?.port]],
    );
    if (version >= 1) assert.equal(answer.controllerId, 1);
    if (version >= 2) assert.equal(answer.clusterId, bench.broker.clusterId);
    const [topic] = answer.topics;
    assert.equal(topic?.name, 't');
    if (version >= 10) assert.equal(topic?.topicId, topicId);
    assert.deepEqual(
      topic?.partitions.map(({ partitionIndex, leaderId, replicaNodes, isrNodes, offlineReplicas }) => [
        partitionIndex,
        leaderId,
        replicaNodes,
        isrNodes,
        offlineReplicas,
      ]),
      [
        [0, 1, [1], [1], []],
        [1, 1, [1], [1], []],
      ],
    );
  }
});

testInWorlds('all topics, none, by name and by id', async (world) => {
  const bench = await Bench.open(world);
  const ids = new Map<string, string>();
  for (const name of ['a', 'b', 'c']) ids.set(name, await bench.createTopic(name));
  const names = async (topics: Parameters<Bench['metadata']>[0], version: number) =>
    (await bench.metadata(topics, false, version)).topics.map(({ name }) => name ?? '').sort();
  assert.deepEqual(await names(null, 12), ['a', 'b', 'c']);
  assert.deepEqual(await names([], 12), []);
  assert.deepEqual(await names([], 0), ['a', 'b', 'c']);
  assert.deepEqual(await names(['b', 'b'], 12), ['b']);
  const byId = await world.wait(
    bench.client.call(Metadata, 12, {
      topics: [
        { topicId: ids.get('c'), name: null },
        { topicId: UNKNOWN_ID, name: null },
      ],
    }),
  );
  assert.deepEqual(
    byId.topics.map(({ name, errorCode }) => [name, errorCode]),
    [
      ['c', ErrorCode.NONE],
      [null, ErrorCode.UNKNOWN_TOPIC_ID],
    ],
  );
  const tooEarly = await world.wait(
    bench.client.call(Metadata, 10, { topics: [{ topicId: ids.get('c'), name: 'c' }] }),
  );
  assert.equal(tooEarly.topics[0]?.errorCode, ErrorCode.INVALID_REQUEST);
});

testInWorlds(
  'an answer that is built in steps says the same as a small one, and keeps its place',
  async (world) => {
    const bench = await Bench.open(world);
    const topics = [
      { name: 'large', numPartitions: 1201, replicationFactor: 1, assignments: [], configs: [] },
      ...Array.from({ length: 150 }, (_, i) => ({
        name: `t${i}`,
        numPartitions: 2,
        replicationFactor: 1,
        assignments: [],
        configs: [],
      })),
    ];
    await world.wait(bench.client.call(CreateTopics, 7, { topics, timeoutMs: 60_000 }));
    for (let version = 0; version <= 13; version++) {
      const all = version === 0 ? [] : null;
      const settled: string[] = [];
      const first = bench.client.call(Metadata, version, { topics: all }).then((answer) => {
        settled.push('large');
        return answer;
      });
      const second = bench.client.call(Metadata, version, { topics: [{ name: 't3' }] }).then((answer) => {
        settled.push('small');
        return answer;
      });
      const [large, small] = await world.wait(Promise.all([first, second]));
      assert.deepEqual(settled, ['large', 'small']);
      assert.equal(large.topics.length, 151);
      const indexes = large.topics
        .find(({ name }) => name === 'large')
        ?.partitions.map((one) => one.partitionIndex);
      assert.deepEqual(
        indexes,
        Array.from({ length: 1201 }, (_, i) => i),
      );
      assert.deepEqual(
        large.topics.find(({ name }) => name === 't3'),
        small.topics[0],
      );
      assert.deepEqual({ ...large, topics: [] }, { ...small, topics: [] });
    }
    const named = [...topics, { name: 'none' }].map(({ name }) => ({ name }));
    const mixed = await world.wait(
      bench.client.call(Metadata, 12, { topics: named, allowAutoTopicCreation: false }),
    );
    assert.deepEqual(
      mixed.topics.map(({ name }) => name),
      named.map(({ name }) => name),
    );
    assert.equal(mixed.topics.at(-1)?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  },
);

testInWorlds('authorized operations are told when asked for', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const ask = (include: boolean) =>
    world.wait(
      bench.client.call(Metadata, 9, {
        topics: [{ name: 't' }],
        includeClusterAuthorizedOperations: include,
        includeTopicAuthorizedOperations: include,
      }),
    );
  const without = await ask(false);
  assert.equal(without.clusterAuthorizedOperations, -2147483648);
  assert.equal(without.topics[0]?.topicAuthorizedOperations, -2147483648);
  const withThem = await ask(true);
  assert.ok((withThem.topics[0]?.topicAuthorizedOperations ?? 0) & (1 << 4), 'write');
  assert.ok(withThem.clusterAuthorizedOperations & (1 << 5), 'create');
});

testInWorlds(
  'topics survive a restart with their ids, configs and records; deleted ones do not',
  async (world) => {
    const bench = await Bench.open(world);
    const keptId = await bench.createTopic('kept', 2, { 'max.message.bytes': '1000' });
    await bench.createTopic('deleted');
    await bench.produce('kept', batchOf(['x']), { partition: 1 });
    await bench.produce('deleted', batchOf(['y']));
    const deleted = await world.wait(
      bench.client.call(DeleteTopics, 5, { topicNames: ['deleted', 'unknown'], timeoutMs: 1000 }),
    );
    assert.deepEqual(deleted.responses.map(({ name, errorCode }) => `${name} ${errorCode}`).sort(), [
      `deleted ${ErrorCode.NONE}`,
      `unknown ${ErrorCode.UNKNOWN_TOPIC_OR_PARTITION}`,
    ]);
    await bench.restart();
    const { topics } = await bench.metadata(null);
    assert.deepEqual(
      topics.map(({ name, topicId }) => [name, topicId]),
      [['kept', keptId]],
    );
    assert.deepEqual(await bench.readAll('kept', 1), ['x']);
    const tooLarge = await bench.produce('kept', batchOf(['x'.repeat(1000)]));
    assert.equal(tooLarge.errorCode, ErrorCode.MESSAGE_TOO_LARGE);
  },
);

testInWorlds(
  'a topic of many partitions can be used as soon as its creation is answered, and is deleted whole',
  async (world) => {
    const bench = await Bench.open(world);
    const count = 150;
    await bench.createTopic('many', count);
    const results = await world.wait(
      Promise.all(
        Array.from({ length: count }, (_, partition) =>
          bench.produceLater('many', batchOf([`${partition}`]), { partition, acks: 1 }),
        ),
      ),
    );
    for (const answer of results)
      assert.equal(answer.responses[0]?.partitionResponses[0]?.errorCode, ErrorCode.NONE);
    assert.deepEqual(await bench.readAll('many', count - 1), [`${count - 1}`]);
    await world.wait(bench.client.call(DeleteTopics, 4, { topicNames: ['many'], timeoutMs: 1000 }));
    await bench.createTopic('many', 1);
    assert.deepEqual(await bench.readAll('many', 0), []);
    bench.broker.checkInvariants();
  },
);

testInWorlds('topics that cannot be made say why', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  const make = async (
    name: string,
    numPartitions: number,
    replicationFactor: number,
    configs: [string, string][] = [],
  ) => {
    const answer = await world.wait(
      bench.client.call(CreateTopics, 5, {
        topics: [
          {
            name,
            numPartitions,
            replicationFactor,
            assignments: [],
            configs: configs.map(([config, value]) => ({ name: config, value })),
          },
        ],
      }),
    );
    return answer.topics[0]?.errorCode;
  };
  assert.equal(await make('t', 1, 1), ErrorCode.TOPIC_ALREADY_EXISTS);
  assert.equal(await make('bad name', 1, 1), ErrorCode.INVALID_TOPIC_EXCEPTION);
  assert.equal(await make('u', 0, 1), ErrorCode.INVALID_PARTITIONS);
  assert.equal(await make('u', 1, 2), ErrorCode.INVALID_REPLICATION_FACTOR);
  assert.equal(await make('u', 1, 1, [['no.such.config', 'x']]), ErrorCode.INVALID_CONFIG);
  assert.equal(await make('u', 1, 1, [['segment.bytes', 'many']]), ErrorCode.INVALID_CONFIG);
  assert.equal(await make('u', 1, 1), ErrorCode.NONE);
});

testInWorlds('DescribeTopicPartitions pages through topics in order of their names', async (world) => {
  const bench = await Bench.open(world);
  for (const [name, partitions] of [
    ['b', 3],
    ['a', 2],
    ['c', 1],
  ] as const)
    await bench.createTopic(name, partitions);
  const pages: string[][] = [];
  let cursor: { topicName: string; partitionIndex: number } | null = null;
  do {
    const answer: DescribeTopicPartitionsResponse = await world.wait(
      bench.client.call(DescribeTopicPartitions, 0, { topics: [], responsePartitionLimit: 2, cursor }),
    );
    pages.push(
      answer.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, leaderId }) => `${name}-${partitionIndex}@${leaderId}`),
      ),
    );
    cursor = answer.nextCursor;
  } while (cursor !== null);
  assert.deepEqual(pages, [
    ['a-0@1', 'a-1@1'],
    ['b-0@1', 'b-1@1'],
    ['b-2@1', 'c-0@1'],
  ]);
  const named = await world.wait(
    bench.client.call(DescribeTopicPartitions, 0, { topics: [{ name: 'zzz' }, { name: 'a' }] }),
  );
  assert.deepEqual(
    named.topics.map(({ name, errorCode }) => [name, errorCode]),
    [
      ['a', ErrorCode.NONE],
      ['zzz', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ],
  );
});
