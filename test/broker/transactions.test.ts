// Transactions as readers see them. There is no coordinator yet: the batches of transactions and their markers go into the log through the partition, as one would send them.
import assert from 'node:assert/strict';
import { ErrorCode, errorName } from '../../src/base/errors.ts';
import type { AppendOutcome } from '../../src/log/append-request.ts';
import { buildControlBatch } from '../../src/records/control-records.ts';
import { BatchView } from '../../src/records/batch.ts';
import { DescribeProducers, Fetch, ListOffsets } from './apis.ts';
import { batchOf, Bench, compute, recordsIn, valuesOf } from './records.ts';
import { testInWorlds } from './worlds.ts';

const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
const LATEST = -1n;

/** A bench whose producers have transactions in partition 0 of `t`. */
class TransactionBench {
  readonly bench: Bench;
  readonly #sequences = new Map<number, number>();

  constructor(bench: Bench) {
    this.bench = bench;
  }

  write(producerId: number, ...values: string[]): Promise<AppendOutcome> {
    const baseSequence = this.#sequences.get(producerId) ?? 0;
    this.#sequences.set(producerId, baseSequence + values.length);
    const more = { producerId, producerEpoch: 0, baseSequence, transactional: true };
    return this.#append(batchOf(values, more, this.bench.world.wallMs()));
  }

  /** Outside of any transaction. */
  async plain(value: string): Promise<void> {
    const { bench } = this;
    const { errorCode } = await bench.produce('t', batchOf([value], {}, bench.world.wallMs()));
    assert.equal(errorCode, ErrorCode.NONE);
  }

  end(producerId: number, type: 'COMMIT' | 'ABORT'): Promise<AppendOutcome> {
    const records = [{ type, coordinatorEpoch: 3 }];
    const marker = { records, timestampMs: this.bench.world.wallMs(), producerId, producerEpoch: 0 };
    return this.#append(buildControlBatch(marker, compute));
  }

  async #append(buffer: Buffer): Promise<AppendOutcome> {
    const { bench } = this;
    const partition = bench.broker.partition('t', 0);
    assert.ok(partition !== null);
    const append = {
      buffer,
      start: 0,
      end: buffer.length,
      origin: 'coordinator',
      produceVersion: 0,
      nowMs: bench.world.wallMs(),
      acks: 1,
    } as const;
    const outcome = await bench.world.wait(
      new Promise<AppendOutcome>((resolve) => {
        assert.equal(partition.append(append, resolve), ErrorCode.NONE);
      }),
    );
    assert.equal(errorName(outcome.errorCode), 'NONE');
    return outcome;
  }

  /** What a reader of this isolation is told at an offset. */
  async fetch(offset: number, isolationLevel: number) {
    const answer = await this.bench.fetch('t', offset, { isolationLevel });
    const { errorCode, highWatermark, lastStableOffset, abortedTransactions, records } = answer;
    assert.equal(errorCode, ErrorCode.NONE);
    return { highWatermark, lastStableOffset, abortedTransactions, values: dataIn(records, offset) };
  }

  async latest(isolationLevel: number): Promise<number> {
    const partitions = [{ partitionIndex: 0, timestamp: LATEST, currentLeaderEpoch: -1 }];
    const topics = [{ name: 't', partitions }];
    const request = { replicaId: -1, isolationLevel, topics };
    const answer = await this.bench.world.wait(this.bench.client.call(ListOffsets, 7, request));
    return answer.topics[0]?.partitions[0]?.offset ?? -2;
  }

  async producers(topic = 't', partition = 0) {
    const request = { topics: [{ name: topic, partitionIndexes: [partition] }] };
    const answer = await this.bench.world.wait(this.bench.client.call(DescribeProducers, 0, request));
    const described = answer.topics[0]?.partitions[0];
    assert.ok(described !== undefined);
    return described;
  }
}

/** Values of the records of fetched bytes that are not control records. */
function dataIn(bytes: Buffer | null, offset: number): string[] {
  const values: string[] = [];
  const view = new BatchView();
  for (let at = 0; bytes !== null && at < bytes.length; at += view.sizeBytes) {
    view.at(bytes, at);
    if (!view.isControl) values.push(...valuesOf(recordsIn(bytes.subarray(at, at + view.sizeBytes), offset)));
  }
  return values;
}

async function open(world: Parameters<typeof Bench.open>[0]): Promise<TransactionBench> {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  return new TransactionBench(bench);
}

testInWorlds(
  'READ_COMMITTED stops before the first open transaction and is told what was aborted',
  async (world) => {
    const transactions = await open(world);
    await transactions.plain('0');
    await transactions.write(1, '1');
    await transactions.write(2, '2');
    await transactions.plain('3');
    assert.deepEqual(await transactions.fetch(0, READ_UNCOMMITTED), {
      highWatermark: 4,
      lastStableOffset: 1,
      abortedTransactions: null,
      values: ['0', '1', '2', '3'],
    });
    const stable = { highWatermark: 4, lastStableOffset: 1, abortedTransactions: [] };
    assert.deepEqual(await transactions.fetch(0, READ_COMMITTED), { ...stable, values: ['0'] });
    assert.deepEqual(await transactions.fetch(1, READ_COMMITTED), { ...stable, values: [] });
    assert.deepEqual(
      [await transactions.latest(READ_UNCOMMITTED), await transactions.latest(READ_COMMITTED)],
      [4, 1],
    );

    await transactions.end(1, 'ABORT');
    assert.equal(await transactions.latest(READ_COMMITTED), 2);
    await transactions.end(2, 'COMMIT');
    assert.deepEqual(await transactions.fetch(0, READ_COMMITTED), {
      highWatermark: 6,
      lastStableOffset: 6,
      abortedTransactions: [{ producerId: 1, firstOffset: 1 }],
      values: ['0', '1', '2', '3'],
    });
    assert.deepEqual((await transactions.fetch(5, READ_COMMITTED)).abortedTransactions, []);
    assert.deepEqual((await transactions.fetch(0, READ_UNCOMMITTED)).abortedTransactions, null);
  },
);

testInWorlds(
  'a long poll of READ_COMMITTED is answered by the marker, not by records of the transaction',
  async (world) => {
    const transactions = await open(world);
    const { bench } = transactions;
    await transactions.write(1, 'a');
    const reader = await world.connect(bench.broker);
    const options = { maxWaitMs: 20_000, isolationLevel: READ_COMMITTED };
    const fetched = bench.fetchLater('t', 0, options, reader);
    await transactions.write(1, 'b');
    await transactions.plain('c');
    await world.pass(50);
    assert.equal(reader.answered.length, 0);
    await transactions.end(1, 'ABORT');
    const answer = (await world.wait(fetched)).responses[0]?.partitions[0];
    assert.equal(answer?.lastStableOffset, 4);
    assert.deepEqual(answer?.abortedTransactions, [{ producerId: 1, firstOffset: 0 }]);
    assert.deepEqual(dataIn(answer?.records ?? null, 0), ['a', 'b', 'c']);
  },
);

testInWorlds('a session of READ_COMMITTED gets the aborted transactions of each answer', async (world) => {
  const transactions = await open(world);
  const { bench } = transactions;
  const session = async (sessionId: number, sessionEpoch: number, fetchOffset: number) => {
    const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }];
    const topics = [{ topic: 't', partitions }];
    const bounds = { maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, isolationLevel: READ_COMMITTED };
    return world.wait(bench.client.call(Fetch, 12, { ...bounds, sessionId, sessionEpoch, topics }));
  };
  const { sessionId } = await session(0, 0, 0);
  await transactions.write(1, 'a');
  await transactions.end(1, 'ABORT');
  const first = (await session(sessionId, 1, 0)).responses[0]?.partitions[0];
  assert.deepEqual(first?.abortedTransactions, [{ producerId: 1, firstOffset: 0 }]);
  await transactions.write(1, 'b');
  await transactions.end(1, 'COMMIT');
  const second = (await session(sessionId, 2, 2)).responses[0]?.partitions[0];
  assert.deepEqual(second?.abortedTransactions, []);
  assert.deepEqual(dataIn(second?.records ?? null, 2), ['b']);
});

testInWorlds('open and aborted transactions outlive a stop and a kill', async (world) => {
  const transactions = await open(world);
  const { bench } = transactions;
  await transactions.write(1, 'aborted');
  await transactions.write(2, 'open');
  await transactions.end(1, 'ABORT');
  await transactions.plain('plain');
  const expectSame = async (): Promise<void> => {
    assert.deepEqual(await transactions.fetch(0, READ_COMMITTED), {
      highWatermark: 4,
      lastStableOffset: 1,
      abortedTransactions: [{ producerId: 1, firstOffset: 0 }],
      values: ['aborted'],
    });
    const { activeProducers } = await transactions.producers();
    const short = activeProducers.map((one) => [
      one.producerId,
      one.coordinatorEpoch,
      one.currentTxnStartOffset,
    ]);
    assert.deepEqual(short, [
      [1, 3, -1],
      [2, -1, 1],
    ]);
  };
  await expectSame();
  await bench.restart();
  await expectSame();
  if (world.kill !== undefined) {
    world.kill();
    await bench.startAgain();
    await expectSame();
  }
  await transactions.end(2, 'COMMIT');
  assert.equal(await transactions.latest(READ_COMMITTED), 5);
});

testInWorlds('DescribeProducers says what a log knows of its producers', async (world) => {
  const transactions = await open(world);
  const startMs = world.wallMs();
  assert.deepEqual((await transactions.producers()).activeProducers, []);
  await transactions.write(9, 'a', 'b', 'c');
  const { errorCode, activeProducers } = await transactions.producers();
  assert.equal(errorCode, ErrorCode.NONE);
  const timestamps = activeProducers.map(({ lastTimestamp }) => Number(lastTimestamp));
  assert.ok(timestamps.every((one) => one >= startMs && one <= world.wallMs()));
  const [producer] = activeProducers;
  assert.deepEqual(activeProducers, [
    {
      producerId: 9,
      producerEpoch: 0,
      lastSequence: 2,
      lastTimestamp: producer?.lastTimestamp,
      coordinatorEpoch: -1,
      currentTxnStartOffset: 0,
    },
  ]);
  const errorOf = async (topic: string, partition = 0) =>
    errorName((await transactions.producers(topic, partition)).errorCode);
  assert.equal(await errorOf('t', 1), 'UNKNOWN_TOPIC_OR_PARTITION');
  assert.equal(await errorOf('elsewhere'), 'UNKNOWN_TOPIC_OR_PARTITION');
  assert.equal(await errorOf('no/topic'), 'INVALID_TOPIC_EXCEPTION');
});
