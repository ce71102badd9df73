/** Ten thousand connections: idle ones, and ones whose fetch waits for records. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  cpuSeconds,
  hold,
  loadBeside,
  type Row,
  residentBytes,
  type Server,
  startBroker,
  withDirectory,
} from '../harness.ts';
import { apiVersionsFrame, batchOfSize, fetchFrame, framed, produceFrame } from '../requests.ts';
import { createTopic } from '../topics.ts';

const CONNECTIONS = 10_000;
const IDLE_BYTES = 100e6;
const PARTITIONS = 100;
const SETTLE_MS = 3000;
const IDLE_MS = 5000;

/** Rows: memory and CPU of idle connections; of waiting fetches also the time until all have been woken by one record in each partition. */
export async function manyRows(): Promise<Row[]> {
  return [...(await idleRows()), ...(await waitingRows())];
}

async function idleRows(): Promise<Row[]> {
  return await withDirectory(async (directory) => {
    const broker = await startBroker(directory);
    const before = residentBytes(broker.pid);
    const frames = [framed(apiVersionsFrame())];
    const held = await hold(broker.port, { connections: CONNECTIONS, frames, answered: true });
    await sleep(SETTLE_MS);
    const bytes = residentBytes(broker.pid);
    const share = await cpuShare(broker);
    await held.end();
    await broker.stop();
    return [
      {
        what: '10,000 idle connections, resident',
        measured: `${(bytes / 1e6).toFixed(0)} MB (${(before / 1e6).toFixed(0)} MB without)`,
        beside: `at most ${IDLE_BYTES / 1e6} MB`,
        ratio: bytes <= IDLE_BYTES ? 'holds' : 'MISSED',
      },
      { what: '10,000 idle connections, CPU', measured: percent(share), beside: '', ratio: '' },
    ];
  });
}

async function waitingRows(): Promise<Row[]> {
  return await withDirectory(async (directory) => {
    const broker = await startBroker(directory, { watchLoop: true });
    const topicId = await createTopic(broker, 'waited', PARTITIONS);
    const before = residentBytes(broker.pid);
    const wanted = { topicId, offset: 0, maxBytes: 1 << 20, maxWaitMs: 60_000 };
    const frames = Array.from({ length: PARTITIONS }, (_, partition) => fetchFrame({ ...wanted, partition }));
    const held = await hold(broker.port, { connections: CONNECTIONS, frames, answered: false });
    await sleep(SETTLE_MS);
    const bytes = residentBytes(broker.pid);
    const share = await cpuShare(broker);
    await broker.loop();
    const { tookMs, lastUs } = await wakeAll(broker, held);
    const { longestStallMs } = await broker.loop();
    await held.end();
    await broker.stop();
    return [
      {
        what: '10,000 waiting fetches, resident',
        measured: `${(bytes / 1e6).toFixed(0)} MB (${(before / 1e6).toFixed(0)} MB without)`,
        beside: '',
        ratio: '',
      },
      { what: '10,000 waiting fetches, CPU', measured: percent(share), beside: '', ratio: '' },
      {
        what: '10,000 waiting fetches, all woken',
        measured: `${tookMs.toFixed(0)} ms (${((tookMs * 1000) / CONNECTIONS).toFixed(1)} µs each)`,
        beside: `last at ${(lastUs / 1000).toFixed(0)} ms`,
        ratio: '',
        stall: `${longestStallMs.toFixed(1)} ms`,
      },
    ];
  });
}

/** Writes one record to each partition; returns how long it took until the last fetch was answered, from the first answer and from the first record. */
async function wakeAll(
  broker: Server,
  held: Awaited<ReturnType<typeof hold>>,
): Promise<{ readonly tookMs: number; readonly lastUs: number }> {
  const { batch } = batchOfSize(200, 200);
  const frames = Array.from({ length: PARTITIONS }, (_, partition) =>
    produceFrame('waited', partition, batch),
  );
  const startedUs = Number(process.hrtime.bigint()) / 1000;
  await loadBeside(broker.port, { frames, connections: 1, depth: 64, seconds: 20, answers: PARTITIONS });
  const { firstUs, lastUs } = await held.answered();
  return { tookMs: (lastUs - firstUs) / 1000, lastUs: lastUs - startedUs };
}

async function cpuShare(broker: Server): Promise<number> {
  const before = cpuSeconds(broker.pid);
  await sleep(IDLE_MS);
  return (cpuSeconds(broker.pid) - before) / (IDLE_MS / 1000);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} % of a core`;
}
