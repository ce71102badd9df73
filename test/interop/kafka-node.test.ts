// The whole data directory of a stopped Apache Kafka node starts under Odradek, and the reverse: metadata of every kind, and the records.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { BrokerProcess } from '../harness/broker-process.ts';
import { type KafkaBroker, prepareKafka } from '../harness/kafka-broker.ts';
import { KafkaTools } from '../harness/kafka-tools.ts';
import {
  createToken,
  createTopics,
  deleteTopic,
  describeSecurity,
  describeTopics,
  fillWithEverything,
  SASL_USER,
  setConfig,
  withClient,
} from '../harness/node-content.ts';
import { type NumberedTopic, produceWithOwnClient, readWithOwnClient } from '../harness/numbered-clients.ts';
import { ODRADEK_PROGRAM } from '../harness/odradek-broker.ts';
import { freePort, temporaryDirectory } from '../harness/temporary.ts';
import { eventually } from '../harness/wait.ts';

const METADATA_LOG = '__cluster_metadata-0';
const TOOL_TIMEOUT_MS = 120_000;
const COUNT = 2_000;

/** Snapshots and segments come soon. */
const SMALL = {
  'metadata.log.max.record.bytes.between.snapshots': '1000',
  'internal.metadata.log.segment.bytes': '20000',
};

const SECURITY = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': `User:ANONYMOUS;User:${SASL_USER.name}`,
  'sasl.enabled.mechanisms': 'PLAIN',
  'listener.name.sasl_plaintext.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_${SASL_USER.name}="${SASL_USER.password}";`,
  'delegation.token.secret.key': 'a thread of many colours',
};

for (const voters of ['configured', 'in-log'] as const) {
  test(`an Apache Kafka node moves to Odradek and back with all it has, its voter ${voters}`, async (t) => {
    const tools = await KafkaTools.orSkip(t);
    if (tools === null) return;
    const directory = temporaryDirectory('kafka-node');
    t.after(directory.remove);
    const saslPort = await freePort();
    const kafka = await prepareKafka(tools, directory.path, { ...SMALL, ...SECURITY }, { voters, saslPort });
    t.after(() => kafka.process.dispose());
    const odradek = odradekOn(kafka);
    t.after(() => odradek.dispose());
    await moves(t, { tools, kafka, odradek, saslPort });
  });
}

interface Nodes {
  readonly tools: KafkaTools;
  readonly kafka: KafkaBroker;
  readonly odradek: BrokerProcess;
  readonly saslPort: number;
}

/** One step needs what the one before left: the first that fails ends the test. */
async function moves(t: TestContext, nodes: Nodes): Promise<void> {
  const { tools, kafka, odradek, saslPort } = nodes;
  const { port } = kafka.process;

  t.diagnostic('Kafka writes metadata of every kind, and records');
  await kafka.process.start();
  await withClient(port, fillWithEverything);
  await withClient(saslPort, createToken, true);
  await produceWithOwnClient(recordsOf(kafka.process, 'spool'));
  const fromKafka = await withClient(port, describeTopics);
  const security = await withClient(saslPort, describeSecurity, true);
  await stopWell(kafka.process);
  assert.ok(snapshotsIn(kafka.dataDirectory).length > 0, 'Kafka wrote snapshots');

  t.diagnostic('Odradek has the same topics, configs and records, and changes them');
  await odradek.start();
  assert.deepEqual(await withClient(port, describeTopics), fromKafka);
  assert.equal(await readWithOwnClient(recordsOf(odradek, 'spool')), null);
  await withClient(port, async (client) => {
    for (let i = 0; i < 30; i++) await createTopics(client, [`woven-${i}`], { 'segment.bytes': '1048576' });
    for (let i = 0; i < 10; i++) await deleteTopic(client, `woven-${i}`);
    await setConfig(client, [2, 'spool'], 'max.message.bytes', '345678');
  });
  await produceWithOwnClient(recordsOf(odradek, 'woven-10'));
  const fromOdradek = await withClient(port, describeTopics);
  await stopWell(odradek);

  t.diagnostic('Kafka’s tools read what Odradek wrote');
  await readWithTools(tools, kafka.dataDirectory);

  t.diagnostic('Kafka goes on with all of it');
  await kafka.process.start();
  assert.deepEqual(await withClient(port, describeTopics), fromOdradek);
  assert.deepEqual(await withClient(saslPort, describeSecurity, true), security);
  for (const topic of ['spool', 'woven-10']) {
    assert.equal(await readWithOwnClient(recordsOf(kafka.process, topic)), null, topic);
  }
  await withClient(port, (client) => createTopics(client, ['late']));
  // Kafka answers before its own broker half has heard of the topic.
  await eventually(
    'the broker knows the new topic',
    async () => JSON.stringify(await withClient(port, describeTopics)).includes('"name":"late"'),
    { timeoutMs: 10_000 },
  );
  const again = await withClient(port, describeTopics);
  await kafka.process.kill();

  t.diagnostic('Odradek starts after a kill of Kafka');
  await odradek.start();
  assert.deepEqual(await withClient(port, describeTopics), again);
  assert.equal(await readWithOwnClient(recordsOf(odradek, 'spool')), null);
  await stopWell(odradek);
}

function recordsOf(process: BrokerProcess, topic: string): NumberedTopic {
  return { bootstrap: process.bootstrap, topic, count: COUNT, file: '', workDirectory: '' };
}

async function stopWell(process: BrokerProcess): Promise<void> {
  const { code, signal } = await process.stop();
  // Kafka ends itself with the code that a shell gives to SIGTERM.
  assert.ok(code === 0 || code === 143, `${code} ${signal}\n${process.lines.slice(-20).join('\n')}`);
}

/** An Odradek on Kafka's directory and ports, with Kafka's own configuration but for what is not there yet: security. */
function odradekOn(kafka: KafkaBroker): BrokerProcess {
  const lines = readFileSync(kafka.propertiesFile, 'utf8')
    .split('\n')
    .filter((line) => !Object.keys(SECURITY).some((name) => line.startsWith(`${name}=`)))
    .map((line) => line.replace(/,SASL_PLAINTEXT:[^,]*/, ''));
  const file = kafka.propertiesFile.replace('server', 'odradek');
  writeFileSync(file, lines.join('\n'));
  return new BrokerProcess({
    name: 'Odradek',
    command: process.execPath,
    args: [ODRADEK_PROGRAM, 'start', '--config', file],
    port: kafka.process.port,
    startTimeoutMs: 30_000,
  });
}

function snapshotsIn(dataDirectory: string): string[] {
  return readdirSync(join(dataDirectory, METADATA_LOG))
    .filter((name) => name.endsWith('.checkpoint') && !name.startsWith('00000000000000000000-'))
    .sort();
}

async function readWithTools(tools: KafkaTools, dataDirectory: string): Promise<void> {
  const directory = join(dataDirectory, METADATA_LOG);
  const files = readdirSync(directory).filter((name) => /\.(log|checkpoint)$/.test(name));
  const { stdout: dumped } = await tools.run(
    'kafka.tools.DumpLogSegments',
    ['--cluster-metadata-decoder', '--files', files.map((name) => join(directory, name)).join(',')],
    { timeoutMs: TOOL_TIMEOUT_MS },
  );
  assert.match(dumped, /"name":"woven-10"/);
  assert.match(dumped, /SnapshotHeader/);
  assert.doesNotMatch(dumped, /isvalid: false|Could not|Exception/i);
  const newest = join(directory, snapshotsIn(dataDirectory).at(-1) as string);
  const shell = ['--snapshot', newest, 'ls', '/image/topics/byName'];
  let listed = '';
  // The shell may look before it has loaded the snapshot.
  await eventually(
    'the shell lists topics',
    async () => {
      const { stdout } = await tools.run('org.apache.kafka.shell.MetadataShell', shell, {
        timeoutMs: TOOL_TIMEOUT_MS,
      });
      listed = stdout;
      return stdout.includes('woven');
    },
    { timeoutMs: TOOL_TIMEOUT_MS },
  );
  assert.match(listed, /spool/);
  assert.doesNotMatch(listed, /doomed/);
}
