import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../base/errors.ts';
import { readVectors } from '../../../test/harness/schemas.ts';
import { Random } from '../../base/random.ts';
import { CallbackTimer } from '../../base/timer-wheel.ts';
import type { TimelineMap } from '../../base/timeline.ts';
import type { OffsetCommitKey, OffsetCommitValue } from '../../protocol/records/offset-commit.ts';
import { offsetCommitRecord } from '../group/group-records.ts';
import type { CoordinatorRecord } from './coordinator-record.ts';
import { answered, NOTHING, refused, written } from './coordinator-result.ts';
import type { Coordinator, ShardContext } from './coordinator.ts';
import { partitionFor } from './partition-for.ts';
import { Shard, type ShardOptions } from './shard.ts';

/** Remembers one number by name. */
class Numbers implements Coordinator {
  readonly context: ShardContext;
  readonly values: TimelineMap<string, number>;
  loaded = false;
  unloaded = false;

  constructor(context: ShardContext) {
    this.context = context;
    this.values = context.timeline.createMap();
  }

  replay({ key, value }: CoordinatorRecord): void {
    this.values.set((key as OffsetCommitKey).topic, (value as OffsetCommitValue).offset);
  }

  replayTransactionEnd(): void {}

  onLoaded(): void {
    this.loaded = true;
  }

  onUnloaded(): void {
    this.unloaded = true;
  }

  checkInvariants(): void {}
}

const NOW = { monotonicMs: 0, wallMs: 1_000 };
const at = (monotonicMs: number) => ({ monotonicMs, wallMs: 1_000 + monotonicMs });

function set(name: string, value: number, metadata = ''): CoordinatorRecord {
  return offsetCommitRecord(
    { groupId: 'g', topic: name, partition: 0 },
    {
      recordOffset: -1,
      committedOffset: value,
      leaderEpoch: -1,
      metadata,
      commitTimestampMs: 0,
      expireTimestampMs: -1,
      topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
    },
  );
}

function bench(options: Partial<ShardOptions<Numbers>> = {}) {
  const shard = new Shard<Numbers>(
    {
      create: (context) => new Numbers(context),
      random: new Random(1),
      maxBatchBytes: () => 1_000,
      lingerMs: -1,
      writeTimeoutMs: 5_000,
      onWork: () => {},
      ...options,
    },
    NOW,
  );
  const outcomes: string[] = [];
  const put = (name: string, value: number, nowMs = 0): void =>
    shard.write(
      () => written([set(name, value)], value),
      at(nowMs),
      (errorCode, response) => outcomes.push(`${name}:${errorCode}:${response}`),
    );
  return { shard, outcomes, put, values: () => Object.fromEntries(shard.coordinator.values.view()) };
}

/** A shard that is loaded from an empty log. */
function activeBench(options: Partial<ShardOptions<Numbers>> = {}) {
  const made = bench(options);
  made.shard.loaded(0, 0, NOW);
  return made;
}

test('operations of one turn share a batch, see each other at once, and are answered at commit', () => {
  const { shard, outcomes, put, values } = activeBench();
  put('a', 1);
  put('b', 2);
  assert.deepEqual(values(), { a: 1, b: 2 });
  const batch = shard.takeBatch(0);
  assert.equal(batch?.records.length, 2);
  assert.equal(shard.takeBatch(0), null, 'one batch at a time');
  put('c', 3);
  assert.ok(shard.appended(0));
  assert.deepEqual(outcomes, []);
  shard.committed(1, NOW);
  assert.deepEqual(outcomes, [], 'a batch is committed as a whole');
  shard.committed(2, NOW);
  assert.deepEqual(outcomes, ['a:0:1', 'b:0:2']);
  assert.equal(shard.takeBatch(0)?.baseOffset, 2);
  shard.checkInvariants();
});

test('reads see what is committed, also after newer batches were written', () => {
  const { shard, put } = activeBench();
  const read = (): Record<string, number> => {
    let seen = {};
    shard.read(
      (numbers) => Object.fromEntries(numbers.context.committed(numbers.values)),
      NOW,
      (_, found) => {
        seen = found ?? {};
      },
    );
    return seen;
  };
  put('a', 1);
  assert.deepEqual(read(), {});
  shard.takeBatch(0);
  put('a', 2);
  shard.appended(0);
  assert.deepEqual(read(), {});
  shard.committed(1, NOW);
  assert.deepEqual(read(), { a: 1 });
  shard.takeBatch(0);
  shard.appended(1);
  shard.committed(2, NOW);
  assert.deepEqual(read(), { a: 2 });
});

test('a failed append takes back its batch and all behind it, and nothing before', () => {
  const { shard, outcomes, put, values } = activeBench();
  put('a', 1);
  shard.takeBatch(0);
  shard.appended(0);
  put('a', 2);
  shard.takeBatch(0);
  put('b', 3);
  shard.appendFailed(ErrorCode.NOT_ENOUGH_REPLICAS, NOW);
  assert.deepEqual(values(), { a: 1 });
  assert.deepEqual(outcomes, [
    `a:${ErrorCode.NOT_ENOUGH_REPLICAS}:null`,
    `b:${ErrorCode.NOT_ENOUGH_REPLICAS}:null`,
  ]);
  put('b', 4);
  assert.equal(shard.takeBatch(0)?.baseOffset, 1);
  shard.appended(1);
  shard.committed(2, NOW);
  assert.deepEqual(outcomes.slice(2), ['a:0:1', 'b:0:4']);
  assert.deepEqual(values(), { a: 1, b: 4 });
  shard.checkInvariants();
});

test('an operation without records waits for what it has seen, and for nothing else', () => {
  const { shard, outcomes, put } = activeBench();
  const look = (): void =>
    shard.write(
      () => answered('seen'),
      NOW,
      (errorCode, response) => outcomes.push(`${errorCode}:${response}`),
    );
  look();
  assert.deepEqual(outcomes, ['0:seen']);
  put('a', 1);
  look();
  shard.takeBatch(0);
  shard.appended(0);
  assert.deepEqual(outcomes, ['0:seen']);
  shard.committed(1, NOW);
  assert.deepEqual(outcomes, ['0:seen', 'a:0:1', '0:seen']);
});

test('a refused operation changes nothing and is answered at once', () => {
  const { shard, outcomes } = activeBench();
  shard.write(
    () => refused(ErrorCode.UNKNOWN_MEMBER_ID),
    NOW,
    (errorCode) => outcomes.push(String(errorCode)),
  );
  assert.deepEqual(outcomes, [String(ErrorCode.UNKNOWN_MEMBER_ID)]);
  assert.equal(shard.takeBatch(0), null);
});

test('a batch that is full is followed by another; records that fit none are refused', () => {
  const { shard, outcomes, put } = activeBench();
  for (let i = 0; i < 20; i++) put(`n${i}`, i);
  const sizes: number[] = [];
  let endOffset = 0;
  for (let batch = shard.takeBatch(0); batch !== null; batch = shard.takeBatch(0)) {
    assert.ok(batch.sizeBytes <= 1_000);
    assert.equal(batch.baseOffset, endOffset);
    endOffset = batch.endOffset;
    sizes.push(batch.records.length);
    assert.ok(shard.appended(batch.baseOffset));
  }
  assert.ok(sizes.length > 1);
  assert.equal(endOffset, 20);
  shard.write(
    () => written([set('x', 1, 'y'.repeat(2_000))], 1),
    NOW,
    (errorCode) => outcomes.push(String(errorCode)),
  );
  assert.deepEqual(outcomes, [String(ErrorCode.RECORD_LIST_TOO_LARGE)]);
  assert.equal(shard.coordinator.values.has('x'), false);
});

test('with a linger a batch waits for company that long; with none each operation has its own', () => {
  const lingering = activeBench({ lingerMs: 10 });
  lingering.put('a', 1);
  assert.equal(lingering.shard.takeBatch(9), null);
  assert.equal(lingering.shard.nextDeadlineMs(), 10);
  assert.equal(lingering.shard.takeBatch(10)?.records.length, 1);
  const immediate = activeBench({ lingerMs: 0 });
  immediate.put('a', 1);
  immediate.put('b', 2);
  assert.equal(immediate.shard.takeBatch(0)?.records.length, 1);
});

test('who waits too long for a commit is told, once, and the record may be committed all the same', () => {
  const { shard, outcomes, put, values } = activeBench();
  put('a', 1, 100);
  shard.takeBatch(100);
  shard.appended(0);
  assert.equal(shard.nextDeadlineMs(), 5_100);
  shard.tick(at(5_099));
  assert.deepEqual(outcomes, []);
  shard.tick(at(5_100));
  assert.deepEqual(outcomes, [`a:${ErrorCode.REQUEST_TIMED_OUT}:null`]);
  shard.committed(1, at(6_000));
  assert.equal(outcomes.length, 1);
  assert.deepEqual(values(), { a: 1 });
});

test('a shard that loads, and one that is closed, send clients away', () => {
  const { shard, outcomes, put } = bench();
  put('a', 1);
  shard.replay(set('old', 9), 0, -1);
  shard.loaded(1, 1, NOW);
  assert.ok(shard.coordinator.loaded);
  put('b', 2);
  shard.close(ErrorCode.NOT_COORDINATOR);
  put('c', 3);
  assert.deepEqual(outcomes, [
    `a:${ErrorCode.COORDINATOR_LOAD_IN_PROGRESS}:null`,
    `b:${ErrorCode.NOT_COORDINATOR}:null`,
    `c:${ErrorCode.NOT_COORDINATOR}:null`,
  ]);
  assert.ok(shard.coordinator.unloaded);
  assert.equal(shard.coordinator.values.get('old'), 9);
});

test('a batch that lies elsewhere than it was replayed for says that somebody else writes', () => {
  const { shard, put } = activeBench();
  put('a', 1);
  shard.takeBatch(0);
  assert.equal(shard.appended(5), false);
});

test('a deadline does its work within the shard, and none passes once it is closed', () => {
  const { shard, outcomes } = activeBench();
  const { context } = shard.coordinator;
  const timer = new CallbackTimer(() =>
    context.perform(() => {
      outcomes.push('due');
      return written([set('late', 1)], null);
    }),
  );
  shard.write(
    () => {
      context.schedule(timer, 50);
      return NOTHING;
    },
    NOW,
    () => {},
  );
  assert.ok((shard.nextDeadlineMs() ?? 0) <= 50);
  shard.tick(at(49));
  assert.deepEqual(outcomes, []);
  shard.tick(at(50));
  assert.deepEqual(outcomes, ['due']);
  assert.equal(shard.takeBatch(50)?.records.length, 1);
  context.schedule(timer, 50);
  shard.close(ErrorCode.NOT_COORDINATOR);
  shard.tick(at(500));
  assert.deepEqual(outcomes, ['due']);
});

test('keys find their partitions as in Java', () => {
  const vectors = readVectors<{ s: string; absMod50: number }>('hashes.jsonl').filter(
    ({ s }) => s !== undefined,
  );
  assert.ok(vectors.length > 5);
  for (const { s, absMod50 } of vectors)
    if (absMod50 !== undefined) assert.equal(partitionFor(s, 50), absMod50);
  // The hash of this text is -2147483648, which has no positive counterpart.
  assert.equal(partitionFor('polygenelubricants', 50), 0);
});
