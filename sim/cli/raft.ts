// The simulator of the quorum as a command: `npm run sim:raft -- --seed 7` replays a seed, `--seeds 10000 --jobs 2` is the soak, `--fresh` takes a first seed that nobody
// chose, `--shrink` looks for a smaller run that fails as the seed does.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Violation } from '../checkers/checker.ts';
import { isMishap } from '../raft/mishaps.ts';
import { describeFailure } from '../raft/report.ts';
import { DEFAULT_EVENTS, type RaftResult, type RaftRun, simulateRaft } from '../raft/run.ts';
import { RAFT_SCENARIOS, type RaftScenarioName } from '../raft/scenario.ts';
import { shrink } from '../raft/shrink.ts';

const HELP = `npm run sim:raft -- [options]

  --seed N        the seed to run, or the first of --seeds (default 1)
  --seeds K       run K seeds, one after the other (default 1)
  --fresh         draw the first seed at random
  --jobs J        spread the seeds over J processes (default 1)
  --scenario S    ${RAFT_SCENARIOS.join(', ')} (default: the seed picks one)
  --nodes K       voters at first (default: the seed picks 3 or 5)
  --events N      events before everything heals (default ${DEFAULT_EVENTS})
  --without A,B   leave these mishaps out; "weather" is the network's
  --trace         print every line of the trace
  --bail          end at the first failing seed
  --until TEXT    end at the first seed whose failure has TEXT in it
  --shrink        look for a smaller run that fails in the same way
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    fresh: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '1' },
    scenario: { type: 'string' },
    nodes: { type: 'string' },
    events: { type: 'string' },
    without: { type: 'string' },
    trace: { type: 'boolean', default: false },
    bail: { type: 'boolean', default: false },
    until: { type: 'string' },
    shrink: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** What a number of seeds came to. */
interface Tally {
  seeds: number;
  failed: number;
  events: number;
  virtualMs: number;
  committed: number;
  elections: number;
  stranded: number;
}

function fail(message: string): never {
  console.error(`${message}\n\n${HELP}`);
  process.exit(2);
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) fail(`--${name} must be a whole number, not "${text}"`);
  return value;
}

function optionalNumber(name: 'nodes' | 'events'): number | undefined {
  const text = values[name];
  return text === undefined ? undefined : wholeNumber(name, text);
}

function scenarioNamed(text: string | undefined): RaftScenarioName | undefined {
  const known = RAFT_SCENARIOS.find((name) => name === text);
  if (text !== undefined && known === undefined) {
    fail(`there is no scenario "${text}"; there are ${RAFT_SCENARIOS.join(', ')}`);
  }
  return known;
}

function mishapsNamed(text: string | undefined): readonly string[] {
  const names = text?.split(',') ?? [];
  const unknown = names.find((name) => name !== 'weather' && !isMishap(name));
  if (unknown !== undefined) fail(`there is no mishap "${unknown}"`);
  return names;
}

function report(result: RaftResult, run: RaftRun): void {
  const { seed, scenario, events, virtualMs, committed, epochs, hash, failure } = result;
  const facts = `seed ${seed} ${scenario.name}: ${events} events, ${(virtualMs / 1000).toFixed(1)} virtual s, ${committed} committed, epoch ${epochs}, hash ${hash}`;
  if (failure === null) {
    if (!values.trace && count > 1) return;
    return console.log(`ok     ${facts}`);
  }
  if (!values.trace) for (const line of describeFailure(result)) console.log(line);
  const what = failure instanceof Violation ? failure.message : (failure.stack ?? String(failure));
  const without = run.without?.length ? ` --without ${run.without.join(',')}` : '';
  const again = `npm run sim:raft -- --seed ${seed} --scenario ${scenario.name}${run.nodes === undefined ? '' : ` --nodes ${run.nodes}`}${run.events === undefined ? '' : ` --events ${run.events}`}${without} --trace`;
  console.log(`FAILED ${facts}\n       ${what}\n       again: ${again}`);
}

function runHere(): Tally {
  const tally: Tally = {
    seeds: 0,
    failed: 0,
    events: 0,
    virtualMs: 0,
    committed: 0,
    elections: 0,
    stranded: 0,
  };
  const scenario = scenarioNamed(values.scenario);
  const print = values.trace ? (line: string): void => console.log(line) : undefined;
  for (let seed = first; seed < first + count; seed++) {
    const run: RaftRun = {
      seed,
      scenario,
      nodes: optionalNumber('nodes'),
      events: optionalNumber('events'),
      without: mishapsNamed(values.without),
    };
    const result = simulateRaft({ ...run, print });
    tally.seeds++;
    tally.events += result.events;
    tally.virtualMs += result.virtualMs;
    tally.committed += result.committed;
    tally.elections += result.epochs;
    if (result.isStranded) tally.stranded++;
    report(result, run);
    if (result.failure === null) continue;
    tally.failed++;
    if (values.shrink) {
      const smaller = shrink(run, result, (line) => console.log(`       ${line}`));
      report(simulateRaft({ ...smaller, print }), smaller);
    }
    if (values.bail || result.failure.message.includes(values.until ?? '\0')) break;
  }
  return tally;
}

/** Shares the seeds out among processes of their own; each prints its failures, and last its tally. */
async function runInJobs(jobs: number): Promise<Tally> {
  const share = Math.ceil(count / jobs);
  const shares: Promise<Tally>[] = [];
  for (let from = first; from < first + count; from += share) {
    shares.push(runJob(from, Math.min(share, first + count - from)));
  }
  const tallies = await Promise.all(shares);
  return tallies.reduce((a, b) => {
    for (const name of Object.keys(a) as (keyof Tally)[]) a[name] += b[name];
    return a;
  });
}

function runJob(from: number, seeds: number): Promise<Tally> {
  const passed = (['scenario', 'nodes', 'events', 'without', 'until'] as const).flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [`--${name}`, value];
  });
  const flags = (['trace', 'bail', 'shrink'] as const).flatMap((name) => (values[name] ? [`--${name}`] : []));
  const args = [import.meta.filename, '--seed', String(from), '--seeds', String(seeds), ...passed, ...flags];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, SIM_RAFT_JOB: '1' },
  });
  return new Promise((resolve, reject) => {
    let tally: Tally | null = null;
    child.on('message', (message) => {
      tally = message as Tally;
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (tally === null) reject(new Error(`the process for the seeds from ${from} on ended with ${code}`));
      else resolve(tally);
    });
  });
}

if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const first = values.fresh ? randomInt(1, 2 ** 31) : wholeNumber('seed', values.seed);
const count = wholeNumber('seeds', values.seeds);
const jobs = Math.min(wholeNumber('jobs', values.jobs), count);
const startedMs = performance.now();
const tally = jobs > 1 ? await runInJobs(jobs) : runHere();
if (process.send !== undefined && process.env['SIM_RAFT_JOB'] !== undefined) {
  await new Promise((resolve) => process.send?.(tally, resolve));
} else if (count > 1) {
  const seconds = (performance.now() - startedMs) / 1000;
  const rate = Math.round(tally.events / seconds);
  console.log(
    `${tally.seeds} seeds from ${first}: ${tally.failed} failed; ${tally.events} events in ${seconds.toFixed(1)} s (${rate}/s), ${Math.round(tally.virtualMs / 60_000)} virtual min, ${tally.elections} epochs, ${tally.committed} offsets committed, ${tally.stranded} left without a majority of disks`,
  );
}
process.exit(tally.failed === 0 ? 0 : 1);
