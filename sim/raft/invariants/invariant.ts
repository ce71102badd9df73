import type { Uuid } from '../../../src/base/uuid.ts';
import { Violation } from '../../checkers/checker.ts';
import type { Committed } from '../committed.ts';
import type { Disk } from '../disk.ts';
import type { Hooks, SimNode } from '../node.ts';

/** What invariants may look at besides the node an event is about. */
export interface Facts {
  readonly committed: Committed;
  /** All nodes by their ids, running or not. */
  readonly nodes: ReadonlyMap<number, SimNode>;
  /** Every directory there has ever been, lost ones too: as they were when they were lost. */
  readonly disks: ReadonlyMap<Uuid, Disk>;
}

/** One invariant, held after every event. One file each; a hook is called when what it is named for happens. */
export interface Invariant extends Hooks {
  /** As a sentence; what a failing run prints and what a planted error names. */
  readonly invariant: string;
}

/** Ends the run: the invariant is broken. `node` and `others` are those whose last events tell how. */
export class RaftViolation extends Violation {
  readonly nodeIds: readonly number[];

  constructor(invariant: Invariant, detail: string, nodeIds: readonly number[]) {
    super(invariant.invariant, detail);
    this.nodeIds = nodeIds;
  }
}
