// Disks that fail under the real broker: clients get Kafka's code, the log says it in one line, nothing acknowledged is lost, and what is on other disks is served.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ErrorCode } from '../../src/base/errors.ts';
import { toolOrSkip } from '../harness/environment.ts';
import { FaultBench } from '../harness/fault-bench.ts';
import { FaultInjection } from '../harness/fault-injection.ts';
import { mountSmallDisk } from '../harness/mounts.ts';
import { eventually } from '../harness/wait.ts';

const WRITES = 'write,writev,pwrite64,pwritev,pwritev2';
const { KAFKA_STORAGE_ERROR, NONE } = ErrorCode;
const MEGABYTE = 1 << 20;

function injected(
  t: TestContext,
  bench: FaultBench,
  fault: { calls: string; what: string; paths?: readonly string[] },
): Promise<FaultInjection> | null {
  const strace = toolOrSkip(t, 'strace');
  if (strace === null) return null;
  const injection = FaultInjection.attach(strace, bench.broker.pid, fault);
  t.after(async () => (await injection).lift());
  return injection;
}

test('a full disk refuses records, stays readable and takes records again when there is room', async (t) => {
  let unmount: (() => void) | null = null;
  const bench = await FaultBench.start(t, (parent) => {
    unmount = mountSmallDisk(t, join(parent, 'a'), 16);
    return () => unmount?.();
  });
  if (unmount === null) return;
  await bench.createTopic();
  const [full, other] = bench.directories;
  const ballast = join(full, 'ballast');
  writeFileSync(ballast, Buffer.alloc(8 * MEGABYTE));
  const partition = bench.partitionIn(full);
  // Larger than a page many times over: the last one that is tried fits in part, which the system writes before it says so.
  const value = 'x'.repeat(700_000);
  let refused = 0;
  for (let i = 0; i < 40 && refused < 3; i++) {
    const { errorCode } = await bench.produce(partition, value);
    if (errorCode === NONE) continue;
    assert.equal(errorCode, KAFKA_STORAGE_ERROR);
    refused++;
  }
  assert.equal(refused, 3);
  await bench.checkAcknowledged(partition);
  await bench.mustProduce(bench.partitionIn(other), 'there is room here');
  rmSync(ballast);
  await bench.untilWritable(partition);
  await bench.mustProduce(partition, value);
  await bench.checkAcknowledged(partition);
  await bench.restart();
  await bench.checkAcknowledged(partition);
  await bench.checkAcknowledged(bench.partitionIn(other));
});

test('a full disk under the metadata refuses changes, and takes them again when there is room', async (t) => {
  let unmount: (() => void) | null = null;
  const bench = await FaultBench.start(t, (parent) => {
    unmount = mountSmallDisk(t, join(parent, 'metadata'), 4);
    return () => unmount?.();
  });
  if (unmount === null) return;
  await bench.createTopic();
  const ballast = join(bench.directories[0], '..', 'metadata', 'ballast');
  assert.throws(() => writeFileSync(ballast, Buffer.alloc(8 * MEGABYTE)), { code: 'ENOSPC' });
  // More records than the last page of the log has room for.
  await assert.rejects(bench.makeTopic('later', 80), { errorCode: ErrorCode.NOT_CONTROLLER });
  // The line comes by another pipe than the answer, which may be read first.
  await eventually('the log says why', () => bench.lines('The metadata log cannot be written').length > 0, {
    timeoutMs: 5_000,
  });
  await bench.mustProduce(0, 'served all the while');
  rmSync(ballast);
  await eventually(
    'topics can be made again',
    () =>
      bench.makeTopic('later', 80).then(
        () => true,
        () => false,
      ),
    { timeoutMs: 20_000, intervalMs: 200 },
  );
  await bench.mustProduce(1, 'and afterwards');
  await bench.restart();
  await bench.checkAcknowledged(0);
  await bench.checkAcknowledged(1);
});

test('a write that fails is answered with the storage error; other directories go on, and nothing is lost', async (t) => {
  const bench = await FaultBench.start(t);
  await bench.createTopic();
  const [bad, good] = bench.directories;
  const partition = bench.partitionIn(bad);
  for (let i = 0; i < 5; i++) await bench.mustProduce(partition, `before ${i}`);
  for (const code of ['EIO', 'EROFS']) {
    const injection = await injected(t, bench, {
      calls: WRITES,
      what: `error=${code}`,
      paths: [bench.logFile(bad)],
    });
    if (injection === null) return;
    for (let i = 0; i < 3; i++) {
      assert.equal((await bench.produce(partition, `refused ${i}`)).errorCode, KAFKA_STORAGE_ERROR);
      await bench.mustProduce(bench.partitionIn(good), `good ${code} ${i}`);
    }
    await injection.lift();
    await bench.restart();
    await bench.checkAcknowledged(partition);
    await bench.untilWritable(partition);
  }
  await bench.checkAcknowledged(bench.partitionIn(good));
});

test('a flush that fails takes its directory offline and no other; it is back after a start', async (t) => {
  const bench = await FaultBench.start(t);
  await bench.createTopic({ 'flush.messages': '1' });
  const [bad, good] = bench.directories;
  const partition = bench.partitionIn(bad);
  await bench.mustProduce(partition, 'before');
  const injection = await injected(t, bench, {
    calls: 'fdatasync,fsync',
    what: 'error=EIO:when=1',
    paths: [bench.logFile(bad)],
  });
  if (injection === null) return;
  assert.equal((await bench.produce(partition, 'not durable')).errorCode, KAFKA_STORAGE_ERROR);
  await injection.lift();
  // A flush is not tried again: what the device has after a failed one is unknown.
  await eventually(
    'the partition has no leader',
    async () =>
      (await bench.leaderOf(partition)) === -1 && bench.lines('A log directory goes offline').length > 0,
    { timeoutMs: 15_000 },
  );
  assert.equal((await bench.produce(partition, 'still not')).errorCode, KAFKA_STORAGE_ERROR);
  await bench.checkAcknowledged(bench.partitionIn(good));
  await bench.mustProduce(bench.partitionIn(good), 'good');
  assert.equal(bench.lines('A log directory goes offline').length, 1);
  await bench.restart();
  await bench.untilWritable(partition);
  await bench.checkAcknowledged(partition);
  await bench.checkAcknowledged(bench.partitionIn(good));
});

test('reads that fail end connections, not the data: clients that come again read everything', async (t) => {
  const bench = await FaultBench.start(t);
  await bench.createTopic();
  for (let i = 0; i < 20; i++) await bench.mustProduce(0, `${i} ${'y'.repeat(100_000)}`);
  const injection = await injected(t, bench, { calls: 'sendfile', what: 'error=EIO:when=2+3' });
  if (injection === null) return;
  await bench.checkAcknowledged(0);
  await injection.lift();
  await bench.checkAcknowledged(0);
  await bench.mustProduce(0, 'after');
});

test('a slow disk holds up its own partitions only', async (t) => {
  // Threads are per device.
  let unmount: (() => void) | null = null;
  const bench = await FaultBench.start(t, (parent) => {
    unmount = mountSmallDisk(t, join(parent, 'a'), 64);
    return () => unmount?.();
  });
  if (unmount === null) return;
  await bench.createTopic({ 'flush.messages': '1' });
  const [slow, fast] = bench.directories;
  const slowPartition = bench.partitionIn(slow);
  const fastPartition = bench.partitionIn(fast);
  await bench.mustProduce(slowPartition, 'before');
  const injection = await injected(t, bench, {
    calls: 'fdatasync',
    what: 'delay_exit=3000000',
    paths: [bench.logFile(slow)],
  });
  if (injection === null) return;
  const order: string[] = [];
  // Over a connection of its own: one connection's answers come in the order of its requests.
  const other = bench.produceApart(slowPartition, 'slow').then(() => order.push('slow'));
  for (let i = 0; i < 10; i++) {
    await bench.mustProduce(fastPartition, `fast ${i}`);
    order.push('fast');
  }
  await other;
  assert.deepEqual(order, [...Array.from({ length: 10 }, () => 'fast'), 'slow']);
  await injection.lift();
  await bench.restart();
  await bench.checkAcknowledged(slowPartition);
  await bench.checkAcknowledged(fastPartition);
});

test('a directory that is removed under the broker is noticed, and nothing is acknowledged in it after that', async (t) => {
  const bench = await FaultBench.start(t);
  await bench.createTopic();
  const [gone, good] = bench.directories;
  const partition = bench.partitionIn(gone);
  const goodPartition = bench.partitionIn(good);
  await bench.mustProduce(partition, 'gone with it');
  rmSync(gone, { recursive: true });
  await eventually('it is noticed', () => bench.lines('A log directory goes offline').length === 1, {
    timeoutMs: 15_000,
  });
  assert.notEqual((await bench.produce(partition, 'nowhere')).errorCode, NONE);
  await bench.mustProduce(goodPartition, 'good');
  await bench.restart();
  await bench.checkAcknowledged(goodPartition);
});
