// The simulator as a command: `npm run sim -- --seed 7` replays a seed, `--seeds 200` runs that many from `--seed` on, `--fresh` takes a first
// seed that nobody chose, `--exhaustive` crashes a short run at every operation of its disk.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { crashesAtEach, operationsOf } from './exhaustive.ts';
import { runTasks } from './cli/jobs.ts';
import { describe, type RunReport, reportOf, type Task } from './report.ts';
import { simulate } from './run.ts';
import { SCENARIOS, type ScenarioName } from './scenario.ts';

const HELP = `npm run sim -- [options]

  --seed N        the seed to run, or the first of --seeds (default 1)
  --seeds K       run K seeds (default 1)
  --fresh         draw the first seed at random
  --scenario S    ${SCENARIOS.join(', ')} (default: the seed picks one)
  --events N      events before everything heals (default 2000; 400 with --exhaustive)
  --jobs N        processes that share the seeds (default 1)
  --exhaustive    run each seed again and again, with a crash at every operation of its disk (default scenario: segments)
  --crash-at N    with a crash at the N-th operation of its disk, and no other trouble
  --crash-kind K  kill (default) or power
  --outside       do not ask the broker for its own invariants
  --trace         print every line of the trace; one seed only
  --quiet         print failures and the end only
  --bail          end at the first failing seed
  --until TEXT    end at the first seed whose failure has TEXT in it
`;

const EXHAUSTIVE_EVENTS = 400;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    fresh: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    events: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    exhaustive: { type: 'boolean', default: false },
    'crash-at': { type: 'string' },
    'crash-kind': { type: 'string', default: 'kill' },
    outside: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    bail: { type: 'boolean', default: false },
    until: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) fail(`--${name} must be a whole number, not "${text}"`);
  return value;
}

function scenarioNamed(text: string | undefined): ScenarioName | undefined {
  const known = SCENARIOS.find((name) => name === text);
  if (text !== undefined && known === undefined)
    fail(`there is no scenario "${text}"; there are ${SCENARIOS.join(', ')}`);
  return known;
}

function fail(message: string): never {
  console.error(`${message}\n\n${HELP}`);
  process.exit(2);
}

/** What all tasks have in common; `seed` is that of the first. */
function commonTask(): Task {
  const { 'crash-at': crashAt, 'crash-kind': kind } = values;
  if (kind !== 'kill' && kind !== 'power') fail('--crash-kind is kill or power');
  const first = values.fresh ? randomInt(1, 2 ** 31) : wholeNumber('seed', values.seed);
  const scenario = scenarioNamed(values.scenario) ?? (values.exhaustive ? 'segments' : undefined);
  const events = values.events === undefined ? undefined : wholeNumber('events', values.events);
  return {
    seed: first,
    scenario,
    events: events ?? (values.exhaustive ? EXHAUSTIVE_EVENTS : undefined),
    looksInside: !values.outside,
    ...(crashAt === undefined ? {} : { crashAt: { operation: wholeNumber('crash-at', crashAt), kind } }),
  };
}

/** The sum of what was run. */
class Tally {
  runs = 0;
  failed = 0;
  events = 0;
  acknowledged = 0;
  observed = 0;
  /** Runs in which nothing was acknowledged, which show little. */
  idle = 0;
  readonly #startedMs = performance.now();

  add({ failure, events, acknowledged, observed }: RunReport): void {
    this.runs++;
    if (failure !== null) this.failed++;
    this.events += events;
    this.acknowledged += acknowledged;
    this.observed += observed;
    if (acknowledged + observed === 0) this.idle++;
  }

  toString(): string {
    const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(1);
    return `${this.runs} runs: ${this.failed} failed; ${this.events} events, ${this.acknowledged} acknowledged, ${this.observed} read, ${this.idle} runs with neither, ${seconds} s`;
  }
}

async function runAll(tasks: Iterable<Task>, tally: Tally): Promise<void> {
  await runTasks(tasks, wholeNumber('jobs', values.jobs), (report) => {
    tally.add(report);
    if (report.failure !== null || !values.quiet) console.log(describe(report));
    const wanted = values.until !== undefined && report.failure?.includes(values.until) === true;
    return wanted || (values.bail && report.failure !== null) ? 'stop' : 'go on';
  });
}

async function trace(task: Task): Promise<void> {
  const report = reportOf(task, await simulate({ ...task, print: (line) => console.log(line) }));
  console.log(describe({ ...report, lastLines: [] }));
  process.exit(report.failure === null ? 0 : 1);
}

if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const common = commonTask();
const count = wholeNumber('seeds', values.seeds);
if (values.trace) await trace(common);
const tally = new Tally();
const seeds = Array.from({ length: count }, (_, i) => ({ ...common, seed: common.seed + i }));
if (values.exhaustive) {
  for (const task of seeds) {
    const operations = await operationsOf(task);
    const kinds = operations.kinds.map(([kind, times]) => `${times} ${kind}`).join(', ');
    console.log(`seed ${task.seed}: ${operations.count} operations: ${kinds}`);
    await runAll(crashesAtEach(task, operations.count), tally);
  }
} else {
  await runAll(seeds, tally);
}
if (tally.runs > 1) console.log(`from seed ${common.seed}: ${String(tally)}`);
process.exit(tally.failed === 0 ? 0 : 1);
