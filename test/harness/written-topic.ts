/** Topics with everything that a log may hold besides plain records, written by kafkajs and read back by several clients. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs, { type CompressionTypes, Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { Consumer } from '../../src/client/consumer.ts';
import { compressNow } from '../../src/io/node/compression.ts';
import type { CompressionCodec } from '../../src/io/compute.ts';
import type { KafkaTools } from './kafka-tools.ts';
import { realPorts } from './own-client.ts';
import { run } from './run.ts';

/** A record as it was written, and whether its transaction was committed. */
export interface WrittenRecord {
  readonly key: string | null;
  /** Null in a tombstone. */
  readonly value: string | null;
  readonly header: string;
  readonly timestampMs: number;
  readonly committed: boolean;
}

/** Which records a reader gets. */
export type Isolation = 'read_committed' | 'read_uncommitted';

const TIMEOUT_MS = 60_000;
const FIRST_TIMESTAMP_MS = 1_750_000_000_000;
const RECORDS_A_BATCH = 25;

/** The codecs by their names in configurations. */
export const CODECS: readonly (readonly [name: string, id: CompressionCodec])[] = [
  ['none', 0],
  ['gzip', 1],
  ['snappy', 2],
  ['lz4', 3],
  ['zstd', 4],
];

/** Where to write, and in what codec. */
export interface WriteTarget {
  readonly bootstrap: string;
  readonly topic: string;
  readonly codec: CompressionCodec;
}

/**
 * Writes about `rounds` × 75 KB into partition 0 of a topic: in each round two transactions that overlap, one of which is aborted, and a batch outside of any. Resolves to the records
 * in the order of the log.
 */
export async function writeTopic(target: WriteTarget, rounds: number): Promise<WrittenRecord[]> {
  const { topic } = target;
  return withProducers(target, [`${topic}-first`, `${topic}-second`, null], async (senders, write) => {
    const [first, second, plain] = senders as [Producer, Producer, Producer];
    for (let round = 0; round < rounds; round++) {
      const isFirstCommitted = round % 2 === 0;
      const [a, b] = [await first.transaction(), await second.transaction()];
      await write(a, isFirstCommitted);
      await write(b, !isFirstCommitted);
      await write(plain, true);
      await write(a, isFirstCommitted);
      await (isFirstCommitted ? a.commit() : a.abort());
      await (isFirstCommitted ? b.abort() : b.commit());
    }
  });
}

/** Writes `batches` × 25 KB outside of any transaction, by an idempotent producer. Resolves to the records in the order of the log. */
export async function writePlain(target: WriteTarget, batches: number): Promise<WrittenRecord[]> {
  return withProducers(target, [null], async ([plain], write) => {
    for (let i = 0; i < batches; i++) await write(plain as Producer, true);
  });
}

/** Leaves a transaction open between batches that belong to none; the one behind it is not committed for a reader, who stops before. Calls `meanwhile` while it is open. */
export async function writeOpen(
  target: WriteTarget,
  meanwhile: () => Promise<void>,
): Promise<WrittenRecord[]> {
  return withProducers(target, [`${target.topic}-open`, null], async (senders, write) => {
    const [first, plain] = senders as [Producer, Producer];
    await write(plain, true);
    await write(await first.transaction(), false);
    await write(plain, false);
    await meanwhile();
  });
}

type Write = (sender: Pick<Producer, 'send'>, committed: boolean) => Promise<void>;

/** Connects one producer for each transactional id, null for one without, has `act` write with them, and resolves to what was written. */
async function withProducers(
  { bootstrap, topic, codec }: WriteTarget,
  transactionalIds: readonly (string | null)[],
  act: (producers: readonly Producer[], write: Write) => Promise<void>,
): Promise<WrittenRecord[]> {
  if (codec > 1) {
    kafkajs.CompressionCodecs[codec as Exclude<CompressionTypes, CompressionTypes.None>] = () => ({
      compress: (encoder: { buffer: Buffer }) => Promise.resolve(compressNow(codec, encoder.buffer, null)),
      decompress: () => Promise.reject(new Error('nothing is read')),
    });
  }
  const kafka = new Kafka({ brokers: [bootstrap], clientId: 'writer', logLevel: logLevel.NOTHING });
  const producers = transactionalIds.map((transactionalId) =>
    kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
      ...(transactionalId === null ? {} : { transactionalId }),
    }),
  );
  const written: WrittenRecord[] = [];
  const write: Write = async (sender, committed) => {
    const records = makeRecords(topic, written.length, committed);
    const messages = records.map(({ key, value, header, timestampMs }) => ({
      partition: 0,
      key,
      value,
      headers: { kind: header },
      timestamp: String(timestampMs),
    }));
    await sender.send({ topic, acks: -1, compression: codec as CompressionTypes, messages });
    written.push(...records);
  };
  await Promise.all(producers.map((producer) => producer.connect()));
  try {
    await act(producers, write);
  } finally {
    await Promise.all(producers.map((producer) => producer.disconnect()));
  }
  return written;
}

function makeRecords(topic: string, from: number, committed: boolean): WrittenRecord[] {
  return Array.from({ length: RECORDS_A_BATCH }, (_, i) => {
    const number = from + i;
    const noise = createHash('sha512').update(`${topic} ${number}`).digest('hex');
    return {
      key: number % 5 === 0 ? null : `key-${number % 50}`,
      value: number % 7 === 3 && number % 5 !== 0 ? null : `${number} ${noise.repeat(7)}`,
      header: `h${number % 3}`,
      timestampMs: FIRST_TIMESTAMP_MS + number * 10,
      committed,
    };
  });
}

/** The records that a reader of this isolation gets. */
export function visible(written: readonly WrittenRecord[], isolation: Isolation): WrittenRecord[] {
  return isolation === 'read_committed' ? written.filter(({ committed }) => committed) : [...written];
}

/** Reads partition 0 to its end with the project's client and compares keys, values, headers and timestamps. */
export async function expectByOwnClient(
  bootstrap: string,
  topic: string,
  written: readonly WrittenRecord[],
  isolation: Isolation,
): Promise<void> {
  const expected = visible(written, isolation);
  const { ports, close } = realPorts();
  const consumer = new Consumer(ports, { bootstrap: [bootstrap], isolationLevel: isolation });
  consumer.assign([{ topic, partition: 0, offset: 'earliest' }]);
  const deadlineMs = performance.now() + TIMEOUT_MS;
  let next = 0;
  try {
    while (next < expected.length) {
      assert.ok(performance.now() < deadlineMs, `${topic}: only ${next} of ${expected.length} records came`);
      for (const { records } of await consumer.fetch(2_000)) {
        for (const { key, value, headers, timestampMs } of records) {
          const wanted = expected[next];
          assert.ok(wanted !== undefined, `${topic}: there are more records than were written`);
          const got = [key, value, headers[0]?.value].map((bytes) => bytes?.toString() ?? null);
          assert.deepEqual(got, [wanted.key, wanted.value, wanted.header], `${topic}: record ${next}`);
          assert.equal(timestampMs, wanted.timestampMs, `${topic}: record ${next}`);
          next++;
        }
      }
    }
  } finally {
    consumer.close();
    await close();
  }
}

/** Reads with kcat to the end of the partition and compares keys and values. */
export async function expectByKcat(
  kcat: string,
  bootstrap: string,
  topic: string,
  written: readonly WrittenRecord[],
  isolation: Isolation,
): Promise<void> {
  const args = ['-b', bootstrap, '-C', '-t', topic, '-p', '0', '-o', 'beginning', '-e', '-q', '-Z'];
  const { stdout } = await run(kcat, [...args, '-X', `isolation.level=${isolation}`, '-f', '%k|%s|%T\\n'], {
    timeoutMs: TIMEOUT_MS,
  });
  const lines = visible(written, isolation).map(
    ({ key, value, timestampMs }) => `${key ?? 'NULL'}|${value ?? 'NULL'}|${timestampMs}\n`,
  );
  assert.ok(stdout === lines.join(''), `${topic}, ${isolation}: kcat read something else`);
}

/** Reads with Kafka's console consumer and compares values. */
export async function expectByConsoleConsumer(
  tools: KafkaTools,
  source: { readonly bootstrap: string; readonly topic: string; readonly workDirectory: string },
  written: readonly WrittenRecord[],
  isolation: Isolation,
): Promise<void> {
  const { bootstrap, topic, workDirectory } = source;
  const out = join(workDirectory, `${topic}.${isolation}`);
  const values = visible(written, isolation).map(({ value }) => value ?? 'null');
  const place = ['--topic', topic, '--partition', '0', '--offset', 'earliest'];
  const bounds = ['--max-messages', String(values.length), '--timeout-ms', '30000'];
  await tools.run(
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    ['--bootstrap-server', bootstrap, ...place, ...bounds, '--isolation-level', isolation],
    { timeoutMs: TIMEOUT_MS, stdoutFile: out },
  );
  assert.ok(
    readFileSync(out, 'utf8') === `${values.join('\n')}\n`,
    `${topic}: the console read something else`,
  );
  rmSync(out);
}
