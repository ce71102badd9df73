// Partition directories change between Apache Kafka and Odradek, both ways, after clean and unclean stops: every codec, transactions, aborted ones among them, tombstones, headers.
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { BrokerProcess } from '../harness/broker-process.ts';
import { toolOrSkip } from '../harness/environment.ts';
import { prepareKafka } from '../harness/kafka-broker.ts';
import { KafkaTools } from '../harness/kafka-tools.ts';
import { createTopics, withClient } from '../harness/node-content.ts';
import { prepareOdradek } from '../harness/odradek-broker.ts';
import { temporaryDirectory } from '../harness/temporary.ts';
import {
  CODECS,
  expectByConsoleConsumer,
  expectByKcat,
  expectByOwnClient,
  type WrittenRecord,
  writeTopic,
} from '../harness/written-topic.ts';

/** About 3 MB a topic, in segments of 1 MiB. */
const ROUNDS = 30;
const CONFIGS = { 'segment.bytes': '1048576' };
const ISOLATIONS = ['read_committed', 'read_uncommitted'] as const;
const DUMP_TIMEOUT_MS = 120_000;

interface Node {
  readonly process: BrokerProcess;
  readonly dataDirectory: string;
}

type Topics = ReadonlyMap<string, readonly WrittenRecord[]>;

test('Kafka’s partition directories are served by Odradek, and Odradek’s by Kafka, after clean stops and after kills', async (t) => {
  const tools = await KafkaTools.orSkip(t);
  if (tools === null) return;
  const directory = temporaryDirectory('partitions');
  t.after(directory.remove);
  const kafka = await prepareKafka(tools, directory.path);
  t.after(() => kafka.process.dispose());
  const odradek = await prepareOdradek(join(directory.path, 'odradek'));
  t.after(() => odradek.process.dispose());
  const topics = new Map<string, readonly WrittenRecord[]>();
  const readers = { t, tools, workDirectory: directory.path, topics };

  t.diagnostic('Kafka writes; both have the topics');
  await kafka.process.start();
  await odradek.process.start();
  for (const [name, codec] of CODECS) {
    await withClient(kafka.process.port, (client) => createTopics(client, [name], CONFIGS));
    await withClient(odradek.process.port, (client) => createTopics(client, [name], CONFIGS));
    topics.set(name, await writeTopic(kafka.process.bootstrap, name, codec, ROUNDS));
  }

  t.diagnostic('Odradek serves what Kafka left at a clean stop');
  await kafka.process.stop();
  await odradek.process.stop();
  moveIn(kafka, odradek, topics);
  await odradek.process.start();
  await expectAll(readers, odradek);

  t.diagnostic('and what Kafka left when it was killed');
  await kafka.process.start();
  await kafka.process.kill();
  await odradek.process.kill();
  moveIn(kafka, odradek, topics);
  await odradek.process.start();
  await expectAll(readers, odradek);

  t.diagnostic('Kafka serves what Odradek leaves at a clean stop');
  await odradek.process.stop();
  await dumpAll(tools, odradek, topics);
  moveIn(odradek, kafka, topics);
  await kafka.process.start();
  await expectAll(readers, kafka);

  t.diagnostic('and what Odradek leaves when it is killed');
  await odradek.process.start();
  await odradek.process.kill();
  await kafka.process.kill();
  moveIn(odradek, kafka, topics);
  await kafka.process.start();
  await expectAll(readers, kafka);
  await kafka.process.stop();
});

/** Puts partition 0 of the topics, as one node has it, in the place of another node's; the topics keep the ids that the other node knows. Both are stopped. */
function moveIn(from: Node, to: Node, topics: Topics): void {
  for (const topic of topics.keys()) {
    const target = join(to.dataDirectory, `${topic}-0`);
    const identity = readFileSync(join(target, 'partition.metadata'));
    rmSync(target, { recursive: true });
    cpSync(join(from.dataDirectory, `${topic}-0`), target, { recursive: true });
    writeFileSync(join(target, 'partition.metadata'), identity);
  }
  // What the checkpoints and the marker say is not of these files.
  for (const name of ['.kafka_cleanshutdown', 'recovery-point-offset-checkpoint']) {
    const path = join(to.dataDirectory, name);
    if (existsSync(path)) rmSync(path);
  }
}

interface Readers {
  readonly t: TestContext;
  readonly tools: KafkaTools;
  readonly workDirectory: string;
  readonly topics: Topics;
}

async function expectAll({ t, tools, workDirectory, topics }: Readers, node: Node): Promise<void> {
  const { bootstrap } = node.process;
  const kcat = toolOrSkip(t, 'kcat');
  for (const isolation of ISOLATIONS) {
    for (const [topic, written] of topics) {
      await expectByOwnClient(bootstrap, topic, written, isolation);
      if (kcat !== null) await expectByKcat(kcat, bootstrap, topic, written, isolation);
    }
    const written = topics.get('lz4') ?? [];
    await expectByConsoleConsumer(tools, { bootstrap, topic: 'lz4', workDirectory }, written, isolation);
  }
}

/** Kafka's own tool finds nothing wrong in any file. */
async function dumpAll(tools: KafkaTools, node: Node, topics: Topics): Promise<void> {
  const files = [...topics.keys()].flatMap((topic) => {
    const directory = join(node.dataDirectory, `${topic}-0`);
    return readdirSync(directory).map((name) => join(directory, name));
  });
  const of = (suffix: string) => files.filter((file) => file.endsWith(suffix));
  assert.ok(of('.log').length > 2 * topics.size, 'there are several segments');
  assert.ok(of('.txnindex').length >= topics.size, 'there are aborted transactions');
  const dump = async (args: string[], names: string[]) => {
    const result = await tools.run('kafka.tools.DumpLogSegments', [...args, '--files', names.join(',')], {
      timeoutMs: DUMP_TIMEOUT_MS,
    });
    assert.equal(result.stderr.trim(), '');
    assert.doesNotMatch(result.stdout, /isvalid: false|mismatch|not found|corrupt|Exception/i);
    return result.stdout;
  };
  await dump(['--deep-iteration'], of('.log'));
  await dump(['--index-sanity-check'], [...of('.index'), ...of('.timeindex')]);
  const transactions = await dump([], [...of('.txnindex'), ...of('.snapshot')]);
  assert.match(transactions, /AbortedTxn|version: 0 producerId: \d+ firstOffset: \d+/);
}
