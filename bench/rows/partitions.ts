/** Many partitions: making, starting after both kinds of stop, stopping; and recovery of a large log beside a bare program that checks the same files. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  bareProgram,
  cpuSeconds,
  logBytes,
  logFiles,
  median,
  type Row,
  residentBytes,
  type Server,
  startBroker,
  withDirectory,
} from '../harness.ts';
import { createTopic, fillTopic } from '../topics.ts';

/** Bound of the first answer with a thousand partitions after a clean stop. */
const FIRST_ANSWER_MS = 300;
const PARTITIONS_PER_TOPIC = 1000;
const RUNS = 3;
const LOG_BYTES = 800e6;
const BATCH_BYTES = 16_384;
const SETTLE_MS = 300;
/** CPU seconds in one look below which a broker has settled. */
const SETTLED_SECONDS = 0.02;

/** Rows for 1,000 and 10,000 partitions, and for recovery. */
export async function partitionRows(): Promise<Row[]> {
  return [...(await countRows(1000)), ...(await countRows(10_000)), ...(await recoveryRows())];
}

async function countRows(partitions: number): Promise<Row[]> {
  return await withDirectory(async (directory) => {
    const name = `${partitions.toLocaleString('en')} partitions`;
    const first = await startBroker(directory, { watchLoop: true });
    await first.loop();
    const creation = await timed(async () => {
      for (let i = 0; i < partitions / PARTITIONS_PER_TOPIC; i++)
        await createTopic(first, `topic${i}`, PARTITIONS_PER_TOPIC);
    });
    const { longestStallMs } = await first.loop();
    await settled(first);
    const bytes = residentBytes(first.pid);
    const stops = [await timed(() => first.stop())];
    const clean: number[] = [];
    const crashed: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const second = await startBroker(directory);
      clean.push(second.firstAnswerMs);
      await settled(second);
      await kill(second);
      const third = await startBroker(directory);
      crashed.push(third.firstAnswerMs);
      await settled(third);
      stops.push(await timed(() => third.stop()));
    }
    const bound = partitions === 1000;
    return [
      row(`${name}, made`, `${creation.toFixed(0)} ms`, { stall: `${longestStallMs.toFixed(1)} ms` }),
      row(`${name}, resident`, `${(bytes / 1e6).toFixed(0)} MB`),
      row(`${name}, first answer after a clean stop`, `${median(clean).toFixed(0)} ms`, {
        beside: bound ? `at most ${FIRST_ANSWER_MS} ms` : '',
        ratio: !bound ? '' : median(clean) <= FIRST_ANSWER_MS ? 'holds' : 'MISSED',
      }),
      row(`${name}, first answer after kill -9`, `${median(crashed).toFixed(0)} ms`),
      row(`${name}, stop`, `${median(stops).toFixed(0)} ms`),
    ];
  });
}

/** Loading a log that must be checked, by the broker's own word, beside the bare program; both read from the page cache. */
async function recoveryRows(): Promise<Row[]> {
  return await withDirectory(async (directory) => {
    const first = await startBroker(directory);
    await createTopic(first, 'large', 1);
    await fillTopic(first, 'large', BATCH_BYTES, LOG_BYTES);
    await first.stop();
    const ours: number[] = [];
    const bare: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      await kill(await startBroker(directory));
      const bytes = logBytes(directory, 'large-0');
      // What was flushed by the stop is durable and only its headers are looked at: the checkpoint must say nothing for all to be checked.
      spawnSync('rm', [`${directory}/recovery-point-offset-checkpoint`]);
      const logFile = `${directory}/bench-log`;
      const recovered = await startBroker(directory, { logFile });
      await recovered.stop();
      const took = /"checkedBytes":(\d+),"tookMs":(\d+)/.exec(readFileSync(logFile, 'utf8'));
      if (Number(took?.[1]) !== bytes) throw new Error(`${took?.[1]} of ${bytes} bytes were checked`);
      ours.push(bytes / (Number(took?.[2]) / 1000));
      const input = `${logFiles(directory, 'large-0').join('\n')}\n`;
      const check = spawnSync(bareProgram('recover'), { input, encoding: 'utf8' });
      if (check.status !== 0) throw new Error(`recover failed: ${check.stderr}`);
      const { seconds } = JSON.parse(check.stdout) as { readonly seconds: number };
      bare.push(bytes / seconds);
    }
    const [mine, other] = [median(ours), median(bare)];
    return [
      row('recovery of one log, bytes checked', `${gigabytes(mine)} GB/s`, {
        beside: `${gigabytes(other)} GB/s`,
        ratio: `${(other / mine).toFixed(2)} × the time`,
      }),
    ];
  });
}

function row(what: string, measured: string, more: Partial<Row> = {}): Row {
  return { what, measured, beside: '', ratio: '', ...more };
}

function gigabytes(bytesPerSecond: number): string {
  return (bytesPerSecond / 1e9).toFixed(2);
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

/** Waits until the broker does nothing more. */
async function settled(broker: Server): Promise<void> {
  for (let before = cpuSeconds(broker.pid); ; ) {
    await sleep(SETTLE_MS);
    const after = cpuSeconds(broker.pid);
    if (after - before < SETTLED_SECONDS) return;
    before = after;
  }
}

async function kill(broker: Server): Promise<void> {
  process.kill(broker.pid, 'SIGKILL');
  await broker.stop();
}
