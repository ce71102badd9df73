// Every codec as clients send it and as a topic stores it: kcat and Apache Kafka's console producer write, every reader reads, and DumpLogSegments says what is stored.
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Admin } from '../../src/client/admin.ts';
import { toolOrSkip } from '../harness/environment.ts';
import { KafkaTools } from '../harness/kafka-tools.ts';
import {
  type NumberedTopic,
  produceWithConsoleProducer,
  produceWithKcat,
  readWithConsoleConsumer,
  readWithKcat,
} from '../harness/numbered-clients.ts';
import { realPorts } from '../harness/own-client.ts';
import { startTarget } from '../harness/target.ts';

const COUNT = 300;
/** librdkafka sends what does not shrink as it is: these lines do. */
const line = (i: number): string => `${i}: ${`the thread of record ${i} is long, `.repeat(20)}`;
const DUMP_TIMEOUT_MS = 120_000;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
type CodecName = (typeof CODECS)[number];

/** What topics store, with levels that are not the defaults. */
const STORED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  producer: {},
  uncompressed: {},
  gzip: { 'compression.gzip.level': '9' },
  snappy: {},
  lz4: { 'compression.lz4.level': '12' },
  zstd: { 'compression.zstd.level': '19' },
};

interface Written extends NumberedTopic {
  readonly sent: CodecName;
  readonly stored: string;
}

test('every codec is taken from foreign clients, stored as the topic says, and read by all', async (t) => {
  const target = await startTarget(t);
  const { bootstrap } = target.process;
  const { workDirectory } = target;
  const file = join(workDirectory, 'numbered');
  writeFileSync(file, Array.from({ length: COUNT }, (_, i) => `${line(i)}\n`).join(''));
  const written: Written[] = [];
  const nameOf = (writer: string, sent: CodecName, stored: string): Written => ({
    bootstrap,
    count: COUNT,
    file,
    workDirectory,
    sent,
    stored,
    topic: `${writer}-${sent}-as-${stored}`,
  });
  const { ports, close } = realPorts();
  t.after(close);
  const admin = new Admin(ports, { bootstrap: [bootstrap] });
  t.after(() => admin.close());
  const make = async (topics: readonly Written[]): Promise<void> => {
    const made = await admin.createTopics(
      topics.map(({ topic, stored }) => ({
        name: topic,
        numPartitions: 1,
        replicationFactor: 1,
        configs: { 'compression.type': stored, ...STORED[stored] },
      })),
    );
    for (const { error } of made) assert.equal(error, null);
    written.push(...topics);
  };

  await t.test('kcat writes', async (step) => {
    const kcat = toolOrSkip(step, 'kcat');
    if (kcat === null) return;
    const topics = CODECS.flatMap((sent) =>
      Object.keys(STORED).map((stored) => nameOf('kcat', sent, stored)),
    );
    await make(topics);
    for (const topic of topics) {
      await produceWithKcat(kcat, topic, topic.sent === 'none' ? [] : ['-z', topic.sent]);
      assert.equal(await readWithKcat(kcat, topic), null, topic.topic);
    }
  });

  const tools = await KafkaTools.orSkip(t);
  if (tools === null) return;
  await t.test('the console producer writes', async (step) => {
    const others = ['zstd', 'lz4', 'uncompressed', 'snappy', 'gzip'];
    const topics = CODECS.flatMap((sent, i) => [
      nameOf('java', sent, 'producer'),
      nameOf('java', sent, others[i] as string),
    ]);
    await make(topics);
    for (const topic of topics) {
      await produceWithConsoleProducer(tools, topic, ['--compression-codec', topic.sent]);
      const kcat = toolOrSkip(step, 'kcat');
      if (kcat !== null) assert.equal(await readWithKcat(kcat, topic), null, topic.topic);
    }
  });

  await t.test('the console consumer reads what kcat wrote', async () => {
    for (const topic of written.filter(
      ({ topic: name, sent }) => name.startsWith('kcat-') && sent === 'gzip',
    ))
      assert.equal(await readWithConsoleConsumer(tools, topic), null, topic.topic);
  });

  await t.test('DumpLogSegments finds every record, in the codec of the topic', async () => {
    await target.process.stop();
    const files = written.flatMap(({ topic }) => {
      const directory = join(target.dataDirectory, `${topic}-0`);
      return readdirSync(directory)
        .filter((name) => name.endsWith('.log'))
        .map((name) => join(directory, name));
    });
    const { stdout, stderr } = await tools.run(
      'kafka.tools.DumpLogSegments',
      ['--deep-iteration', '--files', files.join(',')],
      { timeoutMs: DUMP_TIMEOUT_MS },
    );
    assert.equal(stderr.trim(), '');
    assert.doesNotMatch(stdout, /isvalid: false/);
    const sections = stdout.split(/^Dumping /m);
    for (const { topic, sent, stored } of written) {
      const dumped = sections.filter((section) => section.includes(`/${topic}-0/`)).join('');
      assert.equal(dumped.match(/^\| offset: /gm)?.length, COUNT, topic);
      const codecs = new Set([...dumped.matchAll(/compresscodec: (\w+)/g)].map(([, codec]) => codec));
      const expected = stored === 'producer' ? sent : stored === 'uncompressed' ? 'none' : stored;
      // librdkafka takes a broker that has no FindCoordinator for one without LZ4, and sends such batches as they are.
      if (topic === 'kcat-lz4-as-producer' && codecs.has('none')) continue;
      assert.deepEqual([...codecs], [expected], topic);
    }
  });
});
