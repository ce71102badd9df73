import type { Snapshot } from '../batch.ts';
import type { SimNode } from '../node.ts';
import { type Invariant, RaftViolation } from './invariant.ts';

/** Only who follows replaces its log. */
export class LeaderLoadsNoSnapshot implements Invariant {
  readonly invariant = 'a leader never loads a snapshot';

  installs(node: SimNode, { id }: Snapshot): void {
    const { member } = node;
    if (member === null) return;
    const { role } = member.machine;
    if (role === 'follower' && !member.isLeading) return;
    throw new RaftViolation(this, `${node.id} is ${role} and loads snapshot ${id.endOffset}-${id.epoch}`, [
      node.id,
    ]);
  }
}
