import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { simulateRaft } from './run.ts';
import { RAFT_SCENARIOS } from './scenario.ts';

suite('a simulated quorum', () => {
  test('gives the same trace for the same seed, byte for byte, in every scenario', () => {
    for (const scenario of RAFT_SCENARIOS) {
      const traces = [0, 1].map(() => {
        const lines: string[] = [];
        const { failure, hash } = simulateRaft({
          seed: 12,
          scenario,
          events: 600,
          print: (line) => lines.push(line),
        });
        assert.equal(failure, null, `${scenario}: ${failure?.message}`);
        return { hash, lines };
      });
      assert.deepEqual(traces[0], traces[1], scenario);
      assert.ok((traces[0]?.lines.length ?? 0) > 20, `${scenario}: something happened`);
    }
  });

  test('gives different traces for different seeds', () => {
    const one = simulateRaft({ seed: 1, scenario: 'power', events: 300 });
    const other = simulateRaft({ seed: 2, scenario: 'power', events: 300 });
    assert.notEqual(one.hash, other.hash);
  });
});
