// The same hundred batches, good and broken, are produced to Apache Kafka and to Odradek: the answers and the logs must agree, except
// where the table of deviations says why not.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ErrorCode, errorName } from '../../src/base/errors.ts';
import { Admin } from '../../src/client/admin.ts';
import { PRODUCE } from '../../src/client/apis.ts';
import type { ClientPorts } from '../../src/client/cluster.ts';
import { OffsetSpec } from '../../src/client/list-offsets.ts';
import type { BrokerProcess } from '../harness/broker-process.ts';
import { prepareKafka } from '../harness/kafka-broker.ts';
import { KafkaTools } from '../harness/kafka-tools.ts';
import { prepareOdradek } from '../harness/odradek-broker.ts';
import { realPorts } from '../harness/own-client.ts';
import { type ProduceCase, produceCases } from '../harness/produce-cases.ts';
import { RawConnection } from '../harness/raw-connection.ts';
import { temporaryDirectory } from '../harness/temporary.ts';
import { eventually } from '../harness/wait.ts';

const SETTINGS = { 'message.max.bytes': '10000' };

/** Topic by what is special about it. */
const TOPICS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: {},
  compacted: { 'cleanup.policy': 'compact' },
  'append-time': { 'message.timestamp.type': 'LogAppendTime' },
  recompressed: { 'compression.type': 'gzip' },
};

/** Where Odradek answers otherwise, and why. By the name of the case, or its beginning. */
const DEVIATIONS: Readonly<Record<string, string>> = {
  'attributes: codec 5': 'Kafka fails with UNKNOWN_SERVER_ERROR; the codec is what is wrong',
  'attributes: codec 7': 'Kafka fails with UNKNOWN_SERVER_ERROR; the codec is what is wrong',
  'attributes: gzip': 'Kafka fails with UNKNOWN_SERVER_ERROR; the batch is corrupt',
  'attributes: snappy': 'Kafka fails with UNKNOWN_SERVER_ERROR; the batch is corrupt',
  'attributes: lz4': 'Kafka fails with UNKNOWN_SERVER_ERROR; the batch is corrupt',
  'attributes: zstd': 'Kafka fails with UNKNOWN_SERVER_ERROR; the batch is corrupt',
  'timestamps: -2': 'Kafka fails with UNKNOWN_SERVER_ERROR where it has to rebuild such a batch',
  'producer 5, epoch -1': 'Kafka takes a producer id without an epoch, which no client sends',
  'producer -5': 'Kafka takes a negative producer id, which no client sends',
};

interface Answer {
  readonly error: string;
  /** Records that were refused one by one. */
  readonly recordErrorCount: number;
  /** True if the broker says that it set the timestamps. */
  readonly setTime: boolean;
  /** Records that the log grew by. */
  readonly appended: number;
}

test('Odradek answers to good and broken batches as Apache Kafka does', async (t) => {
  const tools = await KafkaTools.orSkip(t);
  if (tools === null) return;
  const directory = temporaryDirectory('differences');
  t.after(directory.remove);
  const { ports, close } = realPorts();
  t.after(close);
  const cases = produceCases(ports.compute, Date.now());
  const kafka = await prepareKafka(tools, directory.path, SETTINGS);
  const expected = await answersOf(kafka.process, ports, cases);
  const odradek = await prepareOdradek(join(directory.path, 'odradek'), SETTINGS);
  const actual = await answersOf(odradek.process, ports, cases);
  assert.equal(expected.size, cases.length * Object.keys(TOPICS).length);

  let same = 0;
  const unexpected: string[] = [];
  const used = new Set<string>();
  for (const [name, answer] of expected) {
    const ours = actual.get(name);
    const deviation = Object.keys(DEVIATIONS).find((start) => name.split(' | ')[1]?.startsWith(start));
    const agrees = JSON.stringify(answer) === JSON.stringify(ours);
    if (agrees) same++;
    else if (deviation !== undefined) used.add(deviation);
    else
      unexpected.push(`${name}\n    Kafka   ${JSON.stringify(answer)}\n    Odradek ${JSON.stringify(ours)}`);
  }
  t.diagnostic(`${same} of ${expected.size} answers agree`);
  assert.deepEqual(unexpected, [], unexpected.join('\n'));
  assert.deepEqual(
    Object.keys(DEVIATIONS).filter((name) => !used.has(name)),
    [],
    'these agree now: they are no deviations any more',
  );
});

/** Starts a broker, produces every case into every topic, and stops it. */
async function answersOf(
  broker: BrokerProcess,
  ports: ClientPorts,
  cases: readonly ProduceCase[],
): Promise<Map<string, Answer>> {
  const answers = new Map<string, Answer>();
  const admin = new Admin(ports, { bootstrap: [broker.bootstrap] });
  await broker.start();
  try {
    const topics = Object.entries(TOPICS).map(([name, configs]) => ({
      name,
      numPartitions: 1,
      replicationFactor: 1,
      configs,
    }));
    for (const { error } of await admin.createTopics(topics)) assert.equal(error, null);
    for (const topic of Object.keys(TOPICS)) {
      const connection = await RawConnection.open(broker.port);
      let end = 0;
      for (const { name, bytes } of cases) {
        const answer = await eventually('the topic has a leader', () => produce(connection, topic, bytes), {
          timeoutMs: 10_000,
        });
        const [found] = await admin.listOffsets([{ topic, partition: 0, timestampMs: OffsetSpec.LATEST }]);
        const newEnd = found?.offset ?? -1;
        answers.set(`${topic} | ${name}`, { ...answer, appended: newEnd - end });
        end = newEnd;
      }
      connection.close();
    }
  } finally {
    admin.close();
    await broker.dispose();
  }
  return answers;
}

/** Null when the partition has no leader yet. */
async function produce(
  connection: RawConnection,
  topic: string,
  records: Buffer,
): Promise<Omit<Answer, 'appended'> | null> {
  const request = {
    acks: -1,
    timeoutMs: 5_000,
    topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
  };
  connection.write(Buffer.concat(PRODUCE.encode(9, 1, 'raw', request) as Buffer[]));
  const frame = await connection.readFrame(5_000);
  const answer = PRODUCE.decode(9, frame, 0, frame.length).responses[0]?.partitionResponses[0];
  if (answer?.errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER) return null;
  return {
    error: errorName(answer?.errorCode ?? -1),
    recordErrorCount: answer?.recordErrors.length ?? -1,
    setTime: (answer?.logAppendTimeMs ?? -1) >= 0,
  };
}
