import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ZERO_UUID } from '../base/uuid.ts';
import { ControllerHarness, assigned, createTopics } from './controller-harness.test.ts';
import type { ControllerApis } from './controller-request.ts';

function cluster(brokers = 3, configs: Record<string, string> = {}): ControllerHarness {
  const harness = new ControllerHarness(configs);
  for (let id = 1; id <= brokers; id++) harness.startBroker(id);
  return harness;
}

type Topics = Parameters<typeof createTopics>[0];

/** Error code and message of each topic, in order. */
function outcomes(harness: ControllerHarness, topics: Topics): [string, number, string | null][] {
  const { response, records } = harness.ask(19, createTopics(topics));
  const out = response.topics.map(
    ({ name, errorCode, errorMessage }) =>
      [name, errorCode, errorMessage ?? null] as [string, number, string | null],
  );
  if (out.every(([, code]) => code !== 0)) assert.deepEqual(records, []);
  return out;
}

const refusal = (harness: ControllerHarness, topic: Topics[number]) =>
  outcomes(harness, [topic])[0]?.slice(1);

test('CreateTopics writes the topic, its configs and its partitions, and answers with what they became', () => {
  const harness = cluster(1);
  const configs = [{ name: 'retention.ms', value: '5000' }];
  const { records, response } = harness.ask(
    19,
    createTopics([{ name: 'a', numPartitions: 2, replicationFactor: 1, configs }]),
  );
  assert.deepEqual(records, [
    'TopicRecord v0 name="a" topicId=a',
    'ConfigRecord v0 resourceType=2 resourceName="a" name="retention.ms" value="5000"',
    'PartitionRecord v2 partitionId=0 topicId=a replicas=[1] isr=[1] leader=1 leaderEpoch=0 partitionEpoch=0 directories=["dir1xxxxxxxxxxxxxxxxxA"]',
    'PartitionRecord v2 partitionId=1 topicId=a replicas=[1] isr=[1] leader=1 leaderEpoch=0 partitionEpoch=0 directories=["dir1xxxxxxxxxxxxxxxxxA"]',
  ]);
  const [topic] = response.topics;
  assert.equal(topic?.topicId, harness.controller.image.topics.byName('a')?.id);
  assert.equal(topic?.errorCode, 0);
  assert.equal(topic?.numPartitions, 2);
  assert.equal(topic?.replicationFactor, 1);
  const config = (name: string) => topic?.configs?.find((described) => described.name === name);
  assert.deepEqual(config('retention.ms'), {
    name: 'retention.ms',
    value: '5000',
    configSource: 1,
    readOnly: false,
    isSensitive: false,
  });
  assert.equal(config('min.insync.replicas')?.configSource, 3, 'the bootstrap set it for the cluster');
  assert.equal(config('segment.bytes')?.configSource, 5);
  assert.equal(config('internal.segment.bytes'), undefined);
});

test('-1 takes the defaults of the broker', () => {
  const harness = cluster(3, { 'num.partitions': '4', 'default.replication.factor': '2' });
  const [topic] = harness.ask(19, createTopics([{ name: 'a' }])).response.topics;
  assert.equal(topic?.numPartitions, 4);
  assert.equal(topic?.replicationFactor, 2);
  assert.equal(harness.controller.image.topics.byName('a')?.partitionCount, 4);
});

test('validateOnly answers as if and changes nothing', () => {
  const harness = cluster();
  const { records, response } = harness.ask(19, createTopics([{ name: 'a' }, { name: '.' }], true));
  assert.deepEqual(records, []);
  assert.deepEqual(
    response.topics.map(({ errorCode }) => errorCode),
    [0, 17],
  );
  assert.equal(harness.controller.image.topics.size, 0);
});

test('names are checked: form, length, existence, collision, duplicates', () => {
  const harness = cluster();
  outcomes(harness, [{ name: 'a.b' }, { name: 'taken' }]);
  const names = [
    '',
    '.',
    '..',
    'a b',
    'ä',
    'x'.repeat(250),
    'taken',
    'a_b',
    'a.b',
    '__cluster_metadata',
    'c.d',
    'c_d',
    'twice',
    'twice',
    'fine',
  ];
  assert.deepEqual(
    outcomes(
      harness,
      names.map((name) => ({ name })),
    ).map(([name, code]) => [name.slice(0, 20), code]),
    [
      ['', 17],
      ['.', 17],
      ['..', 17],
      ['a b', 17],
      ['ä', 17],
      ['xxxxxxxxxxxxxxxxxxxx', 17],
      ['taken', 36],
      ['a_b', 17],
      ['a.b', 36],
      ['__cluster_metadata', 42],
      ['c.d', 0],
      ['c_d', 17],
      ['twice', 42],
      ['fine', 0],
    ],
  );
  const remove = { topics: [{ name: 'a.b', topicId: ZERO_UUID }], topicNames: [], timeoutMs: 1 };
  assert.equal(harness.ask(20, remove).response.responses[0]?.errorCode, 0);
  assert.deepEqual(refusal(harness, { name: 'a_b' }), [0, null], 'the name it collided with is gone');
});

test('counts and factors that cannot be are refused', () => {
  const harness = cluster(2);
  assert.deepEqual(refusal(harness, { name: 'a', numPartitions: 0 }), [
    37,
    'Number of partitions was set to an invalid non-positive value.',
  ]);
  assert.equal(refusal(harness, { name: 'a', numPartitions: -2 })?.[0], 37);
  assert.equal(refusal(harness, { name: 'a', replicationFactor: 0 })?.[0], 38);
  assert.deepEqual(refusal(harness, { name: 'a', replicationFactor: 3 }), [
    38,
    'Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only 2 broker(s) are registered.',
  ]);
  assert.equal(refusal(harness, { name: 'a', numPartitions: 10_001 })?.[0], 44);
  harness.beat(1, { wantFence: true });
  harness.beat(2, { wantFence: true });
  assert.deepEqual(refusal(harness, { name: 'a' }), [
    38,
    'Unable to replicate the partition 1 time(s): All brokers are currently fenced.',
  ]);
});

test('a fenced replica of a new partition is not in its ISR', () => {
  const harness = cluster(3);
  harness.beat(1, { wantFence: true });
  harness.createTopic('a', [[1, 2, 3]]);
  assert.equal(harness.partition('a', 0), '2 e0 isr=[2,3] elr=[] last=[]');
});

test('manual assignments are taken as they are or refused for what is wrong with them', () => {
  const harness = cluster(3);
  const assign = (name: string, assignments: ReturnType<typeof assigned>, more: object = {}) =>
    refusal(harness, { name, assignments, ...more });
  assert.deepEqual(
    assign(
      'a',
      assigned([
        [2, 1],
        [3, 2],
      ]),
    ),
    [0, null],
  );
  assert.deepEqual(
    [...(harness.controller.image.topics.byName('a')?.inOrder() ?? [])].map(([, { replicas }]) => replicas),
    [
      [2, 1],
      [3, 2],
    ],
  );
  assert.equal(assign('b', assigned([[1]]), { replicationFactor: 1 })?.[0], 42);
  assert.equal(assign('b', assigned([[1]]), { numPartitions: 1 })?.[0], 42);
  assert.equal(assign('b', assigned([[]]))?.[0], 39);
  assert.match(String(assign('b', assigned([[1, 1]]))?.[1]), /more than once/);
  assert.match(String(assign('b', assigned([[1, 9]]))?.[1]), /no such broker/);
  assert.match(String(assign('b', assigned([[1, 2], [1]]))?.[1]), /not consistent/);
  assert.equal(assign('b', [{ partitionIndex: 1, brokerIds: [1] }])?.[0], 39);
  assert.equal(assign('b', [...assigned([[1]]), ...assigned([[2]])])?.[0], 39);
  harness.beat(1, { wantFence: true });
  assert.match(String(assign('b', assigned([[1]]))?.[1]), /fenced/);
});

test('bad configs stop their topic and no other', () => {
  const harness = cluster();
  const topics = [
    { name: 'a', configs: [{ name: 'retention.ms', value: 'soon' }] },
    { name: 'b', configs: [{ name: 'no.such.config', value: '1' }] },
    { name: 'c', configs: [{ name: 'retention.ms', value: null }] },
    { name: 'd', configs: [{ name: 'cleanup.policy', value: 'compact' }] },
  ];
  assert.deepEqual(
    outcomes(harness, topics).map(([, code]) => code),
    [40, 40, 40, 0],
  );
  assert.equal(harness.controller.image.configs.of(2, 'd').get('cleanup.policy'), 'compact');
});

test('DeleteTopics removes by name and by id, with the configs', () => {
  const harness = cluster(1);
  const configs = [{ name: 'retention.ms', value: '1' }];
  outcomes(
    harness,
    ['a', 'b', 'c'].map((name) => ({ name, configs })),
  );
  const id = (name: string) => harness.controller.image.topics.byName(name)?.id ?? ZERO_UUID;
  const [a, b] = [id('a'), id('b')];
  const topics = [
    { name: 'a', topicId: ZERO_UUID },
    { name: null, topicId: b },
    { name: null, topicId: 'nosuchnosuchnosuchnosA' },
    { name: 'zzz', topicId: ZERO_UUID },
    { name: null, topicId: ZERO_UUID },
    { name: 'c', topicId: id('c') },
    { name: null, topicId: a },
  ];
  const { records, response } = harness.ask(20, { topics, topicNames: [], timeoutMs: 1 });
  assert.deepEqual(records, ['RemoveTopicRecord v0 topicId=a', 'RemoveTopicRecord v0 topicId=b']);
  assert.deepEqual(
    response.responses.map(({ name, errorCode }) => [name, errorCode]),
    [
      ['a', 0],
      ['b', 0],
      [null, 100],
      ['zzz', 3],
      [null, 42],
      ['c', 42],
      [null, 42],
    ],
  );
  assert.equal(harness.controller.image.configs.of(2, 'a').size, 0);
  const old = harness.ask(20, { topics: [], topicNames: ['c'], timeoutMs: 1 }, 5);
  assert.equal(old.response.responses[0]?.errorCode, 0);
  assert.equal(harness.controller.image.topics.size, 0);
});

test('DeleteTopics is refused where deletion is switched off', () => {
  const harness = cluster(1, { 'delete.topic.enable': 'false' });
  outcomes(harness, [{ name: 'a' }]);
  const request = { topics: [{ name: 'a', topicId: ZERO_UUID }], topicNames: ['a'], timeoutMs: 1 };
  assert.equal(harness.ask(20, request).response.responses[0]?.errorCode, 73);
  assert.equal(harness.ask(20, request, 2).response.responses[0]?.errorCode, 42);
});

type NewPartitions = ControllerApis[37]['request']['topics'][number];

test('CreatePartitions adds after the last partition, at the replication factor of the first', () => {
  const harness = cluster(3);
  harness.createTopic('a', [[1, 2]]);
  const add = (...topics: Partial<NewPartitions>[]) =>
    harness.ask(37, {
      topics: topics.map((topic) => ({ name: 'a', count: 2, assignments: null, ...topic })),
      timeoutMs: 1,
      validateOnly: false,
    });
  const codes = (...topics: Partial<NewPartitions>[]) =>
    add(...topics).response.results.map((result) => result.errorCode);
  assert.deepEqual(codes({ count: 1 }), [37]);
  assert.deepEqual(codes({ count: 0 }), [37]);
  assert.deepEqual(codes({ name: 'b' }), [3]);
  assert.deepEqual(codes({}, {}), [42]);
  assert.deepEqual(codes({ count: 3, assignments: [{ brokerIds: [1, 2] }] }), [39]);
  assert.deepEqual(codes({ assignments: [{ brokerIds: [1] }] }), [39]);
  assert.deepEqual(codes({ count: 10_002 }), [44]);
  const { records } = add({ assignments: [{ brokerIds: [3, 1] }] });
  assert.equal(records.length, 1);
  assert.match(records[0] as string, /^PartitionRecord v2 partitionId=1 topicId=a replicas=\[3,1\]/);
  assert.deepEqual(codes({ count: 5 }), [0]);
  const topic = harness.controller.image.topics.byName('a');
  assert.equal(topic?.partitionCount, 5);
  assert.equal(topic?.partition(4)?.replicas.length, 2);
});

test('AlterPartition takes what the leader proposes at the epochs of record and nothing else', () => {
  const harness = cluster(3);
  harness.createTopic('a', [[1, 2, 3]]);
  const { image } = harness.controller;
  const topicId = image.topics.byName('a')?.id as string;
  const epochOf = (id: number) => image.cluster.broker(id)?.epoch as number;
  const alter = (isr: number[], change: object = {}, brokerId = 1) => {
    const proposal = {
      partitionIndex: 0,
      leaderEpoch: 0,
      newIsr: [],
      newIsrWithEpochs: isr.map((id) => ({ brokerId: id, brokerEpoch: epochOf(id) })),
      leaderRecoveryState: 0,
      partitionEpoch: 0,
      ...change,
    };
    const request = {
      brokerId,
      brokerEpoch: epochOf(brokerId),
      topics: [{ topicId, partitions: [proposal] }],
    };
    const { records, response } = harness.ask(56, request);
    return { records, partition: response.topics[0]?.partitions[0] };
  };
  const code = (...args: Parameters<typeof alter>) => alter(...args).partition?.errorCode;
  assert.equal(code([1, 2], { leaderEpoch: 1 }), 41);
  assert.equal(code([1, 2], { partitionEpoch: 1 }), 41);
  assert.equal(code([1, 2], {}, 2), 42);
  assert.equal(code([2, 3]), 42);
  assert.equal(code([]), 42);
  assert.equal(code([1, 1]), 42);
  assert.equal(code([1], { leaderRecoveryState: 1 }), 42);
  assert.equal(code([1, 2], { partitionIndex: 5 }), 3);
  assert.equal(code([1, 2], { newIsrWithEpochs: [{ brokerId: 1, brokerEpoch: 3 }] }), 107);
  const shrunk = alter([1, 2]);
  assert.deepEqual(shrunk.records, ['PartitionChangeRecord v2 partitionId=0 topicId=a isr=[1,2]']);
  assert.deepEqual(shrunk.partition, {
    partitionIndex: 0,
    errorCode: 0,
    leaderId: 1,
    leaderEpoch: 0,
    isr: [1, 2],
    leaderRecoveryState: 0,
    partitionEpoch: 1,
  });
  assert.equal(code([1, 2, 3]), 95, 'its partition epoch is over');
  assert.deepEqual(alter([1, 2], { partitionEpoch: 1 }).records, [], 'nothing changes');
  harness.beat(3, { wantFence: true });
  assert.equal(code([1, 2, 3], { partitionEpoch: 1 }), 107);
});
