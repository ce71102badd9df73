// A broker of its own for each test, gone without a trace afterwards:
//   npm run build && node --test examples/broker-in-a-test.test.mjs
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import { Broker } from 'odradek';

/** What is tested: code that announces orders. */
async function announce(kafka, order) {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: 'orders', messages: [{ key: order.id, value: JSON.stringify(order) }] });
  await producer.disconnect();
}

test('an order is announced once', async (t) => {
  const broker = await Broker.start({ settings: { 'num.partitions': '1' } });
  t.after(() => broker.close());
  const kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING });

  await announce(kafka, { id: 'a-1', items: 3 });

  const admin = kafka.admin();
  await admin.connect();
  t.after(() => admin.disconnect());
  const [offsets] = await admin.fetchTopicOffsets('orders');
  assert.equal(offsets?.high, '1');
});
