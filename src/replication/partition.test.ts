import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../base/errors.ts';
import type { AppendCallback, AppendRequest } from '../log/append-request.ts';
import type { EpochEnd } from '../log/log-read.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { AcknowledgementWaiter } from './acknowledgement.ts';
import { Partition, type PartitionRead } from './partition.ts';
import { ProgressLink } from './progress.ts';

/** A log in the hand of a test: appends wait until `publish`. */
class FakeLog {
  topic = 't';
  partition = 0;
  topicId = 'AAAAAAAAAAAAAAAAAAAAAg';
  logStartOffset = 0;
  logEndOffset = 0;
  acknowledgedEndOffset = 0;
  highWatermark = 0;
  offline = false;
  epochs: [number, number][] = [];
  epochEnd: EpochEnd | null = null;
  readonly appends: { request: AppendRequest; done: AppendCallback }[] = [];
  #appended: (() => void) | null = null;
  #flushed: (() => void) | null = null;

  append(request: AppendRequest, done: AppendCallback): void {
    this.appends.push({ request, done });
  }

  /** Lets the first append through with one record; `flushed` as well unless told otherwise. */
  publish(flushed = true): void {
    const append = this.appends.shift();
    const baseOffset = this.logEndOffset++;
    if (flushed) this.acknowledgedEndOffset = this.logEndOffset;
    this.#appended?.();
    append?.done({
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      recordErrors: [],
      baseOffset,
      endOffset: baseOffset + 1,
      logAppendTimeMs: -1,
      logStartOffset: 0,
      duplicate: false,
    });
  }

  flush(): void {
    this.acknowledgedEndOffset = this.logEndOffset;
    this.#flushed?.();
  }

  read() {
    return { errorCode: ErrorCode.NONE, range: null, lengthBytes: 0 };
  }

  endOffsetForEpoch(): EpochEnd | null {
    return this.epochEnd;
  }

  assignEpoch(epoch: number, offset: number): void {
    this.epochs.push([epoch, offset]);
  }

  onAppended(listener: (() => void) | null): void {
    this.#appended = listener;
  }

  onFlushed(listener: (() => void) | null): void {
    this.#flushed = listener;
  }
}

class Waiter extends AcknowledgementWaiter {
  result: number | null = null;
  override onAcknowledged(errorCode: number): void {
    this.result = errorCode;
  }
}

function lead(options: { isr?: number[]; replicas?: number[]; minInsyncReplicas?: number } = {}) {
  const log = new FakeLog();
  const partition = new Partition({
    topic: 't',
    partition: 0,
    topicId: log.topicId,
    localId: 1,
    minInsyncReplicas: options.minInsyncReplicas ?? 1,
  });
  partition.attach(log as unknown as PartitionLog);
  const isr = options.isr ?? [1];
  const assign = (fields: Record<string, unknown> = {}) =>
    partition.assign({
      leaderId: 1,
      leaderEpoch: 4,
      partitionEpoch: 0,
      replicas: options.replicas ?? isr,
      isr,
      ...fields,
    });
  assign();
  return { log, partition, assign };
}

const batch = Buffer.alloc(10);
const append = { buffer: batch, start: 0, end: 10, origin: 'client' as const, produceVersion: 9, nowMs: 0 };

function wait(partition: Partition, endOffset: number, leaderEpoch = 4): Waiter {
  const waiter = new Waiter();
  waiter.endOffset = endOffset;
  waiter.result = partition.awaitAcknowledgement(waiter, leaderEpoch);
  return waiter;
}

function newRead(): PartitionRead {
  return {
    errorCode: 0,
    highWatermark: 0,
    lastStableOffset: 0,
    logStartOffset: 0,
    range: null,
    lengthBytes: 0,
    cold: null,
    divergingEpoch: null,
  };
}

const readOptions = {
  maxBytes: 100,
  minOneBatch: true,
  isolation: 'high-watermark' as const,
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
};

test('a leader notes its epoch at the log end and stamps it on appends', () => {
  const { log, partition } = lead();
  assert.deepEqual(log.epochs, [[4, 0]]);
  assert.equal(
    partition.append({ ...append, acks: 1 }, () => {}),
    ErrorCode.NONE,
  );
  assert.equal(log.appends[0]?.request.leaderEpoch, 4);
  partition.checkInvariants();
});

test('a leader alone acknowledges at publish, or at flush where that is what counts', () => {
  const { log, partition } = lead();
  log.publish();
  assert.equal(wait(partition, 1).result, ErrorCode.NONE);
  log.publish(false);
  const waiter = wait(partition, 2);
  assert.equal(waiter.result, null);
  partition.checkInvariants();
  log.flush();
  assert.equal(waiter.result, ErrorCode.NONE);
  assert.equal(log.highWatermark, 2);
  partition.checkInvariants();
});

test('waiters are told in order of their offsets, retries of older batches included', () => {
  const { log, partition } = lead();
  log.publish(false);
  log.publish(false);
  const told: number[] = [];
  for (const end of [2, 1, 2]) {
    const waiter = new (class extends AcknowledgementWaiter {
      override onAcknowledged(): void {
        told.push(this.endOffset);
      }
    })();
    waiter.endOffset = end;
    assert.equal(partition.awaitAcknowledgement(waiter, 4), null);
  }
  partition.checkInvariants();
  log.flush();
  assert.deepEqual(told, [1, 2, 2]);
});

test('a waiter that gave up is not told', () => {
  const { log, partition } = lead();
  log.publish(false);
  const gone = wait(partition, 1);
  const stays = wait(partition, 1);
  partition.giveUp(gone);
  log.flush();
  assert.equal(gone.result, null);
  assert.equal(stays.result, ErrorCode.NONE);
});

test('a change of leader tells those who wait that this broker leads no more', () => {
  const { log, partition, assign } = lead();
  log.publish(false);
  const waiter = wait(partition, 1);
  let woken = 0;
  partition.watch(new ProgressLink({ onProgress: () => woken++ }, 0));
  assign({ leaderId: 2, leaderEpoch: 5, partitionEpoch: 1, replicas: [1, 2], isr: [1, 2] });
  assert.equal(waiter.result, ErrorCode.NOT_LEADER_OR_FOLLOWER);
  assert.equal(woken, 1);
  assert.equal(
    partition.append({ ...append, acks: 1 }, () => {}),
    ErrorCode.NOT_LEADER_OR_FOLLOWER,
  );
  assert.equal(wait(partition, 1).result, ErrorCode.NOT_LEADER_OR_FOLLOWER);
});

test('an append of a former epoch is not acknowledged by a later one', () => {
  const { log, partition, assign } = lead();
  log.publish();
  assign({ leaderEpoch: 5, partitionEpoch: 1 });
  assert.equal(wait(partition, 1, 4).result, ErrorCode.NOT_LEADER_OR_FOLLOWER);
  assert.equal(wait(partition, 1, 5).result, ErrorCode.NONE);
});

test('an older assignment changes nothing', () => {
  const { partition, assign } = lead();
  assign({ leaderEpoch: 5, partitionEpoch: 3 });
  assign({ leaderId: 2, leaderEpoch: 4, partitionEpoch: 2 });
  assert.equal(partition.isLeader, true);
  assert.equal(partition.leaderEpoch, 5);
});

test('too few replicas in sync refuse acks=all before and after the append, not acks=1', () => {
  const { log, partition, assign } = lead({ isr: [1], replicas: [1, 2], minInsyncReplicas: 2 });
  assert.equal(
    partition.append({ ...append, acks: -1 }, () => {}),
    ErrorCode.NOT_ENOUGH_REPLICAS,
  );
  assert.equal(
    partition.append({ ...append, acks: 1 }, () => {}),
    ErrorCode.NONE,
  );
  assign({ partitionEpoch: 1, isr: [1, 2] });
  assert.equal(
    partition.append({ ...append, acks: -1 }, () => {}),
    ErrorCode.NONE,
  );
  log.publish();
  assert.equal(wait(partition, 1).result, null);
});

test('epochs of readers are fenced, and nobody reads from a replica that does not lead', () => {
  const { partition, assign } = lead();
  const read = newRead();
  const code = (currentLeaderEpoch: number) => {
    partition.read(0, { ...readOptions, currentLeaderEpoch }, read);
    return read.errorCode;
  };
  assert.equal(code(-1), ErrorCode.NONE);
  assert.equal(code(4), ErrorCode.NONE);
  assert.equal(code(3), ErrorCode.FENCED_LEADER_EPOCH);
  assert.equal(code(5), ErrorCode.UNKNOWN_LEADER_EPOCH);
  assign({ leaderId: 2, leaderEpoch: 5, partitionEpoch: 1 });
  assert.equal(code(-1), ErrorCode.NOT_LEADER_OR_FOLLOWER);
  assert.equal(code(4), ErrorCode.FENCED_LEADER_EPOCH);
});

test('a reader whose log parts from this one is told where', () => {
  const { log, partition } = lead();
  const read = newRead();
  const at = (fetchOffset: number, end: EpochEnd | null) => {
    log.epochEnd = end;
    partition.read(fetchOffset, { ...readOptions, lastFetchedEpoch: 3 }, read);
    return { errorCode: read.errorCode, divergingEpoch: read.divergingEpoch };
  };
  for (let i = 0; i < 10; i++) log.publish();
  assert.deepEqual(at(5, { epoch: 3, endOffset: 8 }), { errorCode: 0, divergingEpoch: null });
  assert.deepEqual(at(9, { epoch: 3, endOffset: 8 }).divergingEpoch, { epoch: 3, endOffset: 8 });
  assert.deepEqual(at(5, { epoch: 2, endOffset: 8 }).divergingEpoch, { epoch: 2, endOffset: 8 });
  assert.equal(at(5, null).errorCode, ErrorCode.OFFSET_OUT_OF_RANGE);
});

test('a partition that is stopped tells everybody, and an offline log answers with a storage error', () => {
  const { log, partition } = lead();
  log.publish(false);
  log.offline = true;
  assert.equal(partition.checkLeader(-1), ErrorCode.KAFKA_STORAGE_ERROR);
  log.offline = false;
  const waiter = wait(partition, 1);
  partition.stop();
  assert.equal(waiter.result, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(partition.checkLeader(-1), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(partition.stopped, true);
  log.flush();
});
