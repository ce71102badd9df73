import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../src/base/errors.ts';
import { AlterReplicaLogDirs, DeleteTopics, DescribeLogDirs } from './apis.ts';
import { batchOf, Bench } from './records.ts';
import { type VirtualTestWorld, virtualWorld } from './worlds.ts';

const SETTINGS = { 'log.dirs': '/data/a,/data/b', 'metadata.log.dir': '/metadata' };
const HEX = '0123456789abcdef0123456789abcdef';

function testWithDisk(title: string, run: (world: VirtualTestWorld) => Promise<void>): void {
  test(title, { timeout: 60_000 }, async () => {
    const world = virtualWorld();
    await run(world);
    await world.end();
  });
}

async function move(bench: Bench, path: string, topic = 't', partition = 0): Promise<ErrorCode> {
  const answer = await bench.world.wait(
    bench.client.call(AlterReplicaLogDirs, 2, {
      dirs: [{ path, topics: [{ name: topic, partitions: [partition] }] }],
    }),
  );
  return answer.results[0]?.partitions[0]?.errorCode as ErrorCode;
}

/** Where t-0 lies, and where a copy of it is made: `/data/a`, or `/data/a future` with its lag. */
async function places(bench: Bench): Promise<string[]> {
  const { results } = await bench.world.wait(bench.client.call(DescribeLogDirs, 4, { topics: null }));
  return results.flatMap(({ logDir, topics }) =>
    topics.flatMap(({ partitions }) =>
      partitions.map(({ isFutureKey, offsetLag }) =>
        isFutureKey ? `${logDir} future ${offsetLag}` : logDir,
      ),
    ),
  );
}

async function fill(bench: Bench, count: number, from = 0): Promise<string[]> {
  const values = Array.from({ length: count }, (_, i) => `${from + i} ${'z'.repeat(2_000)}`);
  for (const value of values) await bench.produce('t', batchOf([value]));
  return values;
}

function names(world: VirtualTestWorld, directory: string): string[] {
  return world.disk
    .list(directory)
    .map(({ name }) => name)
    .filter((name) => name.startsWith('t-'));
}

function other(place: string | undefined): string {
  return place === '/data/a' ? '/data/b' : '/data/a';
}

testWithDisk('a replica moves to another directory while it is written and read', async (world) => {
  const bench = await Bench.open(world, SETTINGS);
  await bench.createTopic('t', 1, { 'segment.bytes': '1048576' });
  const values = await fill(bench, 800);
  const [from] = await places(bench);
  const to = other(from);
  assert.equal(await move(bench, to), ErrorCode.NONE);
  values.push(...(await fill(bench, 100, 800)));
  await world.pass(2000);
  assert.deepEqual(await places(bench), [to]);
  values.push(...(await fill(bench, 10, 900)));
  assert.deepEqual(await bench.readAll('t'), values);
  bench.broker.checkInvariants();
  assert.deepEqual(names(world, to), ['t-0']);
  assert.ok(
    names(world, from as string).every((name) => name.endsWith('-delete')),
    'the original is on its way out',
  );
  await world.pass(70_000);
  assert.deepEqual(names(world, from as string), []);
  await bench.restart(SETTINGS);
  assert.deepEqual(await places(bench), [to]);
  assert.deepEqual(await bench.readAll('t'), values);
  assert.equal((await bench.produce('t', batchOf(['more']))).baseOffset, 910);
});

testWithDisk('an idempotent producer goes on over a move', async (world) => {
  const bench = await Bench.open(world, SETTINGS);
  await bench.createTopic('t');
  const batch = (sequence: number) =>
    batchOf([`${sequence}`], { producerId: 7, producerEpoch: 0, baseSequence: sequence });
  for (let i = 0; i < 3; i++) assert.equal((await bench.produce('t', batch(i))).baseOffset, i);
  const [from] = await places(bench);
  assert.equal(await move(bench, other(from)), ErrorCode.NONE);
  await world.pass(1000);
  assert.deepEqual(await places(bench), [other(from)]);
  assert.equal((await bench.produce('t', batch(2))).baseOffset, 2, 'a retry is known');
  assert.equal((await bench.produce('t', batch(3))).baseOffset, 3);
});

testWithDisk('asking for the present directory cancels a move', async (world) => {
  const bench = await Bench.open(world, SETTINGS);
  await bench.createTopic('t');
  const values = await fill(bench, 50);
  const [from] = await places(bench);
  const answers = await world.wait(
    Promise.all(
      [other(from), from as string].map((path) =>
        bench.client.call(AlterReplicaLogDirs, 2, {
          dirs: [{ path, topics: [{ name: 't', partitions: [0] }] }],
        }),
      ),
    ),
  );
  for (const { results } of answers) assert.equal(results[0]?.partitions[0]?.errorCode, ErrorCode.NONE);
  await world.pass(3000);
  const left = await places(bench);
  assert.equal(left.length, 1);
  assert.deepEqual(await bench.readAll('t'), values);
});

testWithDisk('what cannot be moved is refused with the code of Apache Kafka', async (world) => {
  const bench = await Bench.open(world, SETTINGS);
  await bench.createTopic('t');
  assert.equal(await move(bench, '/elsewhere'), ErrorCode.LOG_DIR_NOT_FOUND);
  assert.equal(await move(bench, '/data/a', 'none'), ErrorCode.REPLICA_NOT_AVAILABLE);
  assert.equal(await move(bench, '/data/a', 'n'.repeat(230)), ErrorCode.INVALID_TOPIC_EXCEPTION);
  const [at] = await places(bench);
  world.disk.faults.add({ operation: 'append', pathPrefix: `${other(at)}/`, code: 'EIO' });
  await fill(bench, 3);
  assert.equal(await move(bench, other(at)), ErrorCode.NONE);
  await world.pass(2000);
  assert.deepEqual(await places(bench), [at], 'a move that fails leaves the replica where it is');
  assert.equal((await bench.readAll('t')).length, 3);
});

testWithDisk('a replica whose directory was chosen before it is made goes there', async (world) => {
  const bench = await Bench.open(world, SETTINGS);
  for (const [topic, path] of [
    ['one', '/data/b'],
    ['two', '/data/b'],
    ['three', '/data/b'],
  ] as const) {
    assert.equal(await move(bench, path, topic), ErrorCode.REPLICA_NOT_AVAILABLE);
    await bench.createTopic(topic);
  }
  assert.deepEqual(await places(bench), ['/data/b', '/data/b', '/data/b']);
});

testWithDisk('a stop between the two renames of a move is finished at the next start', async (world) => {
  const bench = await Bench.open(world, SETTINGS);
  await bench.createTopic('t');
  const values = await fill(bench, 20);
  const [from] = await places(bench);
  const to = other(from);
  await world.wait(bench.broker.close());
  world.disk.rename(`${from}/t-0`, `${to}/t-0.${HEX}-future`);
  world.disk.makeDirectory(`${from}/t-0.${HEX}-delete`);
  await bench.startAgain(SETTINGS);
  assert.deepEqual(await places(bench), [to]);
  assert.deepEqual(await bench.readAll('t'), values);
  assert.equal((await bench.produce('t', batchOf(['more']))).baseOffset, 20);
});

testWithDisk('a copy that a stop left unfinished is made anew', async (world) => {
  const bench = await Bench.open(world, SETTINGS);
  await bench.createTopic('t');
  const values = await fill(bench, 20);
  const [from] = await places(bench);
  const to = other(from);
  await world.wait(bench.broker.close());
  world.disk.makeDirectory(`${to}/t-0.${HEX}-future`);
  await bench.startAgain(SETTINGS);
  await world.pass(2000);
  assert.deepEqual(await places(bench), [to]);
  assert.deepEqual(await bench.readAll('t'), values);
});

testWithDisk('a topic that is deleted while it moves leaves nothing behind', async (world) => {
  const bench = await Bench.open(world, SETTINGS);
  await bench.createTopic('t');
  await fill(bench, 50);
  const [from] = await places(bench);
  assert.equal(await move(bench, other(from)), ErrorCode.NONE);
  await world.wait(bench.client.call(DeleteTopics, 4, { topicNames: ['t'], timeoutMs: 1000 }));
  await world.pass(80_000);
  for (const directory of ['/data/a', '/data/b']) assert.deepEqual(names(world, directory), []);
});

testWithDisk('a rename that fails half way leaves the replica where it was', async (world) => {
  const bench = await Bench.open(world, SETTINGS);
  await bench.createTopic('t');
  const values = await fill(bench, 20);
  const [from] = await places(bench);
  const to = other(from);
  world.disk.faults.add({ operation: 'rename', pathPrefix: `${to}/t-0.`, code: 'EIO' });
  assert.equal(await move(bench, to), ErrorCode.NONE);
  await world.pass(2000);
  assert.deepEqual(await places(bench), [from]);
  assert.deepEqual(names(world, from as string), ['t-0']);
  assert.deepEqual(await bench.readAll('t'), values);
  assert.equal((await bench.produce('t', batchOf(['more']))).baseOffset, 20);
});

test('a crash at any moment of a move loses nothing, and the move is finished afterwards', {
  timeout: 120_000,
}, async () => {
  for (const power of [false, true]) {
    for (let moment = 0; moment < 40; moment++) {
      const world = virtualWorld();
      const bench = await Bench.open(world, SETTINGS);
      await bench.createTopic('t', 1, { 'flush.messages': '1' });
      const values = await fill(bench, 10);
      const [from] = await places(bench);
      assert.equal(await move(bench, other(from)), ErrorCode.NONE);
      await world.pass(moment / 2);
      world.kill();
      if (power) world.disk.crash('power');
      await bench.startAgain(SETTINGS);
      await world.pass(3000);
      const where = await places(bench);
      const what = `moment ${moment}, ${power ? 'power' : 'process'}`;
      assert.equal(where.length, 1, what);
      assert.deepEqual(await bench.readAll('t'), values, what);
      assert.equal((await bench.produce('t', batchOf(['more']))).baseOffset, 10, what);
      if (!power) assert.deepEqual(where, [other(from)], what);
      await world.end();
    }
  }
});
