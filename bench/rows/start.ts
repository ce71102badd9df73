/** How long the broker takes to answer first, and what it keeps in memory when idle. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, ROOT, type Row, residentBytes, startBroker, withDirectory } from '../harness.ts';

const FIRST_ANSWER_MS = 150;
const HELP_MS = 100;
const IDLE_BYTES = 80e6;
const RUNS = 7;

/** Rows: first answer on a fresh directory, first answer after a clean stop, `--help`, idle memory. */
export async function startRows(): Promise<Row[]> {
  const fresh: number[] = [];
  const again: number[] = [];
  const idle: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    await withDirectory(async (directory) => {
      const first = await startBroker(directory);
      fresh.push(first.firstAnswerMs);
      if (run === 0) await sleep(3000);
      if (run === 0) idle.push(residentBytes(first.pid));
      await first.stop();
      const second = await startBroker(directory);
      again.push(second.firstAnswerMs);
      await second.stop();
    });
  }
  const help: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now();
    spawnSync(process.execPath, [join(ROOT, 'dist/odradek.mjs'), '--help']);
    help.push(performance.now() - started);
  }
  return [
    bound('first answer, fresh directory', median(fresh), FIRST_ANSWER_MS, 'ms'),
    bound('first answer, after a clean stop', median(again), FIRST_ANSWER_MS, 'ms'),
    bound('--help', median(help), HELP_MS, 'ms'),
    bound('idle, resident', median(idle) / 1e6, IDLE_BYTES / 1e6, 'MB'),
  ];
}

function bound(what: string, figure: number, most: number, unit: string): Row {
  return {
    what,
    measured: `${figure.toFixed(0)} ${unit}`,
    beside: `at most ${most} ${unit}`,
    ratio: figure <= most ? 'holds' : 'MISSED',
  };
}
