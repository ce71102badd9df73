import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorName } from '../base/errors.ts';
import { BatchView } from '../records/batch.ts';
import { type BatchInput, buildBatch } from '../records/builder.ts';
import { buildControlBatch } from '../records/control-records.ts';
import { HeldCompute } from '../records/held-compute.test.ts';
import { markerOf } from '../records/transaction-marker.ts';
import { addToSequence } from '../records/batch.ts';
import { decodeProducerSnapshot, encodeInSteps, encodeProducerSnapshot } from './producer-snapshot.ts';
import { ProducerState } from './producer-state.ts';
import { finishSteps } from './steps.ts';

const compute = new HeldCompute();
const NOW = 1_000_000;

function batch(baseSequence: number, count = 1, rest: Partial<BatchInput> = {}): BatchView {
  const records = Array.from({ length: count }, () => ({
    key: null,
    value: Buffer.from('v'),
    timestampMs: NOW,
  }));
  const bytes = buildBatch({ records, producerId: 9, producerEpoch: 0, baseSequence, ...rest }, compute);
  return new BatchView().at(bytes, 0);
}

function marker(
  type: 'COMMIT' | 'ABORT',
  epoch: number,
  baseOffset: number,
  coordinatorEpoch = 3,
): BatchView {
  const bytes = buildControlBatch(
    {
      records: [{ type, coordinatorEpoch }],
      timestampMs: NOW,
      producerId: 9,
      producerEpoch: epoch,
      baseOffset,
    },
    compute,
  );
  return new BatchView().at(bytes, 0);
}

function verdict(state: ProducerState<string>, view: BatchView, checkSequence = true): string {
  const result = state.check(view, checkSequence);
  if (result.kind === 'refused') return errorName(result.errorCode);
  if (result.kind === 'pending') return `like ${result.ticket}`;
  return result.kind === 'duplicate'
    ? `duplicate of ${result.batch.lastOffset - result.batch.offsetDelta}`
    : 'accepted';
}

function published(...views: BatchView[]): ProducerState<string> {
  const state = new ProducerState<string>(86_400_000);
  for (const view of views) state.apply(view, markerOf(view));
  return state;
}

test('a producer that is not known may begin with any sequence', () => {
  assert.equal(verdict(published(), batch(17)), 'accepted');
});

test('sequences follow on, also past their end', () => {
  const state = published(batch(0, 3));
  assert.equal(verdict(state, batch(3)), 'accepted');
  assert.equal(verdict(state, batch(4)), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  assert.equal(verdict(state, batch(2)), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  const atEnd = published(batch(2147483645, 3));
  assert.equal(verdict(atEnd, batch(0)), 'accepted');
  const across = published(batch(2147483646, 4));
  assert.equal(verdict(across, batch(2)), 'accepted');
  assert.equal(verdict(across, batch(2147483646, 4)), 'duplicate of 0');
  assert.equal(addToSequence(2147483647, 1), 0);
});

test('the last five batches are known again, older ones are out of order', () => {
  const views = Array.from({ length: 7 }, (_, i) => batch(2 * i, 2, { baseOffset: 10 * i }));
  const state = published(...views);
  for (let i = 2; i < 7; i++) assert.equal(verdict(state, batch(2 * i, 2)), `duplicate of ${10 * i}`);
  assert.equal(verdict(state, batch(2, 2)), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  // Only just the same batch is a duplicate.
  assert.equal(verdict(state, batch(12, 1)), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
});

test('an older epoch is refused, a newer one begins at 0 and forgets the old batches', () => {
  const state = published(batch(0, 1, { producerEpoch: 4 }));
  assert.equal(verdict(state, batch(1, 1, { producerEpoch: 3 })), 'INVALID_PRODUCER_EPOCH');
  assert.equal(verdict(state, batch(1, 1, { producerEpoch: 5 })), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  assert.equal(verdict(state, batch(0, 1, { producerEpoch: 5 })), 'accepted');
  state.apply(batch(0, 1, { producerEpoch: 5, baseOffset: 1 }), null);
  assert.equal(verdict(state, batch(0, 1, { producerEpoch: 4 })), 'INVALID_PRODUCER_EPOCH');
});

test('a reserved batch counts like a published one, until its write fails', () => {
  const state = published(batch(0));
  const second = batch(1, 2, { baseOffset: 1 });
  state.reserve(second, null, 'second');
  assert.equal(verdict(state, batch(1, 2)), 'like second');
  assert.equal(verdict(state, batch(3)), 'accepted');
  assert.equal(verdict(state, batch(1, 1)), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  assert.equal(verdict(state, batch(0)), 'duplicate of 0');
  state.dropPending();
  assert.equal(verdict(state, batch(1, 2)), 'accepted');
  assert.equal(verdict(state, batch(3)), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  state.reserve(second, null, 'second');
  state.publish(second, null);
  assert.equal(verdict(state, batch(1, 2)), 'duplicate of 1');
  assert.ok(state.isSettled);
});

test('what a new producer sent behind a batch that was not written is refused until that one comes again', () => {
  const state = published();
  state.reserve(batch(0, 2), null, 'first');
  state.reserve(batch(2, 2), null, 'second');
  state.dropPending();
  assert.equal(verdict(state, batch(4)), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  assert.equal(verdict(state, batch(2, 2)), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  assert.equal(verdict(state, batch(0, 2)), 'accepted');
  assert.equal(verdict(state, batch(7, 1, { producerEpoch: 1 })), 'accepted');
  state.reserve(batch(0, 2), null, 'first');
  assert.equal(verdict(state, batch(2, 2)), 'accepted');
});

test('a reserved batch of a newer epoch fences the older one', () => {
  const state = published(batch(0));
  state.reserve(batch(0, 1, { producerEpoch: 1, baseOffset: 1 }), null, 'newer');
  assert.equal(verdict(state, batch(0)), 'INVALID_PRODUCER_EPOCH');
  assert.equal(verdict(state, batch(0, 1, { producerEpoch: 1 })), 'like newer');
});

test('a batch outside the open transaction of its producer is refused', () => {
  const state = published(batch(0, 1, { transactional: true }));
  assert.equal(verdict(state, batch(1)), 'INVALID_TXN_STATE');
  assert.equal(verdict(state, batch(1, 1, { transactional: true })), 'accepted');
  state.apply(marker('COMMIT', 0, 1), markerOf(marker('COMMIT', 0, 1)));
  assert.equal(verdict(state, batch(1)), 'accepted');
});

test('a marker ends the transaction, keeps the sequence in its epoch and starts anew in the next', () => {
  const first = batch(0, 1, { transactional: true, baseOffset: 5 });
  const kept = published(first, marker('ABORT', 0, 6));
  assert.equal(verdict(kept, batch(1)), 'accepted');
  assert.equal(verdict(kept, batch(0)), 'duplicate of 5');
  const bumped = published(first, marker('ABORT', 1, 6));
  assert.equal(verdict(bumped, batch(1)), 'INVALID_PRODUCER_EPOCH');
  assert.equal(verdict(bumped, batch(0, 1, { producerEpoch: 1 })), 'accepted');
  assert.equal(verdict(bumped, batch(3, 1, { producerEpoch: 1 })), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
});

test('coordinators and replicas are not held to sequences, coordinators to epochs', () => {
  const state = published(batch(0, 1, { producerEpoch: 2 }));
  assert.equal(verdict(state, batch(40, 1, { producerEpoch: 2 }), false), 'accepted');
  assert.equal(verdict(state, batch(1, 1, { producerEpoch: 1 }), false), 'INVALID_PRODUCER_EPOCH');
});

test('a producer that was silent for long is forgotten, unless its transaction is open', () => {
  const state = new ProducerState<string>(1000);
  state.apply(batch(5), null);
  state.apply(batch(5, 1, { producerId: 10, transactional: true }), null);
  finishSteps(state.expire(NOW + 999));
  assert.equal(state.size, 2);
  finishSteps(state.expire(NOW + 1000));
  assert.equal(state.size, 1);
  assert.equal(verdict(state, batch(9)), 'accepted');
});

test('a snapshot keeps the last batch, the epoch and the open transaction of each producer', () => {
  const state = published(
    batch(0, 2, { transactional: true, baseOffset: 100 }),
    batch(2, 3, { transactional: true, baseOffset: 102 }),
    batch(7, 1, { producerId: 10, baseOffset: 105 }),
  );
  const loaded = new ProducerState<string>(86_400_000);
  loaded.load(decodeProducerSnapshot(encodeProducerSnapshot(state.entries(), compute), compute), NOW);
  assert.equal(verdict(loaded, batch(2, 3)), 'duplicate of 102');
  assert.equal(verdict(loaded, batch(5)), 'INVALID_TXN_STATE');
  assert.equal(verdict(loaded, batch(5, 1, { transactional: true })), 'accepted');
  assert.equal(verdict(loaded, batch(0, 2)), 'OUT_OF_ORDER_SEQUENCE_NUMBER');
  assert.equal(verdict(loaded, batch(8, 1, { producerId: 10 })), 'accepted');
  loaded.load(
    decodeProducerSnapshot(encodeProducerSnapshot(state.entries(), compute), compute),
    NOW + 10 ** 9,
  );
  assert.equal(loaded.size, 1);
});

test('a snapshot in steps is that of the moment it was begun, whatever comes meanwhile', () => {
  const state = published();
  for (let producerId = 0; producerId < 2000; producerId++) state.apply(batch(0, 2, { producerId }), null);
  const before = encodeProducerSnapshot(state.entries(), compute);
  const steps = encodeInSteps(state.freeze(), compute);
  let producerId = 1999;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) {
      assert.deepEqual(step.value, before);
      break;
    }
    // Known ones go on, one ends a transaction, new ones come.
    state.apply(batch(2, 1, { producerId, baseOffset: 5000 }), null);
    state.apply(batch(0, 1, { producerId: producerId + 5000, baseOffset: 5001 }), null);
    state.apply(marker('ABORT', 1, 5002), { type: 'ABORT', coordinatorEpoch: 3 });
    producerId -= 7;
  }
  state.thaw();
  assert.ok(!encodeProducerSnapshot(state.entries(), compute).equals(before));
  assert.equal(verdict(state, batch(3, 1, { producerId: 1999 })), 'accepted', 'what came meanwhile counts');
  state.checkInvariants(6000);
});

test('expiry in steps leaves alone who comes back between them', () => {
  const state = published();
  for (let producerId = 0; producerId < 2000; producerId++) state.apply(batch(0, 1, { producerId }), null);
  const late = NOW + 86_400_000;
  const steps = state.expire(late);
  assert.equal(steps.next().done, false);
  const records = [{ key: null, value: Buffer.from('v'), timestampMs: late }];
  state.apply(batch(1, 1, { producerId: 1999, records, baseOffset: 10 }), null);
  state.apply(batch(0, 1, { producerId: 0, records, baseOffset: 11 }), null);
  finishSteps(steps);
  assert.deepEqual(
    [...state.entries()].map(({ producerId }) => producerId).toSorted((a, b) => a - b),
    [0, 1999],
  );
});
