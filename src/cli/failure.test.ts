import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerError } from '../base/broker-error.ts';
import { failureLines } from './failure.ts';

test('an operating error is one line with its causes and what to do', () => {
  const cause = Object.assign(new Error('EADDRINUSE'), { code: 'EADDRINUSE' });
  const error = new BrokerError('LISTEN_FAILED', 'Cannot listen on 127.0.0.1:9092', { cause });
  assert.deepEqual(failureLines(error), [
    'odradek: Cannot listen on 127.0.0.1:9092 (because EADDRINUSE); the option for another port is --port',
  ]);
  assert.deepEqual(failureLines(new BrokerError('OTHER', 'No\nroom')), ['odradek: No\\nroom']);
});

test('a configuration has one line for each problem', () => {
  assert.deepEqual(failureLines(new BrokerError('CONFIG_INVALID', 'a\nb')), ['odradek: a', 'odradek: b']);
});

test('a bug is one line with its place', () => {
  const [line = '', ...more] = failureLines(new TypeError('x is\nundefined'));
  assert.match(
    line,
    /^odradek: unexpected error, please report it: TypeError: x is\\nundefined at .*failure\.test\.ts/,
  );
  assert.deepEqual(more, []);
  assert.deepEqual(failureLines('text'), ['odradek: unexpected error: text']);
});
