import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clientWorld,
  type ClientWorld,
  MODEL_BOOTSTRAP,
  MODEL_PORT,
} from '../../test/harness/client-world.ts';
import type { Meddling } from '../../test/harness/model-broker.ts';
import { ErrorCode } from '../base/errors.ts';
import type { CompressionCodec } from '../io/compute.ts';
import type { FetchRequest } from '../protocol/messages/fetch.ts';
import { ClientError } from './client-error.ts';
import { Consumer, type ConsumerOptions, type FetchedRecords } from './consumer.ts';
import { Producer } from './producer.ts';

function newConsumer(world: ClientWorld, options: Partial<ConsumerOptions> = {}): Consumer {
  return new Consumer(world.ports, { bootstrap: MODEL_BOOTSTRAP, maxWaitMs: 20, ...options });
}

/** Writes `count` numbered records, ten to a batch, into a partition. */
async function writeNumbers(
  world: ClientWorld,
  count: number,
  options: { topic?: string; partition?: number; compression?: CompressionCodec } = {},
): Promise<void> {
  const { topic = 't', partition = 0, compression = 0 } = options;
  if (!world.broker.topics.has(topic)) world.broker.createTopic(topic, 4);
  const producer = new Producer(world.ports, {
    bootstrap: MODEL_BOOTSTRAP,
    batchBytes: 300,
    compression,
  });
  for (let i = 0; i < count; i++) {
    producer.produce({ topic, partition, key: 'k', value: String(i) }, (error) => assert.equal(error, null));
  }
  await world.clock.drive(producer.flushed());
  producer.close();
}

/** Polls until `count` records have come; gives their values. */
async function readValues(world: ClientWorld, consumer: Consumer, count: number): Promise<string[]> {
  const values: string[] = [];
  for (let polls = 0; values.length < count; polls++) {
    assert.ok(polls < 1_000, `only ${values.length} records came`);
    for (const chunk of await poll(world, consumer)) {
      for (const record of chunk.records) values.push(String(record.value));
    }
  }
  return values;
}

function poll(world: ClientWorld, consumer: Consumer, timeoutMs = 5_000): Promise<FetchedRecords[]> {
  return world.clock.drive(consumer.fetch(timeoutMs));
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));

test('records of every codec come out in order from the earliest offset', async () => {
  for (const compression of [0, 1, 2, 3, 4] as const) {
    const world = clientWorld();
    await writeNumbers(world, 200, { compression });
    const consumer = newConsumer(world);
    consumer.assign([{ topic: 't', partition: 0, offset: 'earliest' }]);
    assert.deepEqual(await readValues(world, consumer, 200), numbers(0, 200));
    assert.equal(consumer.position('t', 0), 200);
    assert.equal(consumer.highWatermark('t', 0), 200);
    consumer.close();
  }
});

test('reading begins at the offset that was asked for, also in the middle of a batch', async () => {
  const world = clientWorld();
  await writeNumbers(world, 100);
  const consumer = newConsumer(world);
  for (const offset of [37, 99]) {
    consumer.assign([{ topic: 't', partition: 0, offset }]);
    assert.deepEqual(await readValues(world, consumer, 100 - offset), numbers(offset, 100));
  }
  consumer.assign([{ topic: 't', partition: 0, offset: 'latest' }]);
  assert.deepEqual(await poll(world, consumer, 100), []);
  await writeNumbers(world, 3);
  assert.deepEqual(await readValues(world, consumer, 3), numbers(0, 3));
  consumer.close();
});

test('several partitions are read side by side in one fetch session that names only what changes', async () => {
  const world = clientWorld();
  for (let partition = 0; partition < 4; partition++) await writeNumbers(world, 50, { partition });
  world.broker.seen.length = 0;
  const consumer = newConsumer(world);
  consumer.assign([0, 1, 2, 3].map((partition) => ({ topic: 't', partition, offset: 'earliest' as const })));
  const perPartition = new Map<number, string[]>();
  for (let count = 0; count < 200; ) {
    for (const { partition, records } of await poll(world, consumer)) {
      count += records.length;
      const values = perPartition.get(partition) ?? [];
      perPartition.set(partition, [...values, ...records.map(({ value }) => String(value))]);
    }
  }
  for (let partition = 0; partition < 4; partition++)
    assert.deepEqual(perPartition.get(partition), numbers(0, 50));
  assert.deepEqual(await poll(world, consumer, 200), []);
  const fetches = world.broker.seen
    .filter(({ apiKey }) => apiKey === 1)
    .map(({ body }) => body as FetchRequest);
  assert.equal(fetches[0]?.sessionEpoch, 0);
  assert.equal(fetches[1]?.sessionEpoch, 1);
  const last = fetches.at(-1) as FetchRequest;
  assert.ok(last.sessionEpoch > 1);
  assert.deepEqual(last.topics, [], 'nothing changed, so nothing is named');
  consumer.close();
});

test('lost connections, lost sessions and passing errors neither lose nor repeat a record', async () => {
  const world = clientWorld();
  await writeNumbers(world, 300);
  const script: Meddling[] = [
    null,
    'lose-answer',
    null,
    'lose-request',
    { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER },
    null,
  ];
  let fetches = 0;
  world.broker.meddle = ({ apiKey }) => {
    if (apiKey !== 1) return null;
    if (++fetches % 7 === 0) world.broker.forgetSessions();
    return script[fetches % script.length] ?? null;
  };
  const consumer = newConsumer(world);
  consumer.assign([{ topic: 't', partition: 0, offset: 'earliest' }]);
  assert.deepEqual(await readValues(world, consumer, 300), numbers(0, 300));
  consumer.close();
});

test('an offset that is not in the log fails the poll, or is reset as told', async () => {
  const world = clientWorld();
  await writeNumbers(world, 20);
  const strict = newConsumer(world);
  strict.assign([{ topic: 't', partition: 0, offset: 1_000 }]);
  await assert.rejects(poll(world, strict), { errorCode: ErrorCode.OFFSET_OUT_OF_RANGE });
  await assert.rejects(poll(world, strict), { errorCode: ErrorCode.OFFSET_OUT_OF_RANGE });
  strict.close();

  const lenient = newConsumer(world, { offsetReset: 'earliest' });
  lenient.assign([{ topic: 't', partition: 0, offset: 1_000 }]);
  assert.deepEqual(await readValues(world, lenient, 20), numbers(0, 20));
  lenient.close();
});

test('a broker that is away and comes back is read from again; a topic that is not there fails the poll', async () => {
  const world = clientWorld();
  await writeNumbers(world, 20);
  const consumer = newConsumer(world);
  consumer.assign([{ topic: 't', partition: 0, offset: 0 }]);
  assert.equal((await readValues(world, consumer, 20)).length, 20);
  world.network.setHost(MODEL_PORT, null);
  assert.deepEqual(await poll(world, consumer, 2_000), []);
  world.network.setHost(MODEL_PORT, world.broker.host);
  world.broker.forgetSessions();
  await writeNumbers(world, 5);
  assert.deepEqual(await readValues(world, consumer, 5), numbers(0, 5));

  consumer.assign([{ topic: 'absent', partition: 0, offset: 0 }]);
  await assert.rejects(poll(world, consumer), { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION });
  consumer.close();
});

test('records that do not match their checksum fail the poll', async () => {
  const world = clientWorld();
  await writeNumbers(world, 5);
  const batch = world.broker.batches('t', 0)[0] as Buffer;
  batch[batch.length - 2] = (batch[batch.length - 2] ?? 0) ^ 1;
  const consumer = newConsumer(world);
  consumer.assign([{ topic: 't', partition: 0, offset: 0 }]);
  await assert.rejects(poll(world, consumer), { reason: 'MALFORMED_RECORDS' });
  consumer.close();
});

test('an older broker is fetched from by topic name', async () => {
  const world = clientWorld({ 1: 12, 0: 12, 3: 9 });
  await writeNumbers(world, 30);
  const consumer = newConsumer(world);
  consumer.assign([{ topic: 't', partition: 0, offset: 0 }]);
  assert.deepEqual(await readValues(world, consumer, 30), numbers(0, 30));
  consumer.close();
});

test('one poll at a time, and closing fails it', async () => {
  const world = clientWorld();
  world.broker.createTopic('t', 1);
  const consumer = newConsumer(world);
  consumer.assign([{ topic: 't', partition: 0, offset: 0 }]);
  const outcomes: unknown[] = [];
  consumer.poll(60_000, (outcome) => outcomes.push(outcome));
  consumer.poll(60_000, (outcome) => outcomes.push(outcome));
  world.clock.runFor(100);
  assert.equal(outcomes.length, 1);
  consumer.close();
  assert.equal(outcomes.length, 2);
  for (const outcome of outcomes) assert.ok(outcome instanceof ClientError && outcome.reason === 'CLOSED');
  world.clock.runUntilIdle();
});
