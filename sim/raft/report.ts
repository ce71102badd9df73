import { RaftViolation } from './invariants/invariant.ts';
import type { RaftResult } from './run.ts';

const KEPT_LINES = 60;

/** The last events before a failure: of the nodes concerned, where it says which those are, and of the world. */
export function describeFailure({ failure, lastLines }: RaftResult): readonly string[] {
  const nodeIds = failure instanceof RaftViolation ? new Set([0, ...failure.nodeIds]) : null;
  const lines =
    nodeIds === null
      ? lastLines
      : lastLines.filter((line) => nodeIds.has(Number(/^ *[\d.]+ {2}n(\d+) /.exec(line)?.[1] ?? 0)));
  return lines.slice(-KEPT_LINES);
}
