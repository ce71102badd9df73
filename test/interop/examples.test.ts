// The examples do what they say.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { ROOT_DIRECTORY } from '../harness/environment.ts';
import { run } from '../harness/run.ts';

const TIMEOUT_MS = 60_000;

/** The test runner tells its children that they are tests; an example is run as a user runs it. */
const AS_A_USER = { NODE_TEST_CONTEXT: undefined };

test('a broker inside a process serves kafkajs', async () => {
  const { stdout } = await run(process.execPath, [join('examples', 'embedded-broker.mjs')], {
    timeoutMs: TIMEOUT_MS,
    cwd: ROOT_DIRECTORY,
    env: AS_A_USER,
  });
  assert.match(stdout, /^a broker listens on 127\.0\.0\.1:\d+$/m);
  for (const partition of [0, 1, 2]) {
    assert.match(stdout, new RegExp(`^partition ${partition} holds 3 records$`, 'm'));
  }
});

test('a broker for each test', async () => {
  const { stdout } = await run(process.execPath, ['--test', join('examples', 'broker-in-a-test.test.mjs')], {
    timeoutMs: TIMEOUT_MS,
    cwd: ROOT_DIRECTORY,
    env: AS_A_USER,
  });
  assert.match(stdout, /pass 1\b/);
});
