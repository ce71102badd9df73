import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { codecOf } from '../protocol/codec.ts';
import { FetchRequest } from '../protocol/messages/fetch.ts';
import type { InputOf } from '../protocol/schema.ts';
import { Counters } from './counters.ts';
import { type FetchPartition, type FetchPlan, FetchSessions } from './fetch-session.ts';

type Input = InputOf<typeof FetchRequest>;

const VERSION = 12;

function request(fields: Partial<Input>, version = VERSION): FetchRequest {
  const codec = codecOf(FetchRequest, version);
  return codec.decode(codec.encode({ maxWaitMs: 0, minBytes: 1, topics: [], ...fields }));
}

function topics(...partitions: number[]): Input['topics'] {
  return [
    {
      topic: 't',
      partitions: partitions.map((partition) => ({
        partition,
        fetchOffset: 10 * partition,
        partitionMaxBytes: 100,
      })),
    },
  ];
}

function cache(maxSessions = 10) {
  return new FetchSessions({ maxSessions }, new Random(1), new Counters());
}

/** Pretends that reading found the given bytes, and ends the plan. */
function answer(sessions: FetchSessions, plan: FetchPlan, bytes: Record<number, number> = {}, nowMs = 0) {
  for (const partition of plan.partitions) {
    partition.errorCode = ErrorCode.NONE;
    partition.highWatermark = 5;
    partition.logStartOffset = 0;
    partition.lengthBytes = bytes[partition.partition] ?? 0;
  }
  return sessions.finish(plan, nowMs);
}

function numbers(partitions: readonly FetchPartition[]): number[] {
  return partitions.map(({ partition }) => partition);
}

function open(sessions: FetchSessions, partitions: number[], nowMs = 0): number {
  const plan = sessions.begin(
    request({ sessionEpoch: 0, topics: topics(...partitions) }),
    VERSION,
    false,
    nowMs,
  );
  return answer(sessions, plan, {}, nowMs).sessionId;
}

test('a request that wants no session gets none', () => {
  const sessions = cache();
  const plan = sessions.begin(request({ sessionEpoch: -1, topics: topics(0, 1) }), VERSION, false, 0);
  const { sessionId, partitions } = answer(sessions, plan);
  assert.equal(sessionId, 0);
  assert.deepEqual(numbers(partitions), [0, 1]);
  assert.equal(sessions.size, 0);
});

test('a session remembers its partitions and answers only with news', () => {
  const sessions = cache();
  const sessionId = open(sessions, [0, 1, 2]);
  assert.ok(sessionId > 0);
  const quiet = sessions.begin(request({ sessionId, sessionEpoch: 1 }), VERSION, false, 0);
  assert.deepEqual(numbers(quiet.partitions), [0, 1, 2]);
  assert.deepEqual(quiet.partitions[2]?.fetchOffset, 20);
  assert.deepEqual(numbers(answer(sessions, quiet).partitions), []);
  const some = sessions.begin(request({ sessionId, sessionEpoch: 2 }), VERSION, false, 0);
  assert.deepEqual(numbers(answer(sessions, some, { 1: 50 }).partitions), [1]);
  sessions.checkInvariants();
});

test('a moved high watermark, a moved start, an error and its end are news', () => {
  const sessions = cache();
  const sessionId = open(sessions, [0]);
  const told: boolean[] = [];
  const states: Partial<FetchPartition>[] = [
    { highWatermark: 5 },
    { highWatermark: 6 },
    { highWatermark: 6 },
    { highWatermark: 6, logStartOffset: 2 },
    { highWatermark: -1, logStartOffset: -1, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER },
    { highWatermark: 6, logStartOffset: 2 },
    { highWatermark: 6, logStartOffset: 2, divergingEpoch: { epoch: 1, endOffset: 3 } },
  ];
  for (const [i, state] of states.entries()) {
    const plan = sessions.begin(request({ sessionId, sessionEpoch: i + 1 }), VERSION, false, 0);
    for (const partition of plan.partitions) {
      const read = {
        errorCode: ErrorCode.NONE,
        logStartOffset: 0,
        lengthBytes: 0,
        divergingEpoch: null,
        ...state,
      };
      Object.assign(partition, read);
    }
    told.push(sessions.finish(plan, 0).partitions.length > 0);
  }
  assert.deepEqual(told, [false, true, false, true, true, true, true]);
});

test('an incremental request adds, updates and forgets', () => {
  const sessions = cache();
  const sessionId = open(sessions, [0, 1]);
  const plan = sessions.begin(
    request({
      sessionId,
      sessionEpoch: 1,
      topics: [
        {
          topic: 't',
          partitions: [
            { partition: 1, fetchOffset: 99, partitionMaxBytes: 7 },
            { partition: 5, fetchOffset: 0, partitionMaxBytes: 1 },
          ],
        },
      ],
      forgottenTopicsData: [
        { topic: 't', partitions: [0, 77] },
        { topic: 'unknown', partitions: [0] },
      ],
    }),
    VERSION,
    false,
    0,
  );
  assert.deepEqual(numbers(plan.partitions), [1, 5]);
  assert.equal(plan.partitions[0]?.fetchOffset, 99);
  assert.equal(plan.partitions[0]?.maxBytes, 7);
  answer(sessions, plan);
  const last = sessions.begin(
    request({ sessionId, sessionEpoch: 2, forgottenTopicsData: [{ topic: 't', partitions: [1, 5] }] }),
    VERSION,
    false,
    0,
  );
  assert.equal(last.errorCode, ErrorCode.NONE);
  assert.deepEqual(answer(sessions, last), { sessionId: 0, partitions: [] });
  assert.equal(sessions.size, 0);
});

test('partitions that gave records are read after those that did not', () => {
  const sessions = cache();
  const sessionId = open(sessions, [0, 1, 2, 3]);
  answer(sessions, sessions.begin(request({ sessionId, sessionEpoch: 1 }), VERSION, false, 0), {
    0: 10,
    2: 10,
  });
  const next = sessions.begin(request({ sessionId, sessionEpoch: 2 }), VERSION, false, 0);
  assert.deepEqual(numbers(next.partitions), [1, 3, 0, 2]);
});

test('unknown ids, wrong epochs and a change between names and ids are refused', () => {
  const sessions = cache();
  const sessionId = open(sessions, [0]);
  const code = (fields: Partial<Input>, version = VERSION) =>
    sessions.begin(request(fields, version), version, false, 0).errorCode;
  assert.equal(code({ sessionId: sessionId + 1, sessionEpoch: 1 }), ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
  assert.equal(code({ sessionId, sessionEpoch: 2 }), ErrorCode.INVALID_FETCH_SESSION_EPOCH);
  assert.equal(code({ sessionId, sessionEpoch: 1 }, 13), ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR);
  assert.equal(code({ sessionId, sessionEpoch: 1 }), ErrorCode.NONE);
  assert.equal(code({ sessionId, sessionEpoch: 1 }), ErrorCode.INVALID_FETCH_SESSION_EPOCH);
  assert.equal(code({ sessionId, sessionEpoch: 2 }), ErrorCode.NONE);
});

test('epoch -1 or 0 with an id ends that session', () => {
  const sessions = cache();
  const first = open(sessions, [0]);
  answer(
    sessions,
    sessions.begin(request({ sessionId: first, sessionEpoch: -1, topics: topics(0) }), VERSION, false, 0),
  );
  assert.equal(sessions.size, 0);
  const second = open(sessions, [0]);
  const replaced = sessions.begin(
    request({ sessionId: second, sessionEpoch: 0, topics: topics(0) }),
    VERSION,
    false,
    0,
  );
  const third = answer(sessions, replaced).sessionId;
  assert.notEqual(third, second);
  assert.equal(sessions.size, 1);
});

test('the epoch after 2147483647 is 1', () => {
  const sessions = cache();
  const sessionId = open(sessions, [0]);
  const plan = sessions.begin(request({ sessionId, sessionEpoch: 1 }), VERSION, false, 0);
  (plan.session as { epoch: number }).epoch = 0x7fffffff;
  sessions.begin(request({ sessionId, sessionEpoch: 0x7fffffff }), VERSION, false, 0);
  assert.equal(
    sessions.begin(request({ sessionId, sessionEpoch: 1 }), VERSION, false, 0).errorCode,
    ErrorCode.NONE,
  );
});

test('a full cache refuses, until a session was unused for two minutes', () => {
  const sessions = cache(2);
  const first = open(sessions, [0], 0);
  open(sessions, [1], 100_000);
  assert.equal(open(sessions, [2], 110_000), 0);
  const third = open(sessions, [2], 120_001);
  assert.ok(third > 0);
  assert.equal(sessions.size, 2);
  const gone = sessions.begin(request({ sessionId: first, sessionEpoch: 1 }), VERSION, false, 120_001);
  assert.equal(gone.errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
});

test('an old session in use yields to a larger one, a young one does not', () => {
  const sessions = cache(1);
  const sessionId = open(sessions, [0], 0);
  let epoch = 1;
  const use = (nowMs: number) =>
    answer(
      sessions,
      sessions.begin(request({ sessionId, sessionEpoch: epoch++ }), VERSION, false, nowMs),
      {},
      nowMs,
    );
  use(60_000);
  assert.equal(open(sessions, [0, 1], 60_001), 0);
  use(121_000);
  assert.equal(open(sessions, [5], 121_001), 0);
  assert.ok(open(sessions, [0, 1], 121_002) > 0);
  assert.equal(sessions.size, 1);
});

test('a session of a follower takes the place of one of a consumer', () => {
  const sessions = cache(1);
  open(sessions, [0, 1], 0);
  const plan = sessions.begin(request({ sessionEpoch: 0, topics: topics(0) }), VERSION, true, 1);
  assert.ok(answer(sessions, plan, {}, 1).sessionId > 0);
  const consumer = sessions.begin(request({ sessionEpoch: 0, topics: topics(0, 1, 2) }), VERSION, false, 2);
  assert.equal(answer(sessions, consumer, {}, 2).sessionId, 0);
});

test('a partition named twice in a full request is in the session once', () => {
  const sessions = cache();
  const plan = sessions.begin(
    request({ sessionEpoch: 0, topics: [...topics(0), ...topics(0)] }),
    VERSION,
    false,
    0,
  );
  assert.deepEqual(numbers(answer(sessions, plan).partitions), [0]);
  sessions.checkInvariants();
});
