import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../src/base/errors.ts';
import { DescribeLogDirs } from './apis.ts';
import { batchOf, Bench } from './records.ts';
import { type VirtualTestWorld, virtualWorld } from './worlds.ts';

const DIRECTORIES = ['/data/a', '/data/b', '/data/c'];
const SETTINGS = { 'log.dirs': DIRECTORIES.join(','), 'metadata.log.dir': '/metadata' };

function testWithDisk(title: string, run: (world: VirtualTestWorld) => Promise<void>): void {
  test(title, { timeout: 60_000 }, async () => {
    const world = virtualWorld();
    await run(world);
    await world.end();
  });
}

/** Partitions of topic t by directory; null for a directory that is offline. */
async function partitionsByDirectory(bench: Bench): Promise<Map<string, number[] | null>> {
  const { errorCode, results } = await bench.world.wait(
    bench.client.call(DescribeLogDirs, 4, { topics: null }),
  );
  assert.equal(errorCode, ErrorCode.NONE);
  return new Map(
    results.map((result) => {
      if (result.errorCode === ErrorCode.KAFKA_STORAGE_ERROR) return [result.logDir, null];
      const [topic] = result.topics;
      return [
        result.logDir,
        (topic?.partitions ?? []).map(({ partitionIndex }) => partitionIndex).sort((a, b) => a - b),
      ];
    }),
  );
}

async function leaders(bench: Bench): Promise<Map<number, number>> {
  const { topics } = await bench.metadata(['t']);
  return new Map(topics[0]?.partitions.map(({ partitionIndex, leaderId }) => [partitionIndex, leaderId]));
}

testWithDisk(
  'new logs go where there are the fewest, and each directory says what it holds',
  async (world) => {
    const bench = await Bench.open(world, SETTINGS);
    await bench.createTopic('t', 6);
    const placed = await partitionsByDirectory(bench);
    assert.deepEqual([...placed.keys()], DIRECTORIES);
    for (const partitions of placed.values()) assert.equal(partitions?.length, 2);
    await bench.produce('t', batchOf(['some bytes']), { partition: 3 });
    const answer = await world.wait(
      bench.client.call(DescribeLogDirs, 2, { topics: [{ topic: 't', partitions: [3, 99] }] }),
    );
    const found = answer.results.flatMap(({ topics }) => topics.flatMap(({ partitions }) => partitions));
    assert.deepEqual(
      found.map(({ partitionIndex, offsetLag, isFutureKey }) => [partitionIndex, offsetLag, isFutureKey]),
      [[3, 0, false]],
    );
    assert.ok((found[0]?.partitionSize ?? 0) > 60);
  },
);

testWithDisk(
  'a directory that fails takes its partitions along and no others; they come back with it',
  async (world) => {
    const bench = await Bench.open(world, SETTINGS);
    await bench.createTopic('t', 6, { 'flush.messages': '1' });
    for (let partition = 0; partition < 6; partition++) {
      assert.equal((await bench.produce('t', batchOf(['before']), { partition })).errorCode, ErrorCode.NONE);
    }
    const lost = (await partitionsByDirectory(bench)).get('/data/b') ?? [];
    assert.equal(lost.length, 2);
    await world.pass(3000);
    const lift = world.disk.faults.add({ operation: 'flush', pathPrefix: '/data/b' });
    const [first] = lost as [number, number];
    const refused = await bench.produce('t', batchOf(['lost']), { partition: first });
    assert.equal(refused.errorCode, ErrorCode.KAFKA_STORAGE_ERROR);
    await world.pass(3000);
    assert.equal((await partitionsByDirectory(bench)).get('/data/b'), null);
    for (const [partition, leaderId] of await leaders(bench)) {
      assert.equal(leaderId, lost.includes(partition) ? -1 : 1, `partition ${partition}`);
      const { errorCode } = await bench.produce('t', batchOf(['after']), { partition });
      if (lost.includes(partition)) assert.notEqual(errorCode, ErrorCode.NONE);
      else assert.equal(errorCode, ErrorCode.NONE);
    }
    assert.equal(
      bench.world.lines.filter(({ message }) => message === 'A log directory goes offline').length,
      1,
    );
    lift();
    await bench.restart(SETTINGS);
    await world.pass(1000);
    for (const [partition, leaderId] of await leaders(bench)) {
      assert.equal(leaderId, 1, `partition ${partition}`);
      assert.equal((await bench.readAll('t', partition))[0], 'before');
    }
  },
);

testWithDisk(
  'a directory that fails before the controller knows what is in it loses its leaders all the same',
  async (world) => {
    const bench = await Bench.open(world, SETTINGS);
    const lift = world.disk.faults.add({ operation: 'flush', pathPrefix: '/data/c/t-' });
    await bench.createTopic('t', 3, { 'flush.messages': '1' });
    const sent = [0, 1, 2].map((partition) => bench.produceLater('t', batchOf(['x']), { partition }));
    await world.wait(Promise.all(sent));
    await world.pass(5000);
    assert.equal((await partitionsByDirectory(bench)).get('/data/c'), null);
    assert.deepEqual(
      [...(await leaders(bench)).values()].sort((a, b) => a - b),
      [-1, 1, 1],
    );
    lift();
  },
);

testWithDisk('a log that no topic claims is set aside under a name that says so', async (world) => {
  const bench = await Bench.open(world, SETTINGS);
  await bench.createTopic('t', 3);
  await world.wait(bench.broker.close());
  const directory = DIRECTORIES.find((path) => world.disk.exists(`${path}/t-0`)) as string;
  world.disk.rename(`${directory}/t-0`, `${directory}/gone-0`);
  await bench.startAgain(SETTINGS);
  const names = world.disk.list(directory).map(({ name }) => name);
  assert.ok(!names.includes('gone-0'));
  assert.ok(
    names.some((name) => /^gone-0\.[0-9a-f]{32}-stray$/.test(name)),
    names.join(' '),
  );
  assert.equal((await leaders(bench)).get(0), 1, 'the topic has an empty log instead');
  await bench.restart(SETTINGS);
  assert.ok(
    world.disk.list(directory).some(({ name }) => name.endsWith('-stray')),
    'it stays',
  );
});

testWithDisk('a directory that is a copy of another is refused with both names', async (world) => {
  const bench = await Bench.open(world, SETTINGS);
  await world.wait(bench.broker.close());
  const text = world.disk.readFile('/data/a/meta.properties');
  await world.wait(
    new Promise<void>((resolve) => world.disk.replaceFile('/data/b/meta.properties', text, () => resolve())),
  );
  await assert.rejects(world.start(SETTINGS), /\/data\/a and \/data\/b have the same directory id/);
});

testWithDisk('two copies of one log are refused with both paths', async (world) => {
  const bench = await Bench.open(world, SETTINGS);
  await bench.createTopic('t');
  await world.wait(bench.broker.close());
  const directory = DIRECTORIES.find((path) => world.disk.exists(`${path}/t-0`)) as string;
  const other = DIRECTORIES.find((path) => path !== directory) as string;
  world.disk.makeDirectory(`${other}/t-0`);
  await assert.rejects(world.start(SETTINGS), (error: Error) => {
    assert.match(error.message, /t-0 and .*t-0 are copies of one log/);
    return true;
  });
});

testWithDisk('an empty directory among old ones is formatted and takes new logs', async (world) => {
  const bench = await Bench.open(world, { ...SETTINGS, 'log.dirs': '/data/a,/data/b' });
  await bench.createTopic('t', 2);
  await bench.produce('t', batchOf(['old']));
  await bench.restart(SETTINGS);
  await bench.createTopic('u', 1);
  assert.ok(world.disk.exists('/data/c/u-0'), 'where there are the fewest');
  assert.deepEqual(await bench.readAll('t'), ['old']);
});

for (const [what, fault] of [
  ['whose logs cannot be read', { operation: 'read', pathPrefix: '/data/b/t-' }],
  ['that cannot be opened', { operation: 'open', pathPrefix: '/data/b/' }],
  ['that cannot be listed', { operation: 'list', pathPrefix: '/data/b' }],
] as const) {
  testWithDisk(
    `a directory ${what} at the start is offline: its partitions have no leader, and no empty log takes their place`,
    async (world) => {
      const bench = await Bench.open(world, SETTINGS);
      await bench.createTopic('t', 6);
      for (let partition = 0; partition < 6; partition++)
        await bench.produce('t', batchOf(['before']), { partition });
      const lost = (await partitionsByDirectory(bench)).get('/data/b') ?? [];
      await world.pass(3000);
      await world.wait(bench.broker.close());
      const lift = world.disk.faults.add(fault);
      await bench.startAgain(SETTINGS);
      await world.pass(3000);
      for (const [partition, leaderId] of await leaders(bench)) {
        const isLost = lost.includes(partition);
        assert.equal(leaderId, isLost ? -1 : 1, `partition ${partition}`);
        const { errorCode } = await bench.produce('t', batchOf(['after']), { partition });
        assert.equal(errorCode === ErrorCode.NONE, !isLost, `partition ${partition}: ${errorCode}`);
      }
      lift();
      await bench.restart(SETTINGS);
      await world.pass(3000);
      for (const [partition, leaderId] of await leaders(bench)) {
        assert.equal(leaderId, 1, `partition ${partition}`);
        const values = await bench.readAll('t', partition);
        assert.deepEqual(
          values,
          lost.includes(partition) ? ['before'] : ['before', 'after'],
          `partition ${partition}`,
        );
      }
    },
  );
}
