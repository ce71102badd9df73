// A process that runs what its parent sends it, one after the other; see `jobs.ts`.
import process from 'node:process';
import { reportOf, type Task } from '../report.ts';
import { simulate } from '../run.ts';

process.on('message', (task: Task) => {
  simulate(task).then(
    (result) => process.send?.(reportOf(task, result)),
    (error: unknown) => {
      throw error;
    },
  );
});
