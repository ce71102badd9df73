import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { ErrorCode } from '../../src/base/errors.ts';
import { Broker } from '../../src/index.ts';
import { batchOf, Bench, recordsIn, valuesOf } from './records.ts';
import { ALL_WORLDS, testInWorlds, type TestWorld } from './worlds.ts';

testInWorlds('a record is written and read back, before and after a restart', writeAndRead, ALL_WORLDS);

async function writeAndRead(world: TestWorld): Promise<void> {
  const bench = await Bench.open(world);
  const { topics } = await bench.metadata(['greetings'], true);
  assert.equal(topics[0]?.errorCode, ErrorCode.NONE);
  assert.equal(topics[0]?.partitions[0]?.leaderId, 1);
  const produced = await bench.produce('greetings', batchOf(['hello', 'odradek']));
  assert.equal(produced.errorCode, ErrorCode.NONE);
  assert.equal(produced.baseOffset, 0);
  const fetched = await bench.fetch('greetings', 0);
  assert.equal(fetched.highWatermark, 2);
  assert.deepEqual(valuesOf(recordsIn(fetched.records)), ['hello', 'odradek']);
  await bench.restart();
  assert.deepEqual(await bench.readAll('greetings'), ['hello', 'odradek']);
  assert.equal((await bench.produce('greetings', batchOf(['again']))).baseOffset, 2);
  assert.deepEqual(await bench.readAll('greetings'), ['hello', 'odradek', 'again']);
}

testInWorlds(
  'what was acknowledged survives the end of the process',
  async (world) => {
    const bench = await Bench.open(world);
    await bench.createTopic('t', 3);
    const written: string[][] = [[], [], []];
    for (let i = 0; i < 60; i++) {
      const partition = i % 3;
      const values = [`${i}a`, `${i}b`];
      assert.equal((await bench.produce('t', batchOf(values), { partition })).errorCode, ErrorCode.NONE);
      written[partition]?.push(...values);
    }
    world.kill?.();
    await bench.startAgain();
    for (const partition of [0, 1, 2])
      assert.deepEqual(await bench.readAll('t', partition), written[partition]);
    bench.broker.checkInvariants();
  },
  ['virtual'],
);

testInWorlds(
  'a second broker on the same directory is refused and harms nobody',
  async (world) => {
    const one = await Bench.open(world);
    await assert.rejects(world.start(), { code: 'DIRECTORY_LOCKED' });
    await one.createTopic('t');
    assert.equal((await one.produce('t', batchOf(['x']))).errorCode, ErrorCode.NONE);
  },
  ['portable', 'addon'],
);

testInWorlds(
  'two brokers in one process know nothing of each other',
  async (world) => {
    const one = await Bench.open(world);
    const other = await Broker.start();
    try {
      assert.notEqual(other.port, one.broker.addresses[0]?.port);
      await one.createTopic('t');
      assert.equal((await one.produce('t', batchOf(['x']))).errorCode, ErrorCode.NONE);
      assert.equal(existsSync(other.dataDirectory), true);
    } finally {
      await other.close();
    }
    assert.equal(existsSync(other.dataDirectory), false);
    assert.deepEqual(await one.readAll('t'), ['x']);
  },
  ['addon'],
);
