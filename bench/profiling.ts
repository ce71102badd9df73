/** Profiles of brokers under a benchmark: V8's of the JavaScript, and Linux `perf`'s of everything, where that is installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = process.env.ODRADEK_BENCH_PROFILE;
const SAMPLES_PER_SECOND = 1999;
const recorders: ChildProcess[] = [];

/** Flags that make a Node process write a profile when it ends; none unless profiles are wanted. */
export function profilerArguments(): string[] {
  if (FOLDER === undefined) return [];
  return ['--cpu-prof', '--cpu-prof-interval', '250', '--cpu-prof-dir', FOLDER];
}

/** Begins to record what a broker's threads do, kernel included, if profiles are wanted and `perf` is there. */
export function recordNative(pid: number): void {
  if (FOLDER === undefined || spawnSync('perf', ['--version']).status !== 0) return;
  const file = join(FOLDER, `perf-${pid}.data`);
  const args = ['record', '-q', '-F', String(SAMPLES_PER_SECOND), '-o', file, '-p', String(pid)];
  recorders.push(spawn('perf', args, { stdio: 'ignore' }));
}

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Self time in microseconds by function, over all profiles of a folder. */
function selfTimes(folder: string): Map<string, number> {
  const times = new Map<string, number>();
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'))) {
    const profile = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Profile;
    const labels = new Map(
      profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
        id,
        `${functionName || '(anonymous)'} ${url.replace(/^.*\//, '')}${lineNumber > 0 ? `:${lineNumber + 1}` : ''}`,
      ]),
    );
    for (const [i, id] of profile.samples.entries()) {
      const label = labels.get(id) ?? '?';
      times.set(label, (times.get(label) ?? 0) + (profile.timeDeltas[i] ?? 0));
    }
  }
  return times;
}

const IDLE = /^\((idle|root)\)/;

/** The functions that took the most time themselves, without what was idle; one line each. */
export function topFunctions(folder: string, count: number): string[] {
  const times = [...selfTimes(folder)].filter(([label]) => !IDLE.test(label)).sort((a, b) => b[1] - a[1]);
  let total = 0;
  for (const [, time] of times) total += time;
  const lines = times.slice(0, count).map(([label, time]) => `${percent(time / total)}  ${label}`);
  const native = times.find(([label]) => label.startsWith('(program)'))?.[1] ?? 0;
  return [`native code and kernel, as V8 sees it: ${percent(native / total).trim()}`, ...lines];
}

/** What `perf` recorded, by symbol; empty when it did not. */
export async function topSymbols(folder: string, count: number): Promise<string[]> {
  await Promise.all(recorders.map((recorder) => stopped(recorder)));
  const lines: string[] = [];
  for (const name of existsSync(folder)
    ? readdirSync(folder).filter((file) => file.startsWith('perf-'))
    : []) {
    const args = [
      'report',
      '-i',
      join(folder, name),
      '--stdio',
      '--no-children',
      '-s',
      'dso,symbol',
      '-g',
      'none',
    ];
    const { stdout } = spawnSync('perf', args, { encoding: 'utf8', maxBuffer: 64 << 20 });
    const rows = stdout.split('\n').filter((line) => /^\s+\d/.test(line));
    lines.push(`${name}:`, ...rows.slice(0, count).map((line) => line.trimEnd()));
  }
  return lines;
}

async function stopped(recorder: ChildProcess): Promise<void> {
  if (recorder.exitCode !== null || recorder.signalCode !== null) return;
  const gone = new Promise((done) => recorder.once('exit', done));
  recorder.kill('SIGINT');
  await gone;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`.padStart(7);
}
