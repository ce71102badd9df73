import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Violation } from '../checkers/checker.ts';
import { type RaftResult, type RaftRun, simulateRaft } from './run.ts';
import { shrink } from './shrink.ts';

/** A run that breaks an invariant from event 137 on, where clocks jump; with fewer events, another one. */
function broken(run: RaftRun): RaftResult {
  const result = simulateRaft({ ...run, events: 1 });
  const needed = run.without?.includes('jump') !== true;
  const events = run.events ?? 2_000;
  const failure = needed && events >= 137 ? new Violation('something holds', `at ${events}`) : null;
  const other = events < 50 ? new Violation('something else holds', 'early') : null;
  return { ...result, events: Math.min(events, 900), failure: failure ?? other };
}

test('the shrinker leaves out what a failure does not need, and finds the fewest events, of the same failure', () => {
  const run: RaftRun = { seed: 3, scenario: 'skew' };
  const notes: string[] = [];
  const smaller = shrink(run, broken(run), (line) => notes.push(line), broken);
  assert.equal(smaller.events, 137);
  assert.equal(smaller.scenario, 'skew');
  assert.ok(!smaller.without?.includes('jump'), 'what it needs stays');
  for (const kind of ['weather', 'skew', 'burst', 'cut-leader', 'snapshot']) {
    assert.ok(smaller.without?.includes(kind), `${kind} is left out`);
  }
  assert.ok(notes.some((line) => line.includes('137 events')));
});
