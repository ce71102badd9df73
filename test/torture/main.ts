// Kills the built broker with SIGKILL again and again while several producers write to it on the real disk, and looks each time whether everything acknowledged is there.
//
//     npm run torture -- [--kills 200] [--seed N]
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Random } from '../../src/base/random.ts';
import { createTopics, withClient } from '../harness/node-content.ts';
import { type OdradekBroker, prepareOdradek } from '../harness/odradek-broker.ts';
import { temporaryDirectory } from '../harness/temporary.ts';
import { verify } from './verify.ts';
import { Writer, type WriterPlan } from './writer.ts';

/** Segments of 1 MiB roll often; nothing is deleted, so that all of it can be looked at. */
const BROKER_SETTINGS = {
  'log.segment.bytes': '1048576',
  'log.index.interval.bytes': '4096',
  'log.retention.ms': '-1',
  'metadata.log.max.record.bytes.between.snapshots': '2000',
  'log.flush.offset.checkpoint.interval.ms': '1000',
};

/** Topics by the configs that make their logs different. */
const TOPICS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: {},
  flushed: { 'flush.messages': '1' },
  recompressed: { 'compression.type': 'lz4' },
};

const PLANS: readonly WriterPlan[] = [
  { topic: 'plain', partition: 0, acks: -1, idempotent: true, compression: 0, window: 400 },
  { topic: 'plain', partition: 1, acks: 1, idempotent: false, compression: 0, window: 200 },
  { topic: 'plain', partition: 2, acks: -1, idempotent: true, compression: 4, window: 400 },
  { topic: 'flushed', partition: 0, acks: -1, idempotent: true, compression: 0, window: 100 },
  { topic: 'recompressed', partition: 0, acks: -1, idempotent: false, compression: 1, window: 100 },
];

/** Share of the starts that are killed before they are done. */
const KILLED_STARTS = 0.15;

async function torture(kills: number, random: Random): Promise<void> {
  const directory = temporaryDirectory('torture');
  const broker = await prepareOdradek(join(directory.path, 'data'), BROKER_SETTINGS);
  const startedMs = performance.now();
  let killedStarts = 0;
  try {
    await broker.process.start();
    for (const [topic, configs] of Object.entries(TOPICS))
      await withClient(broker.process.port, (client) => createTopics(client, [topic], configs));
    const writers = PLANS.map((plan) => new Writer(plan, broker.process.bootstrap));
    const verified = new Map<Writer, number>();
    for (const writer of writers) writer.start();
    for (let kill = 1; kill <= kills; kill++) {
      await pause(random.between(20, random.pick([100, 400, 1500])));
      await broker.process.kill();
      if (random.chance(KILLED_STARTS)) {
        killedStarts++;
        broker.process.launch();
        await pause(random.below(250));
        await broker.process.kill();
      }
      await broker.process.start();
      await verifyAll(broker, writers, verified);
      if (kill % 20 === 0) console.log(`${kill} kills, ${total(writers)} records acknowledged, all there`);
    }
    await Promise.all(writers.map((writer) => writer.stop()));
    verified.clear();
    await verifyAll(broker, writers, verified);
    const records = [...verified.values()].reduce((sum, end) => sum + end, 0);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    console.log(
      `${kills} kills under load and ${killedStarts} in the midst of a start, in ${seconds} s: all of ${total(writers)} acknowledged records are there (${records} in all), and the logs loaded each time`,
    );
  } finally {
    await broker.process.dispose();
    directory.remove();
  }
}

async function verifyAll(
  broker: OdradekBroker,
  writers: readonly Writer[],
  verified: Map<Writer, number>,
): Promise<void> {
  for (const writer of writers) {
    if (writer.failure !== null)
      throw new Error(`a record of ${writer.plan.topic} failed`, { cause: writer.failure });
    // Once more what may have been written since: a crash must not change it.
    const from = Math.max((verified.get(writer) ?? 0) - 50, 0);
    verified.set(writer, await verify(writer, broker.process.bootstrap, from));
  }
}

function total(writers: readonly Writer[]): number {
  return writers.reduce((sum, { acknowledgedCount }) => sum + acknowledgedCount, 0);
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, seed: { type: 'string' } },
});
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const kills = Number(values.kills);
if (!Number.isSafeInteger(kills) || kills < 1 || !Number.isSafeInteger(seed)) {
  console.error('--kills must be a whole number above 0, --seed a whole number');
  process.exit(2);
}
console.log(`seed ${seed}`);
await torture(kills, new Random(seed));
