// Groups and offsets of an Apache Kafka node are there under Odradek, and the reverse.
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import { BrokerProcess } from '../harness/broker-process.ts';
import { type KafkaBroker, prepareKafka } from '../harness/kafka-broker.ts';
import { KafkaTools } from '../harness/kafka-tools.ts';
import { ODRADEK_PROGRAM } from '../harness/odradek-broker.ts';
import { temporaryDirectory } from '../harness/temporary.ts';
import { eventually } from '../harness/wait.ts';

const TIMEOUT_MS = 90_000;
const PARTITIONS = 3;

/** Reads topic `t` as a member of group `g` until `count` records have come, and leaves. */
async function consume(bootstrap: string, count: number): Promise<void> {
  const consumer = kafkaAt(bootstrap).consumer({ groupId: 'g' });
  await consumer.connect();
  await consumer.subscribe({ topic: 't', fromBeginning: true });
  let seen = 0;
  await consumer.run({
    eachMessage: () => {
      seen++;
      return Promise.resolve();
    },
  });
  await eventually('all records', () => seen >= count, { timeoutMs: TIMEOUT_MS });
  await consumer.disconnect();
  assert.equal(seen, count, 'nothing is read twice');
}

function kafkaAt(bootstrap: string): Kafka {
  return new Kafka({
    brokers: [bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 100, retries: 50 },
  });
}

async function produce(bootstrap: string, count: number): Promise<void> {
  const producer = kafkaAt(bootstrap).producer();
  await producer.connect();
  const messages = Array.from({ length: count }, (_, i) => ({ partition: i % PARTITIONS, value: String(i) }));
  await producer.send({ topic: 't', messages });
  await producer.disconnect();
}

/** What the group has committed, by partition, and its state. */
async function groupAt(bootstrap: string) {
  // A coordinator that loads says so, and kafkajs' admin does not ask again by itself.
  return await eventually('the group', () => askForGroup(bootstrap), { timeoutMs: TIMEOUT_MS });
}

async function askForGroup(bootstrap: string) {
  const admin = kafkaAt(bootstrap).admin();
  await admin.connect();
  try {
    const [topic] = await admin.fetchOffsets({ groupId: 'g', topics: ['t'] });
    const { groups } = await admin.describeGroups(['g']);
    const offsets = (topic?.partitions ?? [])
      .sort((a, b) => a.partition - b.partition)
      .map(({ offset }) => Number(offset));
    return { offsets, state: groups[0]?.state, protocolType: groups[0]?.protocolType };
  } finally {
    await admin.disconnect();
  }
}

function odradekOn(kafka: KafkaBroker): BrokerProcess {
  return new BrokerProcess({
    name: 'Odradek',
    command: process.execPath,
    args: [ODRADEK_PROGRAM, 'start', '--config', kafka.propertiesFile],
    port: kafka.process.port,
    startTimeoutMs: 30_000,
  });
}

test('a node goes from Apache Kafka to Odradek and back with its groups and their offsets', async (t) => {
  const tools = await KafkaTools.orSkip(t);
  if (tools === null) return;
  const directory = temporaryDirectory('groups-move');
  t.after(directory.remove);
  const kafka = await prepareKafka(tools, directory.path, { 'offsets.topic.num.partitions': '5' });
  t.after(() => kafka.process.dispose());
  const odradek = odradekOn(kafka);
  t.after(() => odradek.dispose());
  const { bootstrap } = kafka.process;

  await kafka.process.start();
  const admin = kafkaAt(bootstrap).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 't', numPartitions: PARTITIONS }] });
  await admin.disconnect();
  await produce(bootstrap, 30);
  await consume(bootstrap, 30);
  const left = { offsets: [10, 10, 10], state: 'Empty', protocolType: 'consumer' };
  assert.deepEqual(await groupAt(bootstrap), left);
  await kafka.process.stop();

  await odradek.start();
  assert.deepEqual(await groupAt(bootstrap), left);
  await produce(bootstrap, 15);
  await consume(bootstrap, 15);
  const further = { ...left, offsets: [15, 15, 15] };
  assert.deepEqual(await groupAt(bootstrap), further);
  await odradek.stop();

  await kafka.process.start();
  assert.deepEqual(await groupAt(bootstrap), further);
  await produce(bootstrap, 3);
  await consume(bootstrap, 3);
});
