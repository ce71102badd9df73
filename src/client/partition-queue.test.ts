import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartitionQueue, type ProducerBatch } from './partition-queue.ts';

const LIMITS = { batchBytes: 100, lingerMs: 10, maxInFlight: 3 };
const RECORD = { key: null, value: Buffer.from('v'), timestampMs: 0 };

type Batch = ProducerBatch<Error>;

function newQueue(limits = LIMITS): PartitionQueue<Error> {
  return new PartitionQueue<Error>('t', 0, limits);
}

/** Adds `count` records that fill one batch. */
function fill(queue: PartitionQueue<Error>, count: number, nowMs = 0): void {
  for (let i = 0; i < count; i++) queue.append(RECORD, LIMITS.batchBytes / count, nowMs, () => undefined);
}

/** Sends the head as a sender does. */
function send(queue: PartitionQueue<Error>, nowMs = 100): Batch {
  const batch = queue.sendable(nowMs, false);
  assert.ok(batch !== null);
  queue.prepareHead(batch, true);
  batch.bytes ??= Buffer.alloc(1);
  assert.equal(queue.takeHead(), batch);
  return batch;
}

test('a batch is closed when the next record does not fit, and an open one lingers', () => {
  const queue = newQueue();
  assert.equal(
    queue.append(RECORD, 60, 0, () => undefined),
    false,
  );
  assert.equal(queue.sendable(9, false), null);
  assert.ok(queue.sendable(9, true) !== null, 'flushing does not linger');
  assert.ok(queue.sendable(10, false) !== null);
  assert.equal(
    queue.append(RECORD, 60, 5, () => undefined),
    true,
  );
  assert.ok(queue.sendable(5, false) !== null, 'a closed batch does not linger');
  assert.equal(queue.size, 2);
});

test('batches take consecutive sequences when they are first sent, and as many are in flight as allowed', () => {
  const queue = newQueue();
  for (let i = 0; i < 4; i++) fill(queue, 5);
  const batches = [send(queue), send(queue), send(queue)];
  assert.deepEqual(
    batches.map(({ baseSequence }) => baseSequence),
    [0, 5, 10],
  );
  assert.equal(queue.sendable(100, false), null);
  queue.complete(batches[0] as Batch);
  assert.equal(send(queue).baseSequence, 15);
});

test('what is sent again keeps its sequence and its place, and nothing overtakes it', () => {
  const queue = newQueue();
  for (let i = 0; i < 4; i++) fill(queue, 2);
  const [a, b, c] = [send(queue), send(queue), send(queue)];
  queue.giveBack(a, 0, true);
  assert.equal(queue.sendable(100, false), null, 'b and c are still in flight');
  assert.ok(queue.hasGapBefore(b));
  queue.giveBack(c, 0, false);
  queue.giveBack(b, 0, false);
  const first = send(queue);
  assert.equal(queue.sendable(100, false), null, 'what the broker may hold already travels alone');
  queue.complete(first);
  const again = [first, send(queue), send(queue)];
  assert.deepEqual(again, [a, b, c]);
  assert.deepEqual(
    again.map(({ baseSequence, attempts }) => [baseSequence, attempts]),
    [
      [0, 2],
      [2, 2],
      [4, 2],
    ],
  );
  assert.ok(!queue.hasGapBefore(a));
});

test('a batch that is sent again waits for its pause', () => {
  const queue = newQueue();
  fill(queue, 2);
  queue.giveBack(send(queue), 500, false);
  assert.equal(queue.sendable(499, false), null);
  assert.ok(queue.sendable(500, false) !== null);
});

test('batches behind one that was refused for good move down into its sequences and are built anew', () => {
  const queue = newQueue();
  for (let i = 0; i < 4; i++) fill(queue, 5);
  const [a, b, c] = [send(queue), send(queue), send(queue)];
  queue.complete(a);
  queue.drop(b);
  assert.equal(queue.sendable(100, false), null, 'c has to come back first');
  queue.giveBack(c, 0, false);
  assert.equal(c.baseSequence, 5);
  assert.equal(c.bytes, null);
  assert.equal(send(queue).baseSequence, 5);
  assert.equal(send(queue).baseSequence, 10);
});

test('a refused batch that was never sent frees its sequence too', () => {
  const queue = newQueue();
  fill(queue, 5);
  fill(queue, 5);
  const head = queue.sendable(0, false) as Batch;
  queue.prepareHead(head, true);
  queue.drop(head);
  assert.equal(send(queue).baseSequence, 0);
});

test('a batch that the broker may hold keeps its sequence when it is dropped, until a new producer id begins at 0', () => {
  const queue = newQueue();
  fill(queue, 5);
  fill(queue, 5);
  const a = send(queue);
  queue.giveBack(a, 0, true);
  assert.deepEqual(queue.uncertain(), [a]);
  queue.drop(a);
  const b = send(queue);
  assert.equal(b.baseSequence, 5);
  queue.giveBack(b, 0, false);
  queue.restartSequences();
  assert.equal(send(queue).baseSequence, 0);
});
