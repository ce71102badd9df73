// What the broker leaves on disk is read by Apache Kafka's own tools: every segment, index and snapshot, and the metadata log.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { RECORD_COUNT } from '../harness/environment.ts';
import { KafkaTools } from '../harness/kafka-tools.ts';
import { produceWithOwnClient } from '../harness/numbered-clients.ts';
import { startTarget, type Target, TARGET_IS_KAFKA } from '../harness/target.ts';

/** Small segments and dense indexes, so that there are many of each. */
const SETTINGS = {
  'log.segment.bytes': '1048576',
  'log.index.interval.bytes': '4096',
  'log.index.size.max.bytes': '65536',
};

const COUNT = Math.min(RECORD_COUNT, 5_000);
const DUMP_TIMEOUT_MS = 120_000;
const METADATA_LOG = '__cluster_metadata-0';

/** Topic by codec of what is written into it; compressed ones hold fewer segments. */
const TOPICS = [
  ['plain', 0],
  ['gzip', 1],
  ['snappy', 2],
  ['lz4', 3],
  ['zstd', 4],
] as const;

test('DumpLogSegments reads every segment, index and snapshot, after a clean stop and after a kill', async (t) => {
  const tools = await KafkaTools.orSkip(t);
  if (tools === null) return;
  const target = await startTarget(t, SETTINGS);
  const { bootstrap } = target.process;
  const topicOf = (topic: string) => ({ bootstrap, topic, count: COUNT, file: '', workDirectory: '' });
  for (const [topic, compression] of TOPICS) await produceWithOwnClient(topicOf(topic), { compression });

  await t.test('after a clean stop', async () => {
    await target.process.stop();
    await readAll(
      tools,
      target.dataDirectory,
      TOPICS.map(([topic]) => topic),
    );
    const segments = readdirSync(join(target.dataDirectory, 'plain-0')).filter((name) =>
      name.endsWith('.log'),
    );
    assert.ok(segments.length > 3, `${segments.length} segments`);
  });

  await t.test('after a kill and the recovery from it', async () => {
    await target.process.start();
    await produceWithOwnClient({ ...topicOf('later') });
    await target.process.kill();
    await target.process.start();
    await target.process.stop();
    await readAll(tools, target.dataDirectory, ['plain', 'later']);
  });

  await t.test('the metadata log', async () => {
    const directory = join(target.dataDirectory, METADATA_LOG);
    const files = readdirSync(directory).filter((name) => /\.(log|checkpoint)$/.test(name));
    const dumped = await dump(tools, ['--cluster-metadata-decoder'], paths(directory, files));
    for (const type of [
      'FEATURE_LEVEL_RECORD',
      'REGISTER_BROKER_RECORD',
      'TOPIC_RECORD',
      'PARTITION_RECORD',
    ]) {
      assert.match(dumped, new RegExp(`payload: \\{"type":"${type}"`), type);
    }
    assert.match(dumped, /LeaderChange: /);
    assert.match(dumped, /"name":"plain"/);
    assert.doesNotMatch(dumped, /isvalid: false|Could not|Error/i);
    const topics = dumped.match(/"type":"TOPIC_RECORD"/g) ?? [];
    assert.ok(topics.length >= TOPICS.length + 1);
  });

  await t.test('the directory as StorageTool sees it', async () => {
    const out = await storageInfo(tools, target);
    assert.match(out, new RegExp(`Found log directory:\\s+${target.dataDirectory}`));
    assert.match(out, /Found metadata: .*"?node\.id"?=\d+/);
    assert.doesNotMatch(out, /Found problem/);
  });
});

/** Reads everything in the directories of partition 0 of these topics and checks what the tool says of it; few runs, for a JVM starts slowly. */
async function readAll(tools: KafkaTools, dataDirectory: string, topics: readonly string[]): Promise<void> {
  const directories = topics.map((topic) => join(dataDirectory, `${topic}-0`));
  const of = (ending: string) =>
    directories.flatMap((directory) =>
      paths(
        directory,
        readdirSync(directory).filter((name) => name.endsWith(ending)),
      ),
    );
  const segments = await dump(tools, ['--deep-iteration'], of('.log'));
  assert.doesNotMatch(segments, /isvalid: false/);
  for (const directory of directories) {
    const dumped = sectionsOf(segments, directory);
    const offsets = [...dumped.matchAll(/^\| offset: (\d+) /gm)].map(([, offset]) => Number(offset));
    assert.equal(offsets.length, COUNT, directory);
    for (const [i, offset] of offsets.entries()) assert.equal(offset, i, directory);
  }

  const indexes = [...of('.index'), ...of('.timeindex')];
  assert.equal(indexes.length, 2 * of('.log').length);
  const checked = await dump(tools, ['--verify-index-only'], indexes);
  assert.doesNotMatch(checked, /mismatch|not found|non-monotonic|corrupt/i);
  const entriesAndSnapshots = await dump(tools, [], [...indexes, ...of('.snapshot')]);
  assert.doesNotMatch(entriesAndSnapshots, /mismatch|corrupt/i);
  for (const snapshot of of('.snapshot')) {
    const dumped = sectionsOf(entriesAndSnapshots, snapshot);
    if (!snapshot.includes('00000000000000000000.'))
      assert.match(dumped, /producerId: \d+ producerEpoch: 0/, snapshot);
  }
  for (const directory of directories) {
    const read = (name: string) => readFileSync(join(directory, name), 'latin1');
    assert.match(read('partition.metadata'), /^version: 0\ntopic_id: .{22}$/);
    assert.match(read('leader-epoch-checkpoint'), /^0\n\d+\n0 0\n/);
  }
}

/** What the tool printed about the files whose path begins with `prefix`. */
function sectionsOf(dumped: string, prefix: string): string {
  const sections = dumped.split(/^Dumping /m);
  return sections.filter((section) => section.startsWith(prefix)).join('');
}

function paths(directory: string, names: readonly string[]): string[] {
  return names.toSorted().map((name) => join(directory, name));
}

async function dump(tools: KafkaTools, flags: readonly string[], files: readonly string[]): Promise<string> {
  const args = [...flags, '--files', files.join(',')];
  const { stdout, stderr } = await tools.run('kafka.tools.DumpLogSegments', args, {
    timeoutMs: DUMP_TIMEOUT_MS,
  });
  assert.equal(stderr.trim(), '');
  return stdout;
}

async function storageInfo(tools: KafkaTools, target: Target): Promise<string> {
  const file = join(target.workDirectory, 'info.properties');
  writeFileSync(
    file,
    [
      'process.roles=broker,controller',
      'node.id=1',
      'controller.quorum.voters=1@127.0.0.1:9093',
      'controller.listener.names=CONTROLLER',
      'listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
      `log.dirs=${target.dataDirectory}`,
      '',
    ].join('\n'),
  );
  const { stdout } = await tools.run('kafka.tools.StorageTool', ['info', '-c', file], {
    timeoutMs: DUMP_TIMEOUT_MS,
    expectCodes: TARGET_IS_KAFKA ? 'any' : [0],
  });
  return stdout;
}
