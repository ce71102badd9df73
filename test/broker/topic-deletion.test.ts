import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, errorName } from '../../src/base/errors.ts';
import { DeleteTopics } from './apis.ts';
import { batchOf, Bench } from './records.ts';
import { testInWorlds, virtualWorld } from './worlds.ts';

const WRITERS = 4;
const ROUNDS = 40;

testInWorlds(
  'writers and readers of a topic that is deleted are told so, those of others notice nothing',
  async (world) => {
    const bench = await Bench.open(world);
    await bench.createTopic('doomed', 2, { 'internal.segment.bytes': '3000' });
    await bench.createTopic('kept', 2, { 'internal.segment.bytes': '3000' });
    const codes = { doomed: [] as string[], kept: [] as string[] };
    let deleted = false;
    const write = async (topic: 'doomed' | 'kept', partition: number): Promise<void> => {
      const client = await world.connect(bench.broker);
      // Those of the doomed topic go on until they are told.
      let last = 'NONE';
      for (let i = 0; topic === 'kept' ? i < ROUNDS : last === 'NONE'; i++) {
        const answer = await bench.produceLater(topic, batchOf(['v'.repeat(200)]), { partition }, client);
        last = errorName(answer.responses[0]?.partitionResponses[0]?.errorCode ?? -1);
        codes[topic].push(last);
      }
    };
    const read = async (topic: 'doomed' | 'kept'): Promise<string[]> => {
      const client = await world.connect(bench.broker);
      const found: string[] = [];
      for (let offset = 0; topic === 'doomed' || offset < ROUNDS * (WRITERS / 2); ) {
        const answer = await bench.fetchLater(topic, offset, { maxWaitMs: 500 }, client);
        const data = answer.responses[0]?.partitions[0];
        found.push(errorName(data?.errorCode ?? -1));
        if (data === undefined || data.errorCode !== ErrorCode.NONE) break;
        offset = Math.max(offset, data.highWatermark);
      }
      return found;
    };
    const remove = async (): Promise<void> => {
      while (codes.doomed.length < ROUNDS) await bench.produceLater('kept', batchOf(['x']), { partition: 1 });
      await bench.client.call(DeleteTopics, 4, { topicNames: ['doomed'], timeoutMs: 5000 });
      deleted = true;
    };
    const all = Promise.all([
      read('doomed'),
      read('kept'),
      remove(),
      ...Array.from({ length: WRITERS }, (_, i) => write('doomed', i % 2)),
      ...Array.from({ length: WRITERS }, (_, i) => write('kept', i % 2)),
    ]);
    const [ofDoomed, ofKept] = await world.wait(all);
    assert.ok(deleted);
    assert.deepEqual([...new Set(codes.kept)], ['NONE']);
    assert.deepEqual([...new Set(ofKept)], ['NONE']);
    assert.deepEqual([...new Set(codes.doomed)], ['NONE', 'UNKNOWN_TOPIC_OR_PARTITION']);
    assert.equal(ofDoomed.at(-1), 'UNKNOWN_TOPIC_OR_PARTITION');
    assert.equal(codes.doomed.at(-1), 'UNKNOWN_TOPIC_OR_PARTITION');
    assert.equal((await bench.readAll('kept')).length, ROUNDS * (WRITERS / 2));
    bench.broker.checkInvariants();
  },
);

test('the files of a deleted topic stay for file.delete.delay.ms, also when one of its name is made anew', async () => {
  const world = virtualWorld();
  const bench = await Bench.open(world);
  const configs = { 'internal.segment.bytes': '300', 'file.delete.delay.ms': '5000' };
  await bench.createTopic('t', 1, configs);
  for (let i = 0; i < 10; i++) await bench.produce('t', batchOf(['v'.repeat(200)]));
  const named = (prefix: string, suffix: string) =>
    world.disk.list('/data').filter(({ name }) => name.startsWith(prefix) && name.endsWith(suffix));
  await world.wait(bench.client.call(DeleteTopics, 4, { topicNames: ['t'], timeoutMs: 5000 }));
  await bench.createTopic('t', 1, configs);
  await bench.produce('t', batchOf(['new']));
  await world.pass(4000);
  const [old] = named('t-0.', '-delete');
  assert.ok(old);
  assert.equal(
    world.disk.list(`/data/${old.name}`).filter(({ name }) => name.endsWith('.log')).length,
    10,
    'all of it is still there',
  );
  await world.pass(1500);
  assert.deepEqual(named('t-0.', '-delete'), []);
  assert.deepEqual(await bench.readAll('t'), ['new']);
  await world.end();
});
