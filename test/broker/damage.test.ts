import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { Random } from '../../src/base/random.ts';
import { damages, damageText, makeSample, type Outcome, type Sample, startOn } from './damage.ts';

/** Cases of each directory; 0 is every byte of every file (`ODRADEK_DAMAGE_CASES=0 npm test -- damage`). */
const CASES = Number(process.env.ODRADEK_DAMAGE_CASES ?? 160);
const SEED = 11;

suite('a data directory with one damaged file is served as far as it is sound, or refused by its name', () => {
  const samples: Sample[] = [];
  before(async () => {
    samples.push(await makeSample(true), await makeSample(false));
  });

  for (const [i, name] of ['after a clean stop', 'after a crash'].entries()) {
    test(name, async (t) => {
      const sample = samples[i] as Sample;
      const failures: string[] = [];
      const outcomes = new Map<Outcome, number>();
      for (const damage of damages(sample, CASES, new Random(SEED))) {
        try {
          const outcome = await startOn(sample, damage);
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        } catch (error) {
          failures.push(`${damageText(damage)}: ${String((error as Error).message).split('\n')[0]}`);
        }
      }
      t.diagnostic([...outcomes].map(([outcome, count]) => `${outcome}: ${count}`).join(', '));
      assert.deepEqual(failures, []);
    });
  }
});
