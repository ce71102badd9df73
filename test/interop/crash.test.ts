// kill -9 in the middle of the work: what was acknowledged is there, once, and in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Producer } from '../../src/client/producer.ts';
import { RECORD_COUNT } from '../harness/environment.ts';
import { readWithOwnClient } from '../harness/numbered-clients.ts';
import { numberedValue } from '../harness/numbered-records.ts';
import { realPorts } from '../harness/own-client.ts';
import { startTarget } from '../harness/target.ts';

const COUNT = Math.min(RECORD_COUNT, 20_000);
const CRASHES = 3;

test('an idempotent producer writes each record once while the broker is killed and started again', async (t) => {
  const target = await startTarget(t);
  const { ports, close } = realPorts();
  t.after(close);
  const bootstrap = [target.process.bootstrap];
  const producer = new Producer(ports, { bootstrap, batchBytes: 16_384, requestTimeoutMs: 5_000 });
  t.after(() => producer.close());
  const sent: Promise<void>[] = [];
  for (let i = 0; i < COUNT; i++) {
    const address = producer.send({ topic: 'crash', partition: 0, value: numberedValue(i) });
    sent.push(address.then(({ offset }) => assert.equal(offset, i)));
    const crash = Math.floor(COUNT / (CRASHES + 1));
    if (i > 0 && i % crash === 0 && i / crash <= CRASHES) {
      await sent[i - 500];
      await target.process.kill();
      await target.process.start();
    }
    if (i % 200 === 0) await sent[Math.max(0, i - 1_600)];
  }
  await Promise.all(sent);
  const topic = {
    bootstrap: target.process.bootstrap,
    topic: 'crash',
    count: COUNT,
    file: '',
    workDirectory: '',
  };
  assert.equal(await readWithOwnClient(topic), null);
});
