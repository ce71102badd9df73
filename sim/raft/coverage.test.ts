import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulateRaft } from './run.ts';

/** What a good number of seeds must have led to, as the trace tells it; a scenario that never gets there finds nothing. */
const REACHED: Readonly<Record<string, RegExp>> = {
  'a leader that is not the first': /leads epoch [2-9]/,
  'a log that is cut': /truncates to/,
  'a snapshot that is fetched': /installs snapshot/,
  'a log that begins later': /drops the log/,
  'a voter more than at first': /appends KRAFT_VOTERS \{1:.*2:.*3:.*4:/,
  'a voter fewer': /appends KRAFT_VOTERS \{(1|2):[^,]*, [23]:[^,]*\}/,
  'a disk that is lost': /loses its disk/,
  'a write that fails': /a write failed/,
  'a lead that is given up': /leads epoch \d+ no more/,
  'a loss of power': /loses power/,
};

test('the scenarios lead to what they are there for', () => {
  const missing = new Map(Object.entries(REACHED));
  for (let seed = 1; seed <= 120 && missing.size > 0; seed++) {
    simulateRaft({
      seed,
      print: (line) => {
        for (const [what, pattern] of missing) if (pattern.test(line)) missing.delete(what);
      },
    });
  }
  assert.deepEqual([...missing.keys()], []);
});

test('a quorum whose voters are configured is upgraded to voters in its log, and these change', () => {
  let upgraded = 0;
  let changed = 0;
  for (let seed = 1; seed <= 60; seed++) {
    let isUpgraded = false;
    const { scenario } = simulateRaft({
      seed,
      scenario: 'membership',
      print: (line) => {
        isUpgraded ||= /appends KRAFT_VERSION 1/.test(line);
        if (isUpgraded && /is asked to (add|remove)/.test(line)) changed++;
      },
    });
    if (scenario.cluster.kraftVersion === 0 && isUpgraded) upgraded++;
  }
  assert.ok(upgraded > 0 && changed > 0, `${upgraded} upgrades, ${changed} changes`);
});
