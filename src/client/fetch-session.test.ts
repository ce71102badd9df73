import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../base/errors.ts';
import { ClientFetchSession, type FetchTarget } from './fetch-session.ts';

function target(partition: number, fetchOffset: number): FetchTarget {
  return { topic: 't', topicId: 'x', partition, fetchOffset, leaderEpoch: 1, maxBytes: 1 };
}

test('a session names everything once, then what changed and what is not wanted any more', () => {
  const session = new ClientFetchSession();
  const first = session.next([target(0, 0), target(1, 0)]);
  assert.deepEqual([first.sessionId, first.sessionEpoch, first.targets.length], [0, 0, 2]);
  assert.ok(session.onAnswer(0, 77));
  const second = session.next([target(0, 5), target(1, 0)]);
  assert.deepEqual([second.sessionId, second.sessionEpoch], [77, 1]);
  assert.deepEqual(second.targets, [target(0, 5)]);
  assert.ok(session.onAnswer(0, 77));
  const third = session.next([target(1, 0)]);
  assert.deepEqual([third.sessionEpoch, third.targets], [2, []]);
  assert.deepEqual(third.forgotten, [target(0, 5)]);
});

test('an error begins anew: with the old id, to close it, unless the broker does not know it', () => {
  const session = new ClientFetchSession();
  session.next([target(0, 0)]);
  session.onAnswer(0, 77);
  session.next([target(0, 0)]);
  assert.ok(!session.onAnswer(ErrorCode.INVALID_FETCH_SESSION_EPOCH, 0));
  const anew = session.next([target(0, 0)]);
  assert.deepEqual([anew.sessionId, anew.sessionEpoch, anew.targets.length], [77, 0, 1]);
  session.onAnswer(0, 78);
  session.next([target(0, 0)]);
  session.onAnswer(ErrorCode.FETCH_SESSION_ID_NOT_FOUND, 0);
  assert.equal(session.next([]).sessionId, 0);
});

test('a broker that gives no session, or no answer, is asked for everything every time', () => {
  const session = new ClientFetchSession();
  for (let i = 0; i < 3; i++) {
    const request = session.next([target(0, 0)]);
    assert.deepEqual([request.sessionEpoch, request.targets.length], [0, 1]);
    session.onAnswer(0, 0);
  }
  session.onAnswer(0, 9);
  session.onNoAnswer();
  const request = session.next([target(0, 0)]);
  assert.deepEqual([request.sessionId, request.sessionEpoch, request.targets.length], [9, 0, 1]);
});
