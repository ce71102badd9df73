import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { reportOf, type RunReport, type Task } from '../report.ts';
import { simulate } from '../run.ts';

/** Runs `tasks`, several at a time; `onReport` gets each result as it comes and may say that it is enough. */
export async function runTasks(
  tasks: Iterable<Task>,
  jobs: number,
  onReport: (report: RunReport) => 'go on' | 'stop',
): Promise<void> {
  const left = tasks[Symbol.iterator]();
  let stopped = false;
  const next = (): Task | null => {
    const step = stopped ? null : left.next();
    return step === null || step.done === true ? null : step.value;
  };
  const take = (report: RunReport): void => {
    if (onReport(report) === 'stop') stopped = true;
  };
  if (jobs > 1) {
    await Promise.all(Array.from({ length: jobs }, () => runInChild(next, take)));
    return;
  }
  for (let task = next(); task !== null; task = next()) take(reportOf(task, await simulate(task)));
}

/** One process that is given a task whenever it has finished another. What ends it without a result is the failure of its task. */
function runInChild(next: () => Task | null, take: (report: RunReport) => void): Promise<void> {
  return new Promise((resolve) => {
    const child: ChildProcess = fork(join(import.meta.dirname, 'worker.ts'));
    let running: Task | null = null;
    const give = (): void => {
      running = next();
      if (running === null) child.disconnect();
      else child.send(running);
    };
    child.on('message', (report: RunReport) => {
      take(report);
      give();
    });
    child.on('exit', (code, signal) => {
      if (running !== null) take(lost(running, `the process ended with ${signal ?? code}`));
      resolve();
    });
    give();
  });
}

function lost(task: Task, failure: string): RunReport {
  return {
    task,
    seed: task.seed,
    scenario: task.scenario ?? 'everything',
    failure,
    hash: '',
    events: 0,
    virtualMs: 0,
    acknowledged: 0,
    observed: 0,
    operations: 0,
    lastLines: [],
  };
}
