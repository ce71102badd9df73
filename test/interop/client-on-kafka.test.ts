// The project's own client against Apache Kafka itself: what it gets wrong here is its own fault, not the broker's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../src/base/errors.ts';
import { Admin } from '../../src/client/admin.ts';
import type { ClientPorts } from '../../src/client/cluster.ts';
import { Consumer } from '../../src/client/consumer.ts';
import { OffsetSpec } from '../../src/client/list-offsets.ts';
import { Producer } from '../../src/client/producer.ts';
import type { CompressionCodec } from '../../src/io/compute.ts';
import type { RecordView } from '../../src/records/reader.ts';
import { toolOrSkip } from '../harness/environment.ts';
import { prepareKafka } from '../harness/kafka-broker.ts';
import { KafkaTools } from '../harness/kafka-tools.ts';
import { produceThroughCrashes, readWithOwnClient } from '../harness/numbered-clients.ts';
import { isNumberedValue, numberedValue } from '../harness/numbered-records.ts';
import { realPorts } from '../harness/own-client.ts';
import { run } from '../harness/run.ts';
import { temporaryDirectory } from '../harness/temporary.ts';

const COUNT = 3_000;
const CODECS: readonly (readonly [CompressionCodec, string])[] = [
  [0, 'none'],
  [1, 'gzip'],
  [2, 'snappy'],
  [3, 'lz4'],
  [4, 'zstd'],
];
const HEADERS = [
  { key: 'a', value: Buffer.from('1') },
  { key: 'a', value: null },
];

/** What every step needs. */
interface World {
  readonly address: string;
  readonly bootstrap: readonly string[];
  readonly ports: ClientPorts;
  readonly admin: Admin;
}

test("Apache Kafka serves the project's client: topics, every codec both ways, exact offsets, crashes", async (t) => {
  const tools = await KafkaTools.orSkip(t);
  if (tools === null) return;
  const directory = temporaryDirectory('oracle');
  t.after(directory.remove);
  const kafka = await prepareKafka(tools, directory.path);
  t.after(() => kafka.process.dispose());
  await kafka.process.start();
  const address = kafka.process.bootstrap;
  const { ports, close } = realPorts();
  t.after(close);
  const admin = new Admin(ports, { bootstrap: [address] });
  t.after(() => admin.close());
  const world: World = { address, bootstrap: [address], ports, admin };

  await t.test('topics are made, described and deleted, and errors are told by topic', () =>
    tryTopics(world),
  );
  for (const [codec, name] of CODECS) {
    await t.test(`records with keys and headers go in and come out with codec ${name}`, () =>
      tryCodec(world, codec, name),
    );
  }
  await t.test('kcat reads what the client compressed, the client what kcat compressed', async (step) => {
    const kcat = toolOrSkip(step, 'kcat');
    if (kcat !== null) for (const [, name] of CODECS.slice(1)) await tryKcat(world, kcat, name);
  });
  await t.test('offsets are found by place and by time', () => tryOffsets(world));
  await t.test('an idempotent producer writes each record once while the broker is killed', async () => {
    const topic = { bootstrap: address, topic: 'crash', count: 4_000, file: '', workDirectory: '' };
    await produceThroughCrashes(topic, kafka.process, 1);
    assert.equal(await readWithOwnClient(topic), null);
  });
});

async function tryTopics({ admin }: World): Promise<void> {
  const [made, refused] = await admin.createTopics([
    { name: 'made', numPartitions: 3, configs: { 'retention.ms': '600000' } },
    { name: 'not a name', numPartitions: 1 },
  ]);
  assert.equal(made?.error, null);
  assert.equal(refused?.error?.errorCode, ErrorCode.INVALID_TOPIC_EXCEPTION);
  const [again] = await admin.createTopics([{ name: 'made' }]);
  assert.equal(again?.error?.errorCode, ErrorCode.TOPIC_ALREADY_EXISTS);
  const [topic, absent] = await admin.describeTopics(['made', 'absent']);
  assert.equal(topic?.topicId, made?.topicId);
  assert.deepEqual(
    topic?.partitions.map(({ leader }) => leader),
    [1, 1, 1],
  );
  assert.equal(absent?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.ok((await admin.describeTopics(null)).some(({ name }) => name === 'made'));
  assert.equal((await admin.describeCluster()).brokers.length, 1);
  const [gone] = await admin.deleteTopics(['made']);
  assert.equal(gone?.error, null);
}

async function tryCodec(world: World, compression: CompressionCodec, name: string): Promise<void> {
  const topic = `codec-${name}`;
  const producer = new Producer(world.ports, { bootstrap: world.bootstrap, compression });
  const record = (i: number) => ({
    topic,
    partition: 0,
    key: `k${i}`,
    value: numberedValue(i),
    headers: HEADERS,
  });
  const sent = Array.from({ length: COUNT }, (_, i) =>
    producer.send({ ...record(i), timestampMs: 1_000 + i }),
  );
  for (const [i, { offset }] of (await Promise.all(sent)).entries()) assert.equal(offset, i);
  producer.close();

  const from = 7;
  const records = await readRecords(world, topic, from, COUNT - from);
  for (const [i, { offset, timestampMs, key, value, headers }] of records.entries()) {
    const number = from + i;
    assert.equal(offset, number);
    assert.equal(timestampMs, 1_000 + number);
    assert.equal(String(key), `k${number}`);
    assert.ok(isNumberedValue(value, number));
    if (number % 500 === 0) assert.deepEqual(headers, HEADERS);
  }
}

async function tryKcat(world: World, kcat: string, codec: string): Promise<void> {
  const call = async (args: string, input = '') =>
    (await run(kcat, ['-b', world.address, ...args.split(' ')], { timeoutMs: 30_000, input })).stdout;
  const keys = await call(`-C -t codec-${codec} -p 0 -e -q -c 500 -f %k,`);
  assert.equal(keys, Array.from({ length: 500 }, (_, i) => `k${i},`).join(''));

  const lines = Array.from({ length: 2_000 }, (_, i) => `line ${i}`);
  await call(`-P -t kcat-${codec} -p 0 -z ${codec}`, `${lines.join('\n')}\n`);
  const records = await readRecords(world, `kcat-${codec}`, 0, lines.length);
  assert.deepEqual(
    records.map(({ value }) => String(value)),
    lines,
  );
}

async function tryOffsets({ admin }: World): Promise<void> {
  const at = (timestampMs: number) => ({ topic: 'codec-none', partition: 0, timestampMs });
  const found = await admin.listOffsets([
    at(OffsetSpec.EARLIEST),
    at(OffsetSpec.LATEST),
    at(OffsetSpec.MAX_TIMESTAMP),
    at(1_500),
  ]);
  assert.deepEqual(
    found.map(({ offset }) => offset),
    [0, COUNT, COUNT - 1, 500],
  );
}

/** Records of partition 0 from an offset on, at least `count`. */
async function readRecords(
  { ports, bootstrap }: World,
  topic: string,
  offset: number,
  count: number,
): Promise<RecordView[]> {
  const consumer = new Consumer(ports, { bootstrap });
  consumer.assign([{ topic, partition: 0, offset }]);
  const found: RecordView[] = [];
  while (found.length < count) {
    for (const { records } of await consumer.fetch(10_000)) found.push(...records);
  }
  consumer.close();
  return found;
}
