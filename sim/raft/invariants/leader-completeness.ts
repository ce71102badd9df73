import { describeBatch } from '../batch.ts';
import type { SimNode } from '../node.ts';
import { type Facts, type Invariant, RaftViolation } from './invariant.ts';

/** Leader completeness (Raft, section 5.4). */
export class LeaderCompleteness implements Invariant {
  readonly invariant = "what is committed is in every later leader's log";
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  leads(node: SimNode, epoch: number): void {
    const view = node.member?.view;
    if (view === undefined) return;
    const { committed } = this.#facts;
    const { log } = committed;
    for (const batch of log.batches.slice(log.indexAfter(view.startOffset))) {
      const own = view.batchAt(batch.baseOffset);
      // What a later epoch has committed, the voters that elected this leader need not have known.
      if (own === batch || (committed.at(batch.endOffset)?.committedIn ?? 0) >= epoch) continue;
      throw new RaftViolation(
        this,
        `node ${node.id} leads epoch ${epoch} with ${describeBatch(own)} where ${describeBatch(batch)} is committed`,
        [node.id],
      );
    }
  }
}
