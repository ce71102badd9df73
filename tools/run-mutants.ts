// Proves that the simulator can find errors: applies each patch of sim/mutants/ to a copy of the sources, runs the simulator there and expects
// it to fail with the invariant the patch names, from outside alone (what the broker asserts of itself would be found by its own tests). `--search N` looks for a seed among the first N instead of replaying the pinned one.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { list } from './tidy/source.ts';

const ROOT = resolve(import.meta.dirname, '..');
const RUN_TIMEOUT_MS = 600_000;
/** Seeds among which an error is looked for when its pinned seed no longer finds it. */
const SEARCHED_SEEDS = '300';
const SEARCHED_RAFT_SEEDS = '1000';

/** A planted error, as the text above its patch describes it. */
interface Mutant {
  readonly path: string;
  /** Invariant that must catch it, as the simulator prints it. */
  readonly invariant: string;
  /** Seed known to catch it. */
  readonly seed: number;
  /** Scenario it needs; null when the seed picks one. */
  readonly scenario: string | null;
  /** What is run: the simulator of brokers, or with `Simulator: raft` that of the quorum. */
  readonly command: readonly string[];
}

const { values } = parseArgs({ options: { search: { type: 'string' }, only: { type: 'string' } } });

/** Reads `Invariant:`, `Seed:` and, where they stand, `Scenario:` and `Simulator:` above the diff. */
function readMutant(path: string): Mutant {
  const head = readFileSync(join(ROOT, path), 'utf8').split(/^(?:diff --git|---) /m)[0] ?? '';
  const invariant = /^Invariant: (.+)$/m.exec(head)?.[1];
  const seed = /^Seed: (\d+)$/m.exec(head)?.[1];
  if (invariant === undefined || seed === undefined)
    throw new Error(`${path} does not name its Invariant: and Seed:`);
  const scenario = /^Scenario: ([\w-]+)$/m.exec(head)?.[1] ?? null;
  const isRaft = /^Simulator: raft$/m.test(head);
  const command = isRaft ? ['sim/cli/raft.ts'] : ['sim/main.ts', '--outside'];
  return { path, invariant, seed: Number(seed), scenario, command };
}

/** A copy of what the simulator runs, with one error planted. */
function plant(mutant: Mutant): string {
  const copy = mkdtempSync(join(tmpdir(), 'odradek-mutant-'));
  for (const part of ['src', 'sim', 'package.json'])
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const apply = spawnSync('git', ['apply', '--verbose', join(ROOT, mutant.path)], {
    cwd: copy,
    encoding: 'utf8',
    env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
  });
  if (apply.status !== 0) throw new Error(`${mutant.path} no longer applies; make it anew.\n${apply.stderr}`);
  return copy;
}

/** True when the simulator in `copy` fails with the expected invariant. A seed that other changes have robbed of its luck is looked for anew. */
function isFound(mutant: Mutant, copy: string): boolean {
  const search = (count: string): string[] => ['--seed', '1', '--seeds', count, '--until', mutant.invariant];
  if (values.search !== undefined) return isFoundBy(mutant, copy, search(values.search));
  if (isFoundBy(mutant, copy, ['--seed', String(mutant.seed)])) return true;
  const count = mutant.command[0] === 'sim/cli/raft.ts' ? SEARCHED_RAFT_SEEDS : SEARCHED_SEEDS;
  console.log(
    `       not by its pinned seed ${mutant.seed} any more: looking among ${count}, pin what is found`,
  );
  return isFoundBy(mutant, copy, search(count));
}

function isFoundBy(mutant: Mutant, copy: string, seeds: readonly string[]): boolean {
  const scenario = mutant.scenario === null ? [] : ['--scenario', mutant.scenario];
  const run = spawnSync(process.execPath, [...mutant.command, ...seeds, ...scenario], {
    cwd: copy,
    encoding: 'utf8',
    timeout: RUN_TIMEOUT_MS,
    maxBuffer: 1 << 26,
  });
  const found = run.status === 1 && run.stdout.includes(mutant.invariant);
  const failures = run.stdout.match(/^FAILED .*\n.*$/gm) ?? [];
  const failed =
    failures.find((text) => text.includes(mutant.invariant)) ?? failures[0] ?? `exit code ${run.status}`;
  console.log(`${found ? 'found ' : 'MISSED'} ${mutant.path}: ${failed}`);
  return found;
}

const mutants = list('sim/mutants/*.patch')
  .filter((path) => path.includes(values.only ?? ''))
  .map(readMutant);
if (mutants.length === 0) throw new Error('no mutants were found');
let missed = 0;
for (const mutant of mutants) {
  const copy = plant(mutant);
  try {
    if (!isFound(mutant, copy)) missed++;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
console.log(`${mutants.length - missed} of ${mutants.length} planted errors were found`);
process.exit(missed === 0 ? 0 : 1);
