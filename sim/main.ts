// The simulator as a command: `npm run sim -- --seed 7` replays a seed, `--seeds 200` runs that many from `--seed` on, `--fresh` takes a first
// seed that nobody chose.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Violation } from './checkers/checker.ts';
import { type SimulationResult, simulate } from './run.ts';
import { SCENARIOS, type ScenarioName } from './scenario.ts';

const HELP = `npm run sim -- [options]

  --seed N        the seed to run, or the first of --seeds (default 1)
  --seeds K       run K seeds, one after the other (default 1)
  --fresh         draw the first seed at random
  --scenario S    ${SCENARIOS.join(', ')} (default: the seed picks one)
  --events N      events before everything heals (default 2000)
  --outside       do not ask the broker for its own invariants
  --trace         print every line of the trace
  --bail          end at the first failing seed
  --until TEXT    end at the first seed whose failure has TEXT in it
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    fresh: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    events: { type: 'string' },
    outside: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
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

function report(result: SimulationResult): void {
  const { seed, scenario, events, virtualMs, acknowledged, observed, hash, failure } = result;
  const facts = `seed ${seed} ${scenario}: ${events} events, ${(virtualMs / 1000).toFixed(1)} virtual s, ${acknowledged} acknowledged, ${observed} read, hash ${hash}`;
  if (failure === null) return console.log(`ok     ${facts}`);
  if (!values.trace) for (const line of result.lastLines) console.log(line);
  const what = failure instanceof Violation ? failure.message : (failure.stack ?? String(failure));
  console.log(
    `FAILED ${facts}\n       ${what}\n       again: npm run sim -- --seed ${seed} --scenario ${scenario} --trace`,
  );
}

if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const first = values.fresh ? randomInt(1, 2 ** 31) : wholeNumber('seed', values.seed);
const count = wholeNumber('seeds', values.seeds);
const scenario = scenarioNamed(values.scenario);
const events = values.events === undefined ? undefined : wholeNumber('events', values.events);
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  const result = await simulate({
    seed,
    scenario,
    events,
    looksInside: !values.outside,
    print: values.trace ? (line) => console.log(line) : undefined,
  });
  report(result);
  if (result.failure !== null) failed++;
  if (failed > 0 && values.bail) break;
  if (values.until !== undefined && result.failure?.message.includes(values.until)) break;
}
if (count > 1) console.log(`${count} seeds from ${first}: ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
