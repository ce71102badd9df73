import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { simulate } from './run.ts';
import { SCENARIOS } from './scenario.ts';

suite('a simulation', () => {
  for (const scenario of SCENARIOS) {
    test(`of scenario ${scenario} gives the same trace for the same seed, byte for byte`, async () => {
      const lines: string[][] = [[], []];
      for (const kept of lines) {
        const { failure } = await simulate({
          seed: 12,
          scenario,
          events: 1_000,
          print: (line) => kept.push(line),
        });
        assert.equal(failure, null);
      }
      assert.deepEqual(lines[0], lines[1]);
      assert.ok((lines[0]?.length ?? 0) > 20, 'something happened');
    });
  }

  test('gives different traces for different seeds', async () => {
    const one = await simulate({ seed: 1, scenario: 'kill', events: 300 });
    const other = await simulate({ seed: 2, scenario: 'kill', events: 300 });
    assert.notEqual(one.hash, other.hash);
  });
});
