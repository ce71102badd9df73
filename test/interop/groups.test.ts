// Foreign clients share groups: they join, rebalance as members come, go and are killed, commit and resume.
import {
  Consumer as PlatformaticConsumer,
  MessagesStreamModes,
  stringDeserializers,
} from '@platformatic/kafka';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Kafka, logLevel, type Consumer as KafkajsConsumer } from 'kafkajs';
import { toolOrSkip } from '../harness/environment.ts';
import { KafkaTools } from '../harness/kafka-tools.ts';
import { run } from '../harness/run.ts';
import { startTarget } from '../harness/target.ts';
import { eventually } from '../harness/wait.ts';

const TOOL_TIMEOUT_MS = 60_000;
const PARTITIONS = 4;
const SETTINGS = { 'group.initial.rebalance.delay.ms': '0' };

function kafkaOf(bootstrap: string, clientId: string): Kafka {
  return new Kafka({
    brokers: [bootstrap],
    clientId,
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 30 },
  });
}

/** A topic with `count` records spread over its partitions. */
async function filledTopic(bootstrap: string, topic: string, count: number): Promise<void> {
  const kafka = kafkaOf(bootstrap, 'writer');
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }] });
  await admin.disconnect();
  await fill(bootstrap, topic, 0, count);
}

async function fill(bootstrap: string, topic: string, from: number, to: number): Promise<void> {
  const producer = kafkaOf(bootstrap, 'writer').producer();
  await producer.connect();
  const messages = [];
  for (let i = from; i < to; i++) messages.push({ partition: i % PARTITIONS, value: String(i) });
  await producer.send({ topic, messages });
  await producer.disconnect();
}

/** Waits until `probe` holds. */
async function until(probe: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  await eventually('what the test waits for', probe, { timeoutMs });
}

/** A kafkajs consumer of a group that puts what it gets into `seen`. */
async function kafkajsMember(
  bootstrap: string,
  groupId: string,
  seen: Set<string>,
  name: string,
): Promise<KafkajsConsumer> {
  const consumer = kafkaOf(bootstrap, name).consumer({
    groupId,
    sessionTimeout: 6_000,
    heartbeatInterval: 300,
  });
  await consumer.connect();
  await consumer.subscribe({ topic: 't', fromBeginning: true });
  await consumer.run({
    autoCommitInterval: 100,
    eachMessage: ({ message }) => {
      seen.add(message.value?.toString() ?? '');
      return Promise.resolve();
    },
  });
  return consumer;
}

test('kafkajs consumers share a group, take over from one that leaves, and resume after a restart and a kill', async (t) => {
  const target = await startTarget(t, SETTINGS);
  const { bootstrap } = target.process;
  await filledTopic(bootstrap, 't', 100);
  const seen = new Set<string>();
  const first = await kafkajsMember(bootstrap, 'g', seen, 'first');
  const second = await kafkajsMember(bootstrap, 'g', seen, 'second');
  await until(() => seen.size === 100, TOOL_TIMEOUT_MS);
  const admin = kafkaOf(bootstrap, 'admin').admin();
  await admin.connect();
  await until(async () => {
    const { groups } = await admin.describeGroups(['g']);
    return groups[0]?.state === 'Stable' && groups[0].members.length === 2;
  }, TOOL_TIMEOUT_MS);
  await first.disconnect();
  await fill(bootstrap, 't', 100, 200);
  await until(() => seen.size === 200, TOOL_TIMEOUT_MS);
  await until(async () => (await committed(bootstrap)) === 200, TOOL_TIMEOUT_MS);
  await target.process.kill();
  await target.process.start();
  assert.equal(await committed(bootstrap), 200, 'no answered commit is lost');
  await fill(bootstrap, 't', 200, 300);
  await until(() => seen.size === 300, TOOL_TIMEOUT_MS);
  await second.disconnect();
  await until(async () => (await committed(bootstrap)) === 300, TOOL_TIMEOUT_MS);
  await admin.deleteGroups(['g']);
  assert.deepEqual((await admin.listGroups()).groups, []);
  await admin.disconnect();
});

/** Sum of what group `g` has committed of topic `t`. */
async function committed(bootstrap: string): Promise<number> {
  const admin = kafkaOf(bootstrap, 'admin').admin();
  await admin.connect();
  const offsets = await admin.fetchOffsets({ groupId: 'g', topics: ['t'] });
  await admin.disconnect();
  let sum = 0;
  for (const { partitions } of offsets)
    for (const { offset } of partitions) sum += Math.max(0, Number(offset));
  return sum;
}

test('a @platformatic/kafka consumer goes on in a group where kafkajs has stopped', async (t) => {
  const target = await startTarget(t, SETTINGS);
  const { bootstrap } = target.process;
  await filledTopic(bootstrap, 't', 40);
  const seen = new Set<string>();
  const kafkajs = await kafkajsMember(bootstrap, 'g', seen, 'kafkajs');
  await until(async () => seen.size === 40 && (await committed(bootstrap)) === 40, TOOL_TIMEOUT_MS);
  await kafkajs.disconnect();
  await fill(bootstrap, 't', 40, 80);
  const consumer = new PlatformaticConsumer({
    groupId: 'g',
    clientId: 'platformatic',
    bootstrapBrokers: [bootstrap],
    deserializers: stringDeserializers,
  });
  const stream = await consumer.consume({
    topics: ['t'],
    mode: MessagesStreamModes.COMMITTED,
    autocommit: true,
  });
  const later: string[] = [];
  stream.on('data', ({ value }) => later.push(value ?? ''));
  await until(() => later.length >= 40, TOOL_TIMEOUT_MS);
  assert.deepEqual(
    later.map(Number).sort((a, b) => a - b),
    Array.from({ length: 40 }, (_, i) => 40 + i),
  );
  await stream.close();
  await consumer.close(true);
});

test('kcat consumes as a member of a group, and resumes where it was', async (t) => {
  const kcat = toolOrSkip(t, 'kcat');
  if (kcat === null) return;
  const target = await startTarget(t, SETTINGS);
  const { bootstrap } = target.process;
  await filledTopic(bootstrap, 't', 20);
  const read = async (count: number): Promise<number[]> => {
    const args = ['-b', bootstrap, '-G', 'g', '-X', 'auto.offset.reset=earliest', '-c', String(count), 't'];
    const { stdout } = await run(kcat, args, { timeoutMs: TOOL_TIMEOUT_MS });
    return stdout
      .trim()
      .split('\n')
      .map(Number)
      .sort((a, b) => a - b);
  };
  assert.deepEqual(
    await read(20),
    Array.from({ length: 20 }, (_, i) => i),
  );
  await fill(bootstrap, 't', 20, 30);
  assert.deepEqual(
    await read(10),
    Array.from({ length: 10 }, (_, i) => 20 + i),
  );
});

test('ConsoleConsumer reads in a classic group; ConsumerGroupCommand lists, describes, resets and deletes it', async (t) => {
  const tools = await KafkaTools.orSkip(t);
  if (tools === null) return;
  const target = await startTarget(t, SETTINGS);
  const { bootstrap } = target.process;
  await filledTopic(bootstrap, 't', 20);
  const console = await tools.run(
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    [
      '--bootstrap-server',
      bootstrap,
      '--topic',
      't',
      '--group',
      'g',
      '--from-beginning',
      '--max-messages',
      '20',
      '--command-property',
      'group.protocol=classic',
    ],
    { timeoutMs: TOOL_TIMEOUT_MS },
  );
  assert.equal(console.stdout.split('\n').filter((line) => /^\d+$/.test(line)).length, 20, console.stdout);
  const groups = async (...args: string[]): Promise<string> => {
    const command = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
    const { stdout } = await tools.run(command, ['--bootstrap-server', bootstrap, ...args], {
      timeoutMs: TOOL_TIMEOUT_MS,
    });
    return stdout;
  };
  assert.match(await groups('--list', '--state'), /^g\s+Empty/m);
  const described = await groups('--describe', '--group', 'g');
  const rows = described.split('\n').filter((line) => /^g\s+t\s/.test(line));
  assert.equal(rows.length, PARTITIONS, described);
  for (const row of rows) assert.match(row, /^g\s+t\s+\d\s+5\s+5\s+0\s/, row);
  await groups('--reset-offsets', '--group', 'g', '--topic', 't', '--to-earliest', '--execute');
  const reset = (await groups('--describe', '--group', 'g'))
    .split('\n')
    .filter((line) => /^g\s+t\s/.test(line));
  for (const row of reset) assert.match(row, /^g\s+t\s+\d\s+0\s+5\s+5\s/, row);
  assert.match(
    await groups('--delete', '--group', 'g'),
    /Deletion of requested consumer groups \('g'\) was successful/,
  );
  assert.equal((await groups('--list')).trim(), '');
});

test('VerifiableConsumer is assigned every partition, reads all, commits and leaves', async (t) => {
  const tools = await KafkaTools.orSkip(t);
  if (tools === null) return;
  const target = await startTarget(t, SETTINGS);
  const { bootstrap } = target.process;
  await filledTopic(bootstrap, 't', 20);
  const { stdout } = await tools.run(
    'org.apache.kafka.tools.VerifiableConsumer',
    [
      '--bootstrap-server',
      bootstrap,
      '--topic',
      't',
      '--group-id',
      'g',
      '--group-protocol',
      'classic',
      '--reset-policy',
      'earliest',
      '--max-messages',
      '20',
    ],
    { timeoutMs: TOOL_TIMEOUT_MS, expectCodes: 'any' },
  );
  const events = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Event);
  const assigned = events.find(({ name }) => name === 'partitions_assigned');
  assert.equal(assigned?.partitions?.length, PARTITIONS, stdout);
  const consumed = events.filter(({ name }) => name === 'records_consumed');
  assert.equal(
    consumed.reduce((sum, { count }) => sum + (count ?? 0), 0),
    20,
    stdout,
  );
  assert.ok(
    events.some(({ name, success }) => name === 'offsets_committed' && success === true),
    stdout,
  );
  assert.ok(
    events.some(({ name }) => name === 'shutdown_complete'),
    stdout,
  );
  assert.equal(await committed(bootstrap), 20);
});

/** What VerifiableConsumer prints. */
interface Event {
  readonly name: string;
  readonly partitions?: readonly unknown[];
  readonly count?: number;
  readonly success?: boolean;
}
