import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ErrorCode } from '../../base/errors.ts';
import type { AppendOutcome } from '../../log/append-request.ts';
import type { ProduceRequest } from '../../protocol/messages/produce.ts';
import type { AcknowledgementWaiter } from '../../replication/acknowledgement.ts';
import type { LeaderAppend } from '../../replication/partition.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import { produceApi } from './produce.ts';

const APPENDED: AppendOutcome = {
  errorCode: ErrorCode.NONE,
  errorMessage: null,
  recordErrors: [],
  baseOffset: 0,
  endOffset: 1,
  logAppendTimeMs: -1,
  logStartOffset: 0,
  duplicate: false,
};

/** A Produce with acks=all to one partition whose disk and high watermark the test moves. */
function waiting() {
  const state = {
    appended: null as ((outcome: AppendOutcome) => void) | null,
    waiters: new Set<AcknowledgementWaiter>(),
    timers: new Set<object>(),
    frameReleased: false,
    cancelled: false,
    onCancelled: null as (() => void) | null,
  };
  const partition = {
    topic: 't',
    leaderEpoch: 0,
    append(_append: LeaderAppend, done: (outcome: AppendOutcome) => void) {
      state.appended = done;
      return ErrorCode.NONE;
    },
    awaitAcknowledgement(waiter: AcknowledgementWaiter) {
      waiter.queued = true;
      state.waiters.add(waiter);
      return null;
    },
    giveUp: (waiter: AcknowledgementWaiter) => state.waiters.delete(waiter),
  };
  const services = {
    clock: { wallMs: () => 0, monotonicMs: () => 0 },
    wheel: {
      schedule: (timer: object) => state.timers.add(timer),
      cancel: (timer: object) => state.timers.delete(timer),
    },
    counters: { recordsAppended: 0, recordBytesAppended: 0, acknowledgementsDelayed: 0 },
    authorizer: { authorize: () => true },
    partitions: { find: () => partition },
  } as unknown as Services;
  const context = Object.assign(state, {
    apiVersion: 9,
    clientId: '',
    guard: (work: () => void) => work(),
    releaseFrame() {
      state.frameReleased = true;
    },
  }) as unknown as RequestContext;
  let records: Buffer | null = Buffer.alloc(1000);
  const held = new WeakRef(records);
  produceApi(services).handle(context, requestOf(records) as never);
  records = null;
  return { state, held };
}

function requestOf(records: Buffer): ProduceRequest {
  return {
    transactionalId: null,
    acks: -1,
    timeoutMs: 0x7fffffff,
    topicData: [{ name: 't', topicId: '', partitionData: [{ index: 0, records }] }],
  } as unknown as ProduceRequest;
}

test('what waits for an acknowledgement does not keep the records it was sent', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const { state, held } = waiting();
  state.appended?.(APPENDED);
  state.appended = null;
  await turn();
  collectGarbage();
  assert.equal(state.waiters.size, 1, 'still waiting');
  assert.equal(state.frameReleased, true);
  assert.equal(held.deref(), undefined, 'the frame is gone');
});

test('nobody waits for an acknowledgement whose connection ended while the disk was at work', () => {
  const { state } = waiting();
  state.cancelled = true;
  state.onCancelled?.();
  state.appended?.(APPENDED);
  assert.equal(state.frameReleased, true);
  assert.equal(state.waiters.size, 0);
  assert.equal(state.timers.size, 0);
});
