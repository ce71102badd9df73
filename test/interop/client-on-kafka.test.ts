// The project's own client against Apache Kafka itself: what it gets wrong here is its own fault, not the broker's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../src/base/errors.ts';
import { Admin } from '../../src/client/admin.ts';
import { Consumer } from '../../src/client/consumer.ts';
import { OffsetSpec } from '../../src/client/list-offsets.ts';
import { Producer } from '../../src/client/producer.ts';
import { toolOrSkip } from '../harness/environment.ts';
import { prepareKafka } from '../harness/kafka-broker.ts';
import { KafkaTools } from '../harness/kafka-tools.ts';
import { isNumberedValue, numberedValue } from '../harness/numbered-records.ts';
import { realPorts } from '../harness/own-client.ts';
import { run } from '../harness/run.ts';
import { temporaryDirectory } from '../harness/temporary.ts';

const COUNT = 3_000;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

test("Apache Kafka serves the project's client: topics, every codec both ways, exact offsets, crashes", async (t) => {
  const tools = await KafkaTools.orSkip(t);
  if (tools === null) return;
  const directory = temporaryDirectory('oracle');
  t.after(directory.remove);
  const kafka = await prepareKafka(tools, directory.path);
  t.after(() => kafka.process.dispose());
  await kafka.process.start();
  const bootstrap = [kafka.process.bootstrap];
  const { ports, close } = realPorts();
  t.after(close);
  const admin = new Admin(ports, { bootstrap });
  t.after(() => admin.close());

  await t.test('topics are made, described and deleted, and errors are told by topic', async () => {
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
  });

  for (const [codec, name] of CODECS.entries()) {
    await t.test(`records with keys and headers go in and come out with codec ${name}`, async () => {
      const topic = `codec-${name}`;
      const producer = new Producer(ports, { bootstrap, compression: codec as 0 | 1 | 2 | 3 | 4 });
      const headers = [
        { key: 'a', value: Buffer.from('1') },
        { key: 'a', value: null },
      ];
      const sent = Array.from({ length: COUNT }, (_, i) =>
        producer.send({
          topic,
          partition: 0,
          key: `k${i}`,
          value: numberedValue(i),
          headers,
          timestampMs: 1_000 + i,
        }),
      );
      const addresses = await Promise.all(sent);
      producer.close();
      for (const [i, { offset }] of addresses.entries()) assert.equal(offset, i);

      const consumer = new Consumer(ports, { bootstrap });
      consumer.assign([{ topic, partition: 0, offset: 7 }]);
      let next = 7;
      while (next < COUNT) {
        for (const { records } of await consumer.fetch(10_000)) {
          for (const record of records) {
            assert.equal(record.offset, next);
            assert.equal(record.timestampMs, 1_000 + next);
            assert.equal(String(record.key), `k${next}`);
            assert.ok(isNumberedValue(record.value, next));
            if (next % 500 === 0) assert.deepEqual(record.headers, headers);
            next++;
          }
        }
      }
      consumer.close();
    });
  }

  await t.test('kcat reads what the client compressed, the client what kcat compressed', async (step) => {
    const kcat = toolOrSkip(step, 'kcat');
    if (kcat === null) return;
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
      const args = [
        '-b',
        kafka.process.bootstrap,
        '-C',
        '-t',
        `codec-${codec}`,
        '-p',
        '0',
        '-e',
        '-q',
        '-c',
        '500',
      ];
      const read = await run(kcat, [...args, '-f', '%k\n'], { timeoutMs: 30_000 });
      assert.equal(read.stdout, Array.from({ length: 500 }, (_, i) => `k${i}\n`).join(''));

      const topic = `kcat-${codec}`;
      const lines = Array.from({ length: 2_000 }, (_, i) => `line ${i}`);
      const write = ['-b', kafka.process.bootstrap, '-P', '-t', topic, '-p', '0', '-z', codec];
      await run(kcat, write, { timeoutMs: 30_000, input: `${lines.join('\n')}\n` });
      const consumer = new Consumer(ports, { bootstrap });
      consumer.assign([{ topic, partition: 0, offset: 'earliest' }]);
      const values: string[] = [];
      while (values.length < lines.length) {
        for (const { records } of await consumer.fetch(10_000))
          values.push(...records.map(({ value }) => String(value)));
      }
      consumer.close();
      assert.deepEqual(values, lines);
    }
  });

  await t.test('offsets are found by place and by time', async () => {
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
  });

  await t.test(
    'an idempotent producer writes each record once while the broker is killed and started again',
    async () => {
      const topic = 'crash';
      const count = 4_000;
      const producer = new Producer(ports, { bootstrap, batchBytes: 16_384, requestTimeoutMs: 5_000 });
      const sent: Promise<{ offset: number }>[] = [];
      for (let i = 0; i < count; i++) {
        sent.push(producer.send({ topic, partition: 0, value: numberedValue(i) }));
        if (i === count / 2) {
          await sent[100];
          await kafka.process.kill();
          await kafka.process.start();
        }
        if (i % 200 === 0) await sent[Math.max(0, i - 800)];
      }
      for (const [i, { offset }] of (await Promise.all(sent)).entries()) assert.equal(offset, i);
      producer.close();
      const consumer = new Consumer(ports, { bootstrap });
      consumer.assign([{ topic, partition: 0, offset: 'earliest' }]);
      let next = 0;
      while (next < count) {
        for (const { records } of await consumer.fetch(10_000)) {
          for (const { value } of records) {
            assert.ok(isNumberedValue(value, next), `record ${next}`);
            next++;
          }
        }
      }
      assert.equal(consumer.highWatermark(topic, 0), count);
      consumer.close();
    },
  );
});
