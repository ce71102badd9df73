import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { simulate } from './run.ts';
import { SCENARIOS } from './scenario.ts';

/** Errors that the simulator found once. Each is kept as a planted one too, whose seed `tools/run-mutants.ts` proves to find it; here the same seed passes. */
const REGRESSIONS = [
  {
    title: 'a log whose partition.metadata was not yet written is adopted, not deleted',
    mutant: 'unnamed-log-is-deleted',
  },
  {
    title: 'what recovery found is flushed so that the high watermark passes it',
    mutant: 'recovered-tail-is-not-flushed',
  },
  {
    title: 'a topic that is deleted under a flush does not take its log directory offline',
    mutant: 'deletion-fails-the-directory',
  },
  {
    title: 'a new topic does not take over what a deleted one of its name left without an identity',
    mutant: 'records-before-identity',
  },
] as const;

suite('what the simulator found stays mended', () => {
  for (const { title, mutant } of REGRESSIONS) {
    test(title, async () => {
      const patch = readFileSync(join(import.meta.dirname, 'mutants', `${mutant}.patch`), 'utf8');
      const seed = /^Seed: (\d+)$/m.exec(patch)?.[1];
      assert.ok(seed !== undefined, 'the patch names its seed');
      const scenario = SCENARIOS.find((name) => patch.includes(`\nScenario: ${name}\n`));
      const { failure } = await simulate({ seed: Number(seed), scenario });
      assert.equal(failure, null);
    });
  }
});
