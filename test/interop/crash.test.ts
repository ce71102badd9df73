// kill -9 in the middle of the work: what was acknowledged is there, once, and in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RECORD_COUNT } from '../harness/environment.ts';
import { produceThroughCrashes, readWithOwnClient } from '../harness/numbered-clients.ts';
import { startTarget } from '../harness/target.ts';

const COUNT = Math.min(RECORD_COUNT, 20_000);
const CRASHES = 3;

test('an idempotent producer writes each record once while the broker is killed and started again', async (t) => {
  const target = await startTarget(t);
  const { bootstrap } = target.process;
  const topic = { bootstrap, topic: 'crash', count: COUNT, file: '', workDirectory: '' };
  await produceThroughCrashes(topic, target.process, CRASHES);
  assert.equal(await readWithOwnClient(topic), null);
});
