import { Violation } from '../checkers/checker.ts';
import { DEFAULT_EVENTS, type RaftResult, type RaftRun, simulateRaft } from './run.ts';

/** Runs at most, so that it ends. */
const MAX_RUNS = 400;

/**
 * Looks for a smaller run that fails as `found` did: first fewer kinds of mishap, then fewer events before everything heals. What is left out changes what follows, so each is tried.
 * @param note is told what was reached
 * @param simulate runs what is tried
 */
export function shrink(
  run: RaftRun,
  found: RaftResult,
  note: (line: string) => void,
  simulate: (run: RaftRun) => RaftResult = simulateRaft,
): RaftRun {
  const wanted = invariantOf(found);
  let runs = 0;
  let best: RaftRun = { ...run, scenario: found.scenario.name };
  let fewestEvents = run.events ?? DEFAULT_EVENTS;
  const attempt = (smaller: RaftRun): boolean => {
    if (++runs > MAX_RUNS) return false;
    const result = simulate({ ...smaller, print: undefined });
    if (result.failure === null || invariantOf(result) !== wanted) return false;
    best = smaller;
    fewestEvents = Math.min(fewestEvents, smaller.events ?? fewestEvents, result.events);
    return true;
  };
  for (const kind of ['weather', ...Object.keys(found.scenario.mishaps)]) {
    const without = [...(best.without ?? []), kind];
    if (attempt({ ...best, without })) note(`fails without ${without.join(', ')}`);
  }
  let fails = fewestEvents;
  if (attempt({ ...best, events: fails })) {
    let passes = 0;
    while (fails - passes > 1) {
      const middle = (fails + passes) >> 1;
      if (attempt({ ...best, events: middle })) fails = middle;
      else passes = middle;
    }
  }
  note(`fails with ${best.events ?? DEFAULT_EVENTS} events; ${runs} runs`);
  return best;
}

function invariantOf({ failure }: RaftResult): string {
  if (failure instanceof Violation) return failure.invariant;
  return failure?.message ?? '';
}
