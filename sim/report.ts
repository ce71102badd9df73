import { Violation } from './checkers/checker.ts';
import type { SimulationOptions, SimulationResult } from './run.ts';

/** What is to be run, as it may be told to another process. */
export type Task = Omit<SimulationOptions, 'print'>;

/** What came of it, likewise. */
export type RunReport = Omit<SimulationResult, 'failure' | 'operations'> & {
  readonly task: Task;
  /** Null when every invariant held. */
  readonly failure: string | null;
  /** How many. */
  readonly operations: number;
};

/** A result without what another process could not be told. */
export function reportOf(task: Task, result: SimulationResult): RunReport {
  const { failure, operations, ...rest } = result;
  const text = failure instanceof Violation ? failure.message : (failure?.stack ?? String(failure));
  return { ...rest, task, failure: failure === null ? null : text, operations: operations.length };
}

/** One line, or for a failed run the end of its trace, what was broken, and how to run it again. */
export function describe(report: RunReport): string {
  const { seed, scenario, events, virtualMs, acknowledged, observed, hash, failure, task } = report;
  const at = task.crashAt === undefined || task.crashAt === null ? null : task.crashAt;
  const crash = at === null ? '' : `, ${at.kind} at operation ${at.operation}`;
  const facts = `seed ${seed} ${scenario}${crash}: ${events} events, ${(virtualMs / 1000).toFixed(1)} virtual s, ${acknowledged} acknowledged, ${observed} read, hash ${hash}`;
  if (failure === null) return `ok     ${facts}`;
  const more = [
    at === null ? '' : ` --crash-at ${at.operation} --crash-kind ${at.kind}`,
    task.events === undefined ? '' : ` --events ${task.events}`,
  ].join('');
  return [
    ...report.lastLines,
    `FAILED ${facts}`,
    `       ${failure}`,
    `       again: npm run sim -- --seed ${seed} --scenario ${scenario}${more} --trace`,
  ].join('\n');
}
