import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { simulateRaft } from './run.ts';
import { RAFT_SCENARIOS } from './scenario.ts';

const MUTANTS = join(import.meta.dirname, '..', 'mutants');
/** Seeds of each scenario that run here; the soak runs many more. */
const SEEDS = 3;

suite('what was planted into the quorum, or found in it, is not there', () => {
  for (const name of readdirSync(MUTANTS).filter((one) => one.startsWith('raft-'))) {
    test(`the seed that finds ${name} passes without it`, () => {
      const patch = readFileSync(join(MUTANTS, name), 'utf8');
      const seed = /^Seed: (\d+)$/m.exec(patch)?.[1];
      assert.ok(seed !== undefined, 'the patch names its seed');
      const scenario = RAFT_SCENARIOS.find((one) => patch.includes(`\nScenario: ${one}\n`));
      const { failure, events } = simulateRaft({ seed: Number(seed), scenario });
      assert.equal(failure, null);
      assert.ok(events > 1_000, 'something happened');
    });
  }
});

suite('a simulated quorum keeps its invariants and comes to rest', () => {
  for (const scenario of RAFT_SCENARIOS) {
    test(`in the scenario ${scenario}`, () => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { failure, committed } = simulateRaft({ seed, scenario });
        assert.equal(failure, null, `seed ${seed}: ${failure?.message}`);
        assert.ok(committed > 0, `seed ${seed}: something is committed`);
      }
    });
  }
});
