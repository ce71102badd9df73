import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { simulate } from './run.ts';
import { SCENARIOS } from './scenario.ts';

/** Errors that it found and that no planted one repeats. */
const SEEDS = [
  { title: 'what recovery cut to nothing is flushed by the next stop in good order', seed: 1079 },
  { title: 'the high watermark is not below the log start after a recovery', seed: 204 },
  { title: 'a new log does not begin where a deleted one of its name began', seed: 1134 },
  {
    title: 'a file that is replaced in a directory that was removed meanwhile is an error of the disk',
    seed: 1078,
  },
] as const;

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
    title:
      'a log that lost all its records in a crash begins where its checkpoint said, also after the next crash',
    mutant: 'restarted-log-without-a-name',
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
  for (const { title, seed } of SEEDS) {
    test(title, async () => {
      const { failure } = await simulate({ seed, scenario: 'segments' });
      assert.equal(failure, null);
    });
  }
});
