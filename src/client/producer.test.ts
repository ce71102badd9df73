import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  clientWorld,
  type ClientWorld,
  MODEL_BOOTSTRAP,
  MODEL_PORT,
} from '../../test/harness/client-world.ts';
import type { Meddling } from '../../test/harness/model-broker.ts';
import { ErrorCode } from '../base/errors.ts';
import type { InitProducerIdRequest } from '../protocol/messages/init-producer-id.ts';
import type { ProduceRequest } from '../protocol/messages/produce.ts';
import { BatchView } from '../records/batch.ts';
import { readRecords } from '../records/reader.ts';
import type { ClientError } from './client-error.ts';
import { Producer, type ProducerOptions } from './producer.ts';

function newProducer(world: ClientWorld, options: Partial<ProducerOptions> = {}): Producer {
  return new Producer(world.ports, { bootstrap: MODEL_BOOTSTRAP, ...options });
}

/** Values in a partition of the model, in order, with their offsets checked. */
function valuesIn(world: ClientWorld, topic = 't', partition = 0): string[] {
  const values: string[] = [];
  for (const batch of world.broker.batches(topic, partition)) {
    assert.equal(new BatchView().at(batch, 0).baseOffset, values.length);
    for (const record of readRecords(batch, 0)) values.push(String(record.value));
  }
  return values;
}

interface Outcome {
  readonly error: ClientError | null;
  readonly offset: number;
}

/** Gives the records `0 … count - 1` to one partition and collects what became of each. */
function produceNumbers(producer: Producer, count: number, topic = 't'): Outcome[] {
  const outcomes: Outcome[] = [];
  for (let i = 0; i < count; i++) {
    producer.produce({ topic, partition: 0, value: String(i) }, (error, offset) => {
      outcomes[i] = { error, offset };
    });
  }
  return outcomes;
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));

/** Meddles with the first requests of an API, one after the other. */
function meddleWith(world: ClientWorld, apiKey: number, script: Meddling[]): void {
  world.broker.meddle = (request) => (request.apiKey === apiKey ? (script.shift() ?? null) : null);
}

test('records go out in batches, in order, and each is told its offset', () => {
  const world = clientWorld();
  const producer = newProducer(world, { batchBytes: 300 });
  const outcomes = produceNumbers(producer, 100);
  world.clock.runUntilTrue(() => producer.outstandingCount === 0);
  assert.deepEqual(valuesIn(world), numbers(100));
  assert.deepEqual(
    outcomes.map(({ offset }) => offset),
    numbers(100).map(Number),
  );
  assert.ok(world.broker.batches('t', 0).length < 20);
  assert.equal(producer.roomBytes, 64 * 1024 * 1024);
});

test('keys decide the partition, headers and timestamps arrive', () => {
  const world = clientWorld();
  world.broker.createTopic('t', 10);
  const producer = newProducer(world);
  const headers = [{ key: 'h', value: Buffer.from('x') }];
  producer.produce({ topic: 't', key: 'abc', value: null, headers, timestampMs: 42 }, () => undefined);
  producer.produce({ topic: 't', key: 'a', value: 'one' }, () => undefined);
  world.clock.runUntilTrue(() => producer.outstandingCount === 0);
  const [record] = readRecords(world.broker.batches('t', 7)[0] as Buffer, 0);
  assert.deepEqual(
    { key: String(record?.key), value: record?.value, timestampMs: record?.timestampMs },
    { key: 'abc', value: null, timestampMs: 42 },
  );
  assert.deepEqual(record?.headers, headers);
  assert.deepEqual(valuesIn(world, 't', 4), ['one']);
});

test('an idempotent producer survives any loss of requests and answers without loss, duplicate or disorder', () => {
  const meddling = fc.constantFrom<Meddling>(
    null,
    null,
    'lose-request',
    'lose-answer',
    { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER },
    { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS },
  );
  const shape = fc.record({
    script: fc.array(meddling, { maxLength: 20 }),
    maxInFlight: fc.integer({ min: 1, max: 5 }),
    batchBytes: fc.integer({ min: 30, max: 200 }),
  });
  fc.assert(
    fc.property(shape, ({ script, maxInFlight, batchBytes }) => {
      const world = clientWorld();
      const producer = newProducer(world, { maxInFlight, batchBytes, lingerMs: 1 });
      meddleWith(world, 0, [...script]);
      const outcomes = produceNumbers(producer, 60);
      assert.ok(world.clock.runUntilTrue(() => producer.outstandingCount === 0, 100_000));
      assert.deepEqual(valuesIn(world), numbers(60));
      for (const [i, { error, offset }] of outcomes.entries()) {
        assert.equal(error, null);
        assert.equal(offset, i);
      }
      producer.close();
    }),
    {
      numRuns: 150,
      examples: [
        // Sent again, the first batch is refused for the moment twice while later ones are written: more than five, and it would be forgotten.
        [
          {
            script: [
              'lose-answer',
              { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS },
              null,
              null,
              null,
              null,
              { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER },
            ],
            maxInFlight: 5,
            batchBytes: 30,
          },
        ],
      ],
    },
  );
});

test('a batch that is refused for good fails alone; those behind it are written without a gap in sequence', () => {
  const world = clientWorld();
  const producer = newProducer(world, { batchBytes: 100 });
  meddleWith(world, 0, [null, { errorCode: ErrorCode.MESSAGE_TOO_LARGE }]);
  const outcomes = produceNumbers(producer, 60);
  world.clock.runUntilTrue(() => producer.outstandingCount === 0);
  const failed = outcomes.flatMap(({ error }, i) => (error === null ? [] : [String(i)]));
  assert.ok(failed.length > 0 && failed.length < 10);
  assert.equal(outcomes.find(({ error }) => error !== null)?.error?.errorCode, ErrorCode.MESSAGE_TOO_LARGE);
  assert.deepEqual(
    valuesIn(world),
    numbers(60).filter((number) => !failed.includes(number)),
  );
  assert.equal(producer.producerId, 100, 'the producer id is kept');
});

test('records that were not acknowledged in time fail, and a new producer id is taken before more is sent', () => {
  const world = clientWorld();
  const producer = newProducer(world, { deliveryTimeoutMs: 2_000, requestTimeoutMs: 500 });
  world.broker.meddle = ({ apiKey }) => (apiKey === 0 ? 'lose-answer' : null);
  const outcomes = produceNumbers(producer, 5);
  world.clock.runUntilTrue(() => producer.outstandingCount === 0);
  assert.deepEqual(
    outcomes.map(({ error }) => error?.reason),
    Array(5).fill('DELIVERY_TIMEOUT'),
  );
  world.broker.meddle = () => null;
  const later = produceNumbers(producer, 3);
  world.clock.runUntilTrue(() => producer.outstandingCount === 0);
  assert.deepEqual(
    later.map(({ error }) => error),
    [null, null, null],
  );
  assert.equal(producer.producerId, 101);
  // The first ones were in the log all the time, once: that is what "may or may not" means.
  assert.deepEqual(valuesIn(world), [...numbers(5), ...numbers(3)]);
});

test('a broker that lost the producer fails the batch and gives a new id for the rest', () => {
  const world = clientWorld();
  const producer = newProducer(world, { batchBytes: 100 });
  meddleWith(world, 0, [{ errorCode: ErrorCode.UNKNOWN_PRODUCER_ID }]);
  const outcomes = produceNumbers(producer, 30);
  world.clock.runUntilTrue(() => producer.outstandingCount === 0);
  const failed = outcomes.flatMap(({ error }, i) => (error === null ? [] : [i]));
  assert.deepEqual(
    failed,
    failed.map((_, i) => i),
    'the first batch failed',
  );
  assert.ok(failed.length > 0 && failed.length < 10);
  assert.deepEqual(valuesIn(world), numbers(30).slice(failed.length));
  assert.equal(producer.producerId, 101);
});

test('a broker that is away and comes back is found again', () => {
  const world = clientWorld();
  world.network.setHost(MODEL_PORT, null);
  const producer = newProducer(world);
  const outcomes = produceNumbers(producer, 10);
  world.clock.runFor(5_000);
  assert.equal(producer.outstandingCount, 10);
  world.network.setHost(MODEL_PORT, world.broker.host);
  world.clock.runUntilTrue(() => producer.outstandingCount === 0);
  assert.deepEqual(valuesIn(world), numbers(10));
  assert.ok(outcomes.every(({ error }) => error === null));
});

test('with acks 0 nothing is awaited and no producer id is asked for', () => {
  const world = clientWorld();
  const producer = newProducer(world, { acks: 0 });
  const outcomes = produceNumbers(producer, 10);
  world.clock.runUntilIdle();
  assert.deepEqual(
    outcomes.map(({ offset, error }) => [offset, error]),
    Array(10).fill([-1, null]),
  );
  assert.deepEqual(valuesIn(world), numbers(10));
  assert.ok(!world.broker.seen.some(({ apiKey }) => apiKey === 22));
});

test('without idempotence one request is in flight at a time, so that order holds when it is sent again', () => {
  const world = clientWorld();
  const producer = newProducer(world, { acks: 1, batchBytes: 100 });
  meddleWith(world, 0, [null, { errorCode: ErrorCode.LEADER_NOT_AVAILABLE }, 'lose-request']);
  produceNumbers(producer, 40);
  world.clock.runUntilTrue(() => producer.outstandingCount === 0);
  assert.deepEqual(valuesIn(world), numbers(40));
});

test('topics that cannot be, partitions that are not there and full buffers fail the record', () => {
  const world = clientWorld();
  world.broker.createTopic('t', 2);
  const producer = newProducer(world, {
    createTopics: false,
    maxBufferedBytes: 200,
    deliveryTimeoutMs: 1_000,
  });
  const reasons: string[] = [];
  const note = (error: ClientError | null) => reasons.push(error?.reason ?? 'none');
  producer.produce({ topic: 't', partition: 0, value: 'fits' }, note);
  producer.produce({ topic: 't', partition: 0, value: Buffer.alloc(200) }, note);
  assert.deepEqual(reasons, [], 'not before the call returns');
  world.clock.runUntilTrue(() => producer.outstandingCount === 0);
  assert.deepEqual(reasons, ['BUFFER_FULL', 'none']);
  producer.produce({ topic: 't', partition: 2, value: 'x' }, note);
  world.clock.runUntilTrue(() => producer.outstandingCount === 0);
  producer.produce({ topic: 'absent', value: 'x' }, note);
  world.clock.runUntilTrue(() => producer.outstandingCount === 0);
  assert.deepEqual(reasons.slice(2), ['BROKER_ANSWER', 'DELIVERY_TIMEOUT']);
});

test('flush hurries what lingers, and closing fails what is outstanding', async () => {
  const world = clientWorld();
  const producer = newProducer(world, { lingerMs: 60_000 });
  const outcomes = produceNumbers(producer, 3);
  await world.clock.drive(producer.flushed());
  assert.ok(world.clock.monotonicMs() < 1_000);
  assert.ok(outcomes.every(({ error }) => error === null));

  const sent = producer.send({ topic: 't', value: 'x' });
  world.clock.runFor(10);
  producer.close();
  await assert.rejects(sent, { reason: 'CLOSED' });
  await assert.rejects(world.clock.drive(producer.send({ topic: 't', value: 'y' })), { reason: 'CLOSED' });
  world.clock.runUntilIdle();
});

test('a user who closes the producer from inside an acknowledgement is not called twice', () => {
  const world = clientWorld();
  world.broker.createTopic('t', 3);
  const producer = newProducer(world);
  let calls = 0;
  for (let i = 0; i < 30; i++) {
    producer.produce({ topic: 't', partition: i % 3, value: String(i) }, () => {
      calls++;
      producer.close();
    });
  }
  world.clock.runUntilIdle();
  assert.equal(calls, 30);
});

test('batches of several partitions travel in one request', () => {
  const world = clientWorld();
  world.broker.createTopic('t', 3);
  const producer = newProducer(world);
  for (let i = 0; i < 30; i++)
    producer.produce({ topic: 't', partition: i % 3, value: String(i) }, () => undefined);
  world.clock.runUntilTrue(() => producer.outstandingCount === 0);
  const requests = world.broker.seen.filter(({ apiKey }) => apiKey === 0);
  assert.equal(requests.length, 1);
  const request = requests[0]?.body as ProduceRequest;
  assert.equal(request.topicData[0]?.partitionData.length, 3);
  const init = world.broker.seen.find(({ apiKey }) => apiKey === 22)?.body as InitProducerIdRequest;
  assert.equal(init.transactionalId, null);
});
