import assert from 'node:assert/strict';
import { batchOf, Bench, recordsIn, valuesOf } from './records.ts';
import { testInWorlds } from './worlds.ts';

testInWorlds(
  'a topic with preallocated segments is written, rolled, stopped and read again',
  async (world) => {
    const bench = await Bench.open(world);
    const configs = { preallocate: 'true', 'internal.segment.bytes': '20000' };
    await bench.createTopic('t', 1, configs);
    const values = Array.from({ length: 60 }, (_, i) => `${i}`.repeat(500).slice(0, 1000));
    for (let round = 0; round < 2; round++) {
      for (const value of values.slice(round * 30, round * 30 + 30))
        await bench.produce('t', batchOf([value]));
      const found: string[] = [];
      for (let offset = 0; offset < (round + 1) * 30; offset = found.length) {
        const { records } = await bench.fetch('t', offset);
        found.push(...valuesOf(recordsIn(records, offset)));
      }
      assert.deepEqual(found, values.slice(0, (round + 1) * 30));
      await bench.restart();
    }
    assert.equal((await bench.fetch('t', 60)).errorCode, 0);
  },
);
