// What foreign clients and Apache Kafka's tools ask of a broker besides records in and records out.
import { Admin as PlatformaticAdmin } from '@platformatic/kafka';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import { Admin } from '../../src/client/admin.ts';
import { Consumer } from '../../src/client/consumer.ts';
import { Producer } from '../../src/client/producer.ts';
import { RECORD_COUNT, STEP_TIMEOUT_MS, toolOrSkip } from '../harness/environment.ts';
import { KafkaTools } from '../harness/kafka-tools.ts';
import {
  produceWithKcat,
  produceWithOwnClient,
  readWithConsoleConsumer,
  readWithKcat,
  readWithOwnClient,
} from '../harness/numbered-clients.ts';
import { writeNumberedFile } from '../harness/numbered-records.ts';
import { realPorts } from '../harness/own-client.ts';
import { run } from '../harness/run.ts';
import { startTarget } from '../harness/target.ts';

const TOOL_TIMEOUT_MS = 60_000;

/** Compressed records are fewer: each codec goes through every reader. */
const CODEC_COUNT = Math.min(RECORD_COUNT, 5_000);

/** What LogDirsCommand prints. */
interface LogDirectories {
  readonly brokers: readonly {
    readonly logDirs: readonly {
      readonly error: string | null;
      readonly logDir: string;
      readonly partitions: readonly { readonly partition: string; readonly size: number }[];
    }[];
  }[];
}

interface Offsets {
  readonly partition: number;
  readonly offset: string;
  readonly high: string;
}

test('kafkajs makes topics, describes them and asks for their offsets', async (t) => {
  const target = await startTarget(t);
  const kafka = new Kafka({ brokers: [target.process.bootstrap], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  t.after(() => admin.disconnect());
  const topic = {
    topic: 'spools',
    numPartitions: 3,
    configEntries: [{ name: 'retention.ms', value: '5000' }],
  };
  assert.equal(await admin.createTopics({ topics: [topic] }), true);
  assert.equal(await admin.createTopics({ topics: [topic] }), false, 'it is there already');
  assert.deepEqual(await admin.listTopics(), ['spools']);
  const { topics } = await admin.fetchTopicMetadata({ topics: ['spools'] });
  const ids = topics[0]?.partitions.map(({ partitionId }) => partitionId).sort((a, b) => a - b);
  assert.deepEqual(ids, [0, 1, 2]);
  const producer = kafka.producer();
  await producer.connect();
  t.after(() => producer.disconnect());
  const [sent] = await producer.send({
    topic: 'spools',
    messages: [0, 1, 2].map((i) => ({ partition: 1, key: 'k', value: `v${i}`, headers: { h: 'x' } })),
  });
  assert.deepEqual([sent?.partition, sent?.errorCode, sent?.baseOffset], [1, 0, '0']);
  const offsets: Offsets[] = await admin.fetchTopicOffsets('spools');
  assert.deepEqual(
    offsets.sort((a, b) => a.partition - b.partition).map(({ partition, high }) => [partition, high]),
    [
      [0, '0'],
      [1, '3'],
      [2, '0'],
    ],
  );
  const cluster = await admin.describeCluster();
  assert.equal(cluster.brokers.length, 1);
  await admin.deleteTopicRecords({ topic: 'spools', partitions: [{ partition: 1, offset: '2' }] });
  const after: (Offsets & { low: string })[] = await admin.fetchTopicOffsets('spools');
  assert.equal(after.find(({ partition }) => partition === 1)?.low, '2');
});

test('@platformatic/kafka makes topics, lists them and asks for their offsets', async (t) => {
  const target = await startTarget(t);
  const admin = new PlatformaticAdmin({
    clientId: 'platformatic',
    bootstrapBrokers: [target.process.bootstrap],
  });
  t.after(() => admin.close());
  const created = await admin.createTopics({ topics: ['spools'], partitions: 2, replicas: 1 });
  assert.deepEqual(
    created.map(({ name, partitions }) => [name, partitions]),
    [['spools', 2]],
  );
  await assert.rejects(admin.createTopics({ topics: ['spools'], partitions: 2, replicas: 1 }));
  assert.deepEqual(await admin.listTopics(), ['spools']);
  const listed = await admin.listOffsets({
    topics: [{ name: 'spools', partitions: [{ partitionIndex: 1, timestamp: -1n }] }],
  });
  assert.equal(listed[0]?.partitions[0]?.offset, 0n);
});

test("Apache Kafka's tools make, list and describe topics, load them and count what is there", async (t) => {
  const tools = await KafkaTools.orSkip(t);
  if (tools === null) return;
  const target = await startTarget(t);
  const server = ['--bootstrap-server', target.process.bootstrap];
  const topics = (args: string[], expectCodes: readonly number[] = [0]) =>
    tools.run('org.apache.kafka.tools.TopicCommand', [...server, ...args], {
      timeoutMs: TOOL_TIMEOUT_MS,
      expectCodes,
    });

  await t.test('TopicCommand', async () => {
    const made = await topics([
      '--create',
      '--topic',
      'spools',
      '--partitions',
      '2',
      '--config',
      'retention.ms=5000',
    ]);
    assert.match(made.stdout, /Created topic spools/);
    const again = await topics(['--create', '--topic', 'spools'], [1]);
    assert.match(again.stdout + again.stderr, /already exists/);
    const bad = await topics(['--create', '--topic', 'x', '--config', 'retention.ms=soon'], [1]);
    assert.match(bad.stdout + bad.stderr, /retention\.ms/);
    assert.equal((await topics(['--list'])).stdout.trim(), 'spools');
    const described = (await topics(['--describe', '--topic', 'spools'])).stdout;
    assert.match(described, /PartitionCount: 2\s+ReplicationFactor: 1\s+Configs: .*retention\.ms=5000/);
    assert.match(described, /Partition: 1\s+Leader: \d+\s+Replicas: \d+\s+Isr: \d+/);
  });

  await t.test('ProducerPerformance and GetOffsetShell', async () => {
    const load = await tools.run(
      'org.apache.kafka.tools.ProducerPerformance',
      [
        '--topic',
        'spools',
        '--num-records',
        String(RECORD_COUNT),
        '--record-size',
        '1024',
        '--throughput',
        '-1',
        '--bootstrap-server',
        target.process.bootstrap,
      ],
      { timeoutMs: STEP_TIMEOUT_MS },
    );
    assert.match(load.stdout, new RegExp(`${RECORD_COUNT} records sent`));
    assert.equal(await countOf(tools, server, 'latest'), RECORD_COUNT);
    assert.equal(await countOf(tools, server, 'earliest'), 0);
  });

  await t.test('LogDirsCommand', async () => {
    const { stdout } = await tools.run(
      'org.apache.kafka.tools.LogDirsCommand',
      [...server, '--describe', '--topic-list', 'spools'],
      { timeoutMs: TOOL_TIMEOUT_MS },
    );
    const described = JSON.parse(stdout.slice(stdout.indexOf('{'))) as LogDirectories;
    const [directory] = described.brokers[0]?.logDirs ?? [];
    assert.equal(directory?.error, null);
    assert.equal(directory.logDir, target.dataDirectory);
    assert.deepEqual(directory.partitions.map(({ partition }) => partition).sort(), ['spools-0', 'spools-1']);
    assert.ok(directory.partitions.reduce((sum, { size }) => sum + size, 0) > RECORD_COUNT * 1024);
  });

  await t.test('DeleteRecordsCommand', async () => {
    const file = join(target.workDirectory, 'delete.json');
    const partitions = [0, 1].map((partition) => ({ topic: 'spools', partition, offset: -1 }));
    writeFileSync(file, JSON.stringify({ partitions, version: 1 }));
    const { stdout } = await tools.run(
      'org.apache.kafka.tools.DeleteRecordsCommand',
      [...server, '--offset-json-file', file],
      { timeoutMs: TOOL_TIMEOUT_MS },
    );
    assert.match(stdout, /partition: spools-0\s+low_watermark: \d+/);
    assert.equal(await countOf(tools, server, 'earliest'), RECORD_COUNT);
    assert.equal(await countOf(tools, server, 'latest'), RECORD_COUNT);
  });
});

/** Sum of the offsets that GetOffsetShell prints, one line `topic:partition:offset` a partition. */
async function countOf(tools: KafkaTools, server: readonly string[], time: string): Promise<number> {
  const args = [...server, '--topic', 'spools', '--time', time];
  const { stdout } = await tools.run('org.apache.kafka.tools.GetOffsetShell', args, {
    timeoutMs: TOOL_TIMEOUT_MS,
  });
  const offsets = stdout
    .trim()
    .split('\n')
    .map((line) => Number(line.split(':')[2]));
  assert.equal(offsets.length, 2);
  return offsets.reduce((sum, offset) => sum + offset, 0);
}

test('every codec goes in by kcat and by our client, and out by every reader', async (t) => {
  const target = await startTarget(t);
  const { bootstrap } = target.process;
  const { workDirectory } = target;
  const file = join(workDirectory, 'numbered');
  writeNumberedFile(file, CODEC_COUNT);
  const numbered = (topic: string) => ({ bootstrap, topic, count: CODEC_COUNT, file, workDirectory });
  for (const [codec, name] of [
    [1, 'gzip'],
    [2, 'snappy'],
    [3, 'lz4'],
    [4, 'zstd'],
  ] as const) {
    await t.test(`our client writes ${name}`, async (step) => {
      const topic = numbered(`own-${name}`);
      await produceWithOwnClient(topic, { compression: codec });
      assert.equal(await readWithOwnClient(topic), null);
      const kcat = toolOrSkip(step, 'kcat');
      if (kcat !== null) assert.equal(await readWithKcat(kcat, topic), null);
    });
    await t.test(`kcat writes ${name}`, async (step) => {
      const kcat = toolOrSkip(step, 'kcat');
      if (kcat === null) return;
      const topic = numbered(`kcat-${name}`);
      await produceWithKcat(kcat, topic, ['-z', name]);
      assert.equal(await readWithOwnClient(topic), null);
      assert.equal(await readWithKcat(kcat, topic), null);
      const tools = await KafkaTools.orSkip(step);
      if (tools !== null) assert.equal(await readWithConsoleConsumer(tools, topic), null);
    });
  }
});

test('kcat sees the broker, makes topics by writing to them, and finds offsets by time', async (t) => {
  const kcat = toolOrSkip(t, 'kcat');
  if (kcat === null) return;
  const target = await startTarget(t);
  const base = ['-b', target.process.bootstrap];
  const call = async (args: string[], input = '') =>
    (await run(kcat, [...base, ...args], { timeoutMs: TOOL_TIMEOUT_MS, input })).stdout;

  const listing: unknown = JSON.parse(await call(['-L', '-J']));
  assert.ok(listing !== null && typeof listing === 'object' && 'brokers' in listing);
  assert.ok(Array.isArray(listing.brokers) && listing.brokers.length === 1);

  await call(['-P', '-t', 'fresh', '-K', ':', '-H', 'colour=red'], 'a:one\nb:two\nc:three\n');
  await call(['-P', '-t', 'fresh', '-K', ':', '-Z'], 'a:\n');
  const format = '%k|%s|%S|%o|%h\n';
  const read = await call(['-C', '-t', 'fresh', '-p', '0', '-o', 'beginning', '-e', '-q', '-f', format]);
  assert.deepEqual(read.trim().split('\n'), [
    'a|one|3|0|colour=red',
    'b|two|3|1|colour=red',
    'c|three|5|2|colour=red',
    'a||-1|3|',
  ]);

  const timestamps = await call(['-C', '-t', 'fresh', '-p', '0', '-e', '-q', '-f', '%T\n']);
  const last = Number(timestamps.trim().split('\n').at(-1));
  assert.ok(Math.abs(Date.now() - last) < 60_000);
  assert.match(await call(['-Q', '-t', 'fresh:0:-1']), /fresh \[0\] offset 4/);
  assert.match(await call(['-Q', '-t', 'fresh:0:-2']), /fresh \[0\] offset 0/);
  assert.match(await call(['-Q', '-t', `fresh:0:${last}`]), /fresh \[0\] offset 3/);
  assert.match(await call(['-C', '-t', 'fresh', '-p', '0', '-o', '2', '-e', '-q']), /^three\n\n?$/);
});

test('a reader who waits is answered as soon as a record comes, and not before its time otherwise', async (t) => {
  const target = await startTarget(t);
  const { ports, close } = realPorts();
  t.after(close);
  const bootstrap = [target.process.bootstrap];
  await makeTopic(t, bootstrap, 'slow');
  const consumer = new Consumer(ports, { bootstrap, maxWaitMs: 10_000 });
  t.after(() => consumer.close());
  consumer.assign([{ topic: 'slow', partition: 0, offset: 'latest' }]);
  const started = performance.now();
  assert.deepEqual(await consumer.fetch(700), []);
  assert.ok(performance.now() - started >= 690);
  const producer = new Producer(ports, { bootstrap, lingerMs: 0 });
  t.after(() => producer.close());
  const waiting = consumer.fetch(9_000);
  const sent = performance.now();
  await producer.send({ topic: 'slow', partition: 0, value: 'now' });
  const [chunk] = await waiting;
  assert.equal(String(chunk?.records[0]?.value), 'now');
  assert.ok(performance.now() - sent < 2_000, `it took ${performance.now() - sent} ms`);
});

async function makeTopic(t: TestContext, bootstrap: readonly string[], name: string): Promise<void> {
  const { ports, close } = realPorts();
  t.after(close);
  const admin = new Admin(ports, { bootstrap });
  const [outcome] = await admin.createTopics([{ name, numPartitions: 1, replicationFactor: 1 }]);
  assert.equal(outcome?.error, null);
  admin.close();
}
