import type { Task } from './report.ts';
import { simulate } from './run.ts';

/** What a run does to its disk when nothing goes wrong. */
export interface Operations {
  readonly count: number;
  /** How often each kind of operation comes, the most frequent first. */
  readonly kinds: readonly (readonly [string, number])[];
}

/** Runs a seed once without any crash and looks at what it does to its disk. @throws the failure of the run */
export async function operationsOf(task: Task): Promise<Operations> {
  const { failure, operations } = await simulate({ ...task, crashAt: null });
  if (failure !== null) throw failure;
  const kinds = new Map<string, number>();
  for (const operation of operations) kinds.set(operation, (kinds.get(operation) ?? 0) + 1);
  return { count: operations.length, kinds: [...kinds].sort((a, b) => b[1] - a[1]) };
}

/** The same run once for each operation, with the machine going down there: the process alone, and with its power. */
export function* crashesAtEach(task: Task, count: number): Generator<Task> {
  for (let operation = 1; operation <= count; operation++) {
    for (const kind of ['kill', 'power'] as const) yield { ...task, crashAt: { operation, kind } };
  }
}
