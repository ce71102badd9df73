import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timeline } from '../../../base/timeline.ts';
import { offsetCommitRecord, offsetTombstone } from '../group-records.ts';
import { GroupBench } from '../group-harness.test.ts';
import type { OffsetAndMetadata } from './offset-and-metadata.ts';
import { OffsetStore } from './offset-store.ts';

const KEY = { groupId: 'g', topic: 't', partition: 0 };
const OTHER = { groupId: 'g', topic: 't', partition: 1 };

function offset(committedOffset: number, recordOffset = 0): OffsetAndMetadata {
  return {
    recordOffset,
    committedOffset,
    leaderEpoch: -1,
    metadata: '',
    commitTimestampMs: 0,
    expireTimestampMs: -1,
    topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
  };
}

function store(): OffsetStore {
  return new OffsetStore(new Timeline());
}

test('an offset of a transaction counts once that is committed, and never when it is aborted', () => {
  const offsets = store();
  offsets.putPending(7, KEY, offset(5, 1));
  offsets.putPending(8, OTHER, offset(6, 2));
  assert.equal(offsets.get(KEY), undefined);
  assert.ok(offsets.hasPending(KEY));
  offsets.endTransaction(7, true);
  offsets.endTransaction(8, false);
  assert.equal(offsets.get(KEY)?.committedOffset, 5);
  assert.equal(offsets.get(OTHER), undefined);
  assert.ok(!offsets.hasPending(KEY) && !offsets.hasPendingOfGroup('g'));
  assert.equal(offsets.size, 1);
  offsets.checkInvariants();
});

test('a commit whose record lies behind that of a transaction stays when the transaction ends', () => {
  const offsets = store();
  offsets.putPending(7, KEY, offset(5, 10));
  offsets.put(KEY, offset(9, 11));
  offsets.endTransaction(7, true);
  assert.equal(offsets.get(KEY)?.committedOffset, 9);
});

test('two transactions may have an offset pending at one place; it is stable when both have ended', () => {
  const offsets = store();
  offsets.putPending(7, KEY, offset(5, 1));
  offsets.putPending(8, KEY, offset(6, 2));
  offsets.endTransaction(8, true);
  assert.ok(offsets.hasPending(KEY));
  offsets.endTransaction(7, true);
  assert.ok(!offsets.hasPending(KEY));
  assert.equal(offsets.get(KEY)?.committedOffset, 6, 'the later record wins');
});

test('a tombstone takes what is pending along', () => {
  const offsets = store();
  offsets.put(KEY, offset(1));
  offsets.putPending(7, KEY, offset(5, 1));
  offsets.remove(KEY);
  offsets.endTransaction(7, true);
  assert.equal(offsets.get(KEY), undefined);
  assert.equal(offsets.size, 0);
  offsets.checkInvariants();
});

test('a snapshot brings back what was there, pending offsets too', () => {
  const timeline = new Timeline();
  const offsets = new OffsetStore(timeline);
  offsets.put(KEY, offset(1));
  offsets.putPending(7, OTHER, offset(2, 5));
  timeline.snapshot(1);
  offsets.put(KEY, offset(3));
  offsets.endTransaction(7, true);
  offsets.remove(KEY);
  timeline.rollbackTo(1);
  assert.equal(offsets.get(KEY)?.committedOffset, 1);
  assert.ok(offsets.hasPending(OTHER));
  assert.equal(offsets.size, 1);
  offsets.checkInvariants();
});

test('a log with transactional commits, as Apache Kafka writes them, is loaded with what their markers say', () => {
  const bench = new GroupBench();
  const { shard } = bench;
  const loading = bench.newLoadingShard();
  loading.replay(offsetCommitRecord(KEY, offset(5)), 0, 7);
  loading.replay(offsetCommitRecord(OTHER, offset(6)), 1, 8);
  loading.replayTransactionEnd(7, true);
  loading.replayTransactionEnd(8, false);
  loading.replay(offsetCommitRecord({ ...KEY, partition: 2 }, offset(9)), 4, 9);
  loading.replay(offsetTombstone({ ...KEY, partition: 3 }), 5, -1);
  loading.loaded(6, 6, bench.now);
  const request = {
    groupId: 'g',
    memberId: null,
    memberEpoch: -1,
    topics: [{ name: 't', topicId: offset(0).topicId, partitionIndexes: [0, 1, 2] }],
  };
  const told: string[] = [];
  loading.write(
    (groups) => groups.fetchStableOffsets(request),
    bench.now,
    (_, answer) => {
      for (const { committedOffset, errorCode } of answer?.topics?.[0]?.partitions ?? [])
        told.push(`${committedOffset}/${errorCode}`);
    },
  );
  assert.deepEqual(told, ['5/0', '-1/0', '-1/88'], 'an open transaction is unstable');
  shard.close(16);
});
