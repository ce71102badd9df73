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
  type Isolation,
  type WrittenRecord,
  writeOpen,
  writePlain,
  type WriteTarget,
  writeTopic,
} from '../harness/written-topic.ts';

/** About 3 MB a topic, in segments of 1 MiB. The records are old. */
const ROUNDS = 30;
const CONFIGS = { 'segment.bytes': '1048576', 'retention.ms': '-1' };
/** What each node adds to what the other left: transactions by Kafka, plain batches by Odradek. */
const MORE_ROUNDS = 2;
const MORE_BATCHES = 50;
/** A topic whose last transaction nobody ends. */
const OPEN = 'open';
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
  const topics = new Map<string, WrittenRecord[]>();
  const readers = { t, tools, workDirectory: directory.path, topics };

  t.diagnostic('Kafka writes; both have the topics');
  await kafka.process.start();
  await odradek.process.start();
  for (const name of [...CODECS.map(([codec]) => codec), OPEN]) {
    await withClient(kafka.process.port, (client) => createTopics(client, [name], CONFIGS));
    await withClient(odradek.process.port, (client) => createTopics(client, [name], CONFIGS));
    // A log has its identity in a file from its first record on; the record itself goes when Kafka's directory comes.
    await writePlain({ bootstrap: odradek.process.bootstrap, topic: name, codec: 0 }, 1);
  }
  await writeAll(kafka, topics, (target) => writeTopic(target, ROUNDS));

  t.diagnostic('Odradek serves what Kafka left at a clean stop, and adds to it');
  await kafka.process.stop();
  await odradek.process.stop();
  moveIn(kafka, odradek, topics.keys(), 'clean');
  await odradek.process.start();
  await expectAll(readers, odradek, ISOLATIONS);
  await writeAll(odradek, topics, (target) => writePlain(target, MORE_BATCHES));

  t.diagnostic('Kafka serves what Odradek left at a clean stop, and adds to it');
  await odradek.process.stop();
  await dumpAll(tools, odradek, topics);
  moveIn(odradek, kafka, topics.keys(), 'clean');
  await kafka.process.start();
  await expectAll(readers, kafka, ['read_committed']);
  await writeAll(kafka, topics, (target) => writeTopic(target, MORE_ROUNDS));

  t.diagnostic('Odradek serves what Kafka left when it was killed, with a transaction open, and adds to it');
  const target = { bootstrap: kafka.process.bootstrap, topic: OPEN, codec: 0 } as const;
  const open = await writeOpen(target, () => kafka.process.kill());
  moveIn(kafka, odradek, [...topics.keys(), OPEN], 'killed');
  await odradek.process.start();
  await expectAll({ ...readers, topics: new Map([...topics, [OPEN, open]]) }, odradek, ISOLATIONS);
  await writeAll(odradek, topics, (to) => writePlain(to, MORE_BATCHES));

  t.diagnostic('Kafka serves what Odradek left when it was killed');
  await odradek.process.kill();
  moveIn(odradek, kafka, topics.keys(), 'killed');
  await kafka.process.start();
  await expectAll(readers, kafka, ['read_committed']);
  await kafka.process.stop();
  await dumpAll(tools, kafka, topics);
});

/** Writes into every topic of a codec and notes what was written. */
async function writeAll(
  node: Node,
  topics: Map<string, WrittenRecord[]>,
  write: (target: WriteTarget) => Promise<WrittenRecord[]>,
): Promise<void> {
  for (const [topic, codec] of CODECS) {
    const written = await write({ bootstrap: node.process.bootstrap, topic, codec });
    topics.set(topic, [...(topics.get(topic) ?? []), ...written]);
  }
}

/**
 * Puts partition 0 of the topics, as one node has it, in the place of another node's; the topics keep the ids that the other node knows. Both are stopped. After clean stops of both the files are taken
 * on trust: indexes, producer snapshots and all.
 */
function moveIn(from: Node, to: Node, topics: Iterable<string>, stopped: 'clean' | 'killed'): void {
  for (const topic of topics) {
    const target = join(to.dataDirectory, `${topic}-0`);
    const identity = readFileSync(join(target, 'partition.metadata'));
    rmSync(target, { recursive: true });
    cpSync(join(from.dataDirectory, `${topic}-0`), target, { recursive: true });
    writeFileSync(join(target, 'partition.metadata'), identity);
  }
  const marker = join(to.dataDirectory, '.kafka_cleanshutdown');
  if (stopped === 'clean') {
    assert.ok(existsSync(marker), 'the node that takes the directories was stopped in good order');
    return;
  }
  // What the marker and the checkpoints say is not of these files.
  for (const path of [marker, join(to.dataDirectory, 'recovery-point-offset-checkpoint')]) {
    if (existsSync(path)) rmSync(path);
  }
}

interface Readers {
  readonly t: TestContext;
  readonly tools: KafkaTools;
  readonly workDirectory: string;
  readonly topics: Topics;
}

async function expectAll(
  { t, tools, workDirectory, topics }: Readers,
  node: Node,
  isolations: readonly Isolation[],
): Promise<void> {
  const { bootstrap } = node.process;
  const kcat = toolOrSkip(t, 'kcat');
  for (const isolation of isolations) {
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
