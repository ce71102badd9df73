import { describeBatch } from '../batch.ts';
import type { SimNode } from '../node.ts';
import { type Invariant, RaftViolation } from './invariant.ts';

/** A leader counts replicas only for entries of its own epoch: those of earlier ones are committed with them (Raft, section 5.4.2). */
export class OwnEpochCommits implements Invariant {
  readonly invariant = 'a leader commits earlier epochs only with an entry of its own';

  committed(node: SimNode, offset: number): void {
    const { member } = node;
    if (member === null || !member.isLeading) return;
    const last = member.view.batchAt(offset - 1);
    const { epoch } = member.machine;
    if (last === null || last.epoch === epoch) return;
    throw new RaftViolation(
      this,
      `${node.id} leads epoch ${epoch} and commits by count ${describeBatch(last)}`,
      [node.id],
    );
  }
}
