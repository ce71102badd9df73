/** Each way to bring the numbered records into partition 0 of a topic, and each way to get them out and compare. */
import { Producer as PlatformaticProducer } from '@platformatic/kafka';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { Consumer } from '../../src/client/consumer.ts';
import { Producer, type ProducerOptions } from '../../src/client/producer.ts';
import type { BrokerProcess } from './broker-process.ts';
import { STEP_TIMEOUT_MS } from './environment.ts';
import type { KafkaTools } from './kafka-tools.ts';
import { differenceOfFiles, isNumberedValue, numberedValue } from './numbered-records.ts';
import { realPorts } from './own-client.ts';
import { run } from './run.ts';

/** The numbered records, and where they go. */
export interface NumberedTopic {
  /** `host:port`. */
  readonly bootstrap: string;
  readonly topic: string;
  readonly count: number;
  /** The file with all of them, one a line. */
  readonly file: string;
  /** For files that readers write. */
  readonly workDirectory: string;
}

/** Records given at once to clients that take arrays. */
const RECORDS_A_CALL = 500;

/** Bytes that the project's client keeps in flight. */
const MIN_ROOM_BYTES = 8_192;

/** kcat reads the file line by line. */
export async function produceWithKcat(
  kcat: string,
  topic: NumberedTopic,
  extra: readonly string[] = [],
): Promise<void> {
  const args = ['-b', topic.bootstrap, '-P', '-t', topic.topic, '-p', '0', ...extra, '-l', topic.file];
  await run(kcat, args, { timeoutMs: STEP_TIMEOUT_MS });
}

/** Apache Kafka's console producer reads the file on its standard input. */
export async function produceWithConsoleProducer(
  tools: KafkaTools,
  topic: NumberedTopic,
  extra: readonly string[] = [],
): Promise<void> {
  await tools.run(
    'org.apache.kafka.tools.ConsoleProducer',
    ['--bootstrap-server', topic.bootstrap, '--topic', topic.topic, ...extra],
    { timeoutMs: STEP_TIMEOUT_MS, stdinFile: topic.file },
  );
}

/** kafkajs sends arrays, one after the other. */
export async function produceWithKafkajs(topic: NumberedTopic, idempotent: boolean): Promise<void> {
  const kafka = new Kafka({ brokers: [topic.bootstrap], clientId: 'kafkajs', logLevel: logLevel.NOTHING });
  const producer = kafka.producer({
    idempotent,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  try {
    for (const values of chunksOf(topic.count)) {
      const messages = values.map((value) => ({ partition: 0, value }));
      await producer.send({ topic: topic.topic, acks: -1, messages });
    }
  } finally {
    await producer.disconnect();
  }
}

/** @platformatic/kafka sends arrays, one after the other. */
export async function produceWithPlatformatic(topic: NumberedTopic): Promise<void> {
  const producer = new PlatformaticProducer({
    clientId: 'platformatic',
    bootstrapBrokers: [topic.bootstrap],
    autocreateTopics: true,
  });
  try {
    for (const values of chunksOf(topic.count)) {
      const messages = values.map((value) => ({ topic: topic.topic, partition: 0, value }));
      await producer.send({ messages, acks: -1 });
    }
  } finally {
    await producer.close();
  }
}

/** The project's client keeps its buffer full, and checks the offset of every acknowledgement. */
export async function produceWithOwnClient(
  topic: NumberedTopic,
  options: Partial<ProducerOptions> = {},
): Promise<void> {
  const { ports, close } = realPorts();
  const producer = new Producer(ports, { bootstrap: [topic.bootstrap], ...options });
  try {
    await new Promise<void>((resolve, reject) => {
      let given = 0;
      let acknowledged = 0;
      const give = (): void => {
        while (given < topic.count && producer.roomBytes > MIN_ROOM_BYTES) {
          const number = given++;
          const value = numberedValue(number);
          producer.produce({ topic: topic.topic, partition: 0, value }, (error, offset) => {
            if (error !== null) reject(error);
            else if (options.acks !== 0 && offset !== number)
              reject(new Error(`record ${number} was given offset ${offset}`));
            else if (++acknowledged === topic.count) resolve();
            else give();
          });
        }
      };
      give();
    });
  } finally {
    producer.close();
    await close();
  }
}

/**
 * The project's idempotent client writes while the broker is killed and started again, `crashes` times with records in flight. It resolves
 * once every record is acknowledged at its own number as offset, and rejects otherwise.
 */
export async function produceThroughCrashes(
  topic: NumberedTopic,
  broker: BrokerProcess,
  crashes: number,
): Promise<void> {
  const { ports, close } = realPorts();
  const bootstrap = [topic.bootstrap];
  const producer = new Producer(ports, { bootstrap, batchBytes: 16_384, requestTimeoutMs: 5_000 });
  const sent: Promise<void>[] = [];
  const every = Math.floor(topic.count / (crashes + 1));
  try {
    for (let i = 0; i < topic.count; i++) {
      const address = producer.send({ topic: topic.topic, partition: 0, value: numberedValue(i) });
      sent.push(
        address.then(({ offset }) => {
          if (offset !== i) throw new Error(`record ${i} was given offset ${offset}`);
        }),
      );
      if (i > 0 && i % every === 0 && i / every <= crashes) {
        await sent[Math.max(0, i - 500)];
        await broker.kill();
        await broker.start();
      }
      if (i % 200 === 0) await sent[Math.max(0, i - 1_600)];
    }
    await Promise.all(sent);
  } finally {
    producer.close();
    await Promise.allSettled(sent);
    await close();
  }
}

function* chunksOf(count: number): Generator<Buffer[]> {
  for (let first = 0; first < count; first += RECORDS_A_CALL) {
    const length = Math.min(RECORDS_A_CALL, count - first);
    yield Array.from({ length }, (_, i) => numberedValue(first + i));
  }
}

/** kcat prints the whole partition. @returns null when it is the numbered file, else what differs. */
export async function readWithKcat(kcat: string, topic: NumberedTopic): Promise<string | null> {
  const out = join(topic.workDirectory, `${topic.topic}.kcat`);
  const args = ['-b', topic.bootstrap, '-C', '-t', topic.topic, '-p', '0', '-o', 'beginning', '-e', '-q'];
  await run(kcat, args, { timeoutMs: STEP_TIMEOUT_MS, stdoutFile: out });
  return comparedAndRemoved(topic.file, out);
}

/** A million records are a gigabyte: what was equal does not stay. */
function comparedAndRemoved(expectedFile: string, actualFile: string): string | null {
  const difference = differenceOfFiles(expectedFile, actualFile);
  if (difference === null) rmSync(actualFile);
  return difference;
}

/** Apache Kafka's console consumer prints the partition. @returns null when it is the numbered file, else what differs. */
export async function readWithConsoleConsumer(
  tools: KafkaTools,
  topic: NumberedTopic,
): Promise<string | null> {
  const out = join(topic.workDirectory, `${topic.topic}.console`);
  await tools.run(
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    [
      '--bootstrap-server',
      topic.bootstrap,
      '--topic',
      topic.topic,
      '--partition',
      '0',
      '--offset',
      'earliest',
      '--max-messages',
      String(topic.count),
      '--timeout-ms',
      '30000',
    ],
    { timeoutMs: STEP_TIMEOUT_MS, stdoutFile: out },
  );
  return comparedAndRemoved(topic.file, out);
}

/** The project's client reads the partition to its end. @returns null when it holds the numbered records, else what differs. */
export async function readWithOwnClient(topic: NumberedTopic): Promise<string | null> {
  const { ports, close } = realPorts();
  const consumer = new Consumer(ports, { bootstrap: [topic.bootstrap] });
  consumer.assign([{ topic: topic.topic, partition: 0, offset: 'earliest' }]);
  const deadlineMs = performance.now() + STEP_TIMEOUT_MS;
  try {
    for (let next = 0; next < topic.count; ) {
      if (performance.now() > deadlineMs) return `only ${next} records came in ${STEP_TIMEOUT_MS} ms`;
      for (const { records } of await consumer.fetch(5_000)) {
        for (const { offset, value } of records) {
          if (offset !== next) return `offset ${offset} came where ${next} was due`;
          if (!isNumberedValue(value, next)) return `record ${next} has another value`;
          next++;
        }
      }
    }
    const end = consumer.highWatermark(topic.topic, 0);
    return end === topic.count ? null : `${end} records are there, not ${topic.count}`;
  } finally {
    consumer.close();
    await close();
  }
}
