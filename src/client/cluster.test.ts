import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientWorld, MODEL_BOOTSTRAP, MODEL_PORT } from '../../test/harness/client-world.ts';
import { ErrorCode } from '../base/errors.ts';
import { Admin } from './admin.ts';
import { Cluster } from './cluster.ts';
import { OffsetSpec } from './list-offsets.ts';

test('an address that is none is refused with how to write one', () => {
  const { ports } = clientWorld();
  for (const text of ['model', 'model:', ':9092', 'model:0', 'model:70000', '::1:9092']) {
    assert.throws(() => new Cluster(ports, { bootstrap: [text] }), /host:port/, text);
  }
  assert.throws(() => new Cluster(ports, { bootstrap: [] }), /no bootstrap address/);
  assert.ok(new Cluster(ports, { bootstrap: ['[::1]:9092', 'a.b-c:1'] }));
});

test('bootstrap addresses are tried one after the other, and the connection that is up is used again', async () => {
  const { ports, clock, network } = clientWorld();
  const cluster = new Cluster(ports, { bootstrap: ['gone:1', 'gone:2', ...MODEL_BOOTSTRAP] });
  for (let i = 0; i < 5; i++) {
    const error = await clock.drive(
      new Promise((resolve) => {
        cluster.refresh([], false, resolve);
      }),
    );
    assert.equal(error, null);
  }
  assert.equal(network.connectionCount, 1);
  assert.deepEqual([...cluster.metadata.brokers.keys()], [1]);
  cluster.close();
});

test('an admin finds offsets, also of one partition twice, and waits for a broker that is away', async () => {
  const { ports, clock, network, broker } = clientWorld();
  broker.createTopic('t', 2);
  const admin = new Admin(ports, { bootstrap: MODEL_BOOTSTRAP, timeoutMs: 10_000 });
  network.setHost(MODEL_PORT, null);
  clock.schedule(3_000, () => network.setHost(MODEL_PORT, broker.host));
  const found = await clock.drive(
    admin.listOffsets([
      { topic: 't', partition: 1, timestampMs: OffsetSpec.EARLIEST },
      { topic: 't', partition: 1, timestampMs: OffsetSpec.LATEST },
      { topic: 't', partition: 0, timestampMs: OffsetSpec.LATEST },
    ]),
  );
  assert.deepEqual(
    found.map(({ partition, offset, error }) => [partition, offset, error]),
    [
      [1, 0, null],
      [1, 0, null],
      [0, 0, null],
    ],
  );
  const info = await clock.drive(admin.describeCluster());
  assert.deepEqual([info.clusterId, info.controllerId, info.brokers.length], ['model', 1, 1]);
  const [topic] = await clock.drive(admin.describeTopics(['t']));
  assert.equal(topic?.partitions.length, 2);
  admin.close();
});

test('what does not pass by itself is told at once, the rest when the time is up', async () => {
  const { ports, clock, network } = clientWorld();
  const admin = new Admin(ports, { bootstrap: MODEL_BOOTSTRAP, timeoutMs: 3_000 });
  const [absent] = await clock.drive(admin.describeTopics(['absent']));
  assert.equal(absent?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  await assert.rejects(clock.drive(admin.createTopics([{ name: 'x' }])), { reason: 'VERSION_UNSUPPORTED' });
  network.setHost(MODEL_PORT, null);
  const startedMs = clock.monotonicMs();
  await assert.rejects(clock.drive(admin.describeCluster()), { reason: 'CONNECT_FAILED' });
  assert.ok(clock.monotonicMs() - startedMs > 2_500);
  admin.close();
  await assert.rejects(clock.drive(admin.describeCluster()), { reason: 'CLOSED' });
});
