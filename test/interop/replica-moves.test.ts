import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ErrorCode } from '../../src/base/errors.ts';
import { FaultBench, TOPIC } from '../harness/fault-bench.ts';
import { eventually } from '../harness/wait.ts';

test('a replica moves between real directories under load and through kill -9', async (t) => {
  const bench = await FaultBench.start(t);
  await bench.createTopic({ 'segment.bytes': '1048576' });
  const [from, to] = bench.directories;
  const partition = bench.partitionIn(from);
  const name = `${TOPIC}-${partition}`;
  for (let i = 0; i < 60; i++) await bench.mustProduce(partition, `${i} ${'m'.repeat(100_000)}`);
  for (let round = 0; round < 4; round++) {
    const [source, target] = round % 2 === 0 ? [from, to] : [to, from];
    assert.equal(await bench.moveReplica(partition, target), ErrorCode.NONE);
    for (let i = 0; i < 5 * round; i++) await bench.mustProduce(partition, `round ${round}, ${i}`);
    await bench.restart();
    await eventually(
      'the replica is where it was to go',
      () => existsSync(join(target, name)) && !existsSync(join(source, name)),
      { timeoutMs: 20_000 },
    );
    await bench.untilWritable(partition);
    await bench.checkAcknowledged(partition);
  }
});
