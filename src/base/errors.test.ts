import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, errorName, invalidatesMetadata, isRetriable } from './errors.ts';

test('codes run from -1 to 133 without a gap and have their names', () => {
  const codes = Object.values(ErrorCode);
  assert.deepEqual(
    codes,
    Array.from({ length: 135 }, (_, index) => index - 1),
  );
  for (const [name, code] of Object.entries(ErrorCode)) assert.equal(errorName(code), name);
  assert.equal(errorName(ErrorCode.NOT_LEADER_OR_FOLLOWER), 'NOT_LEADER_OR_FOLLOWER');
  assert.equal(errorName(999), 'UNKNOWN(999)');
});

test('retriable codes are told apart, and those that need new metadata are among them', () => {
  const codes = Object.values(ErrorCode);
  assert.equal(codes.filter(isRetriable).length, 32);
  assert.equal(codes.filter(invalidatesMetadata).length, 13);
  assert.ok(codes.filter(invalidatesMetadata).every(isRetriable));
  assert.ok(isRetriable(ErrorCode.REQUEST_TIMED_OUT) && !invalidatesMetadata(ErrorCode.REQUEST_TIMED_OUT));
  assert.ok(invalidatesMetadata(ErrorCode.NOT_LEADER_OR_FOLLOWER));
  assert.ok(!isRetriable(ErrorCode.INVALID_TOPIC_EXCEPTION) && !isRetriable(ErrorCode.NONE));
});
