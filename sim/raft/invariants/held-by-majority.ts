import { ZERO_UUID } from '../../../src/base/uuid.ts';
import type { Voter } from '../../../src/raft/voter-set.ts';
import { type Batch, describeBatch } from '../batch.ts';
import type { SimNode } from '../node.ts';
import { type Facts, type Invariant, RaftViolation } from './invariant.ts';

/** What a leader commits is durable at a majority of its voters, and ends with an entry of its own epoch (Raft, section 5.4.2). */
export class HeldByMajority implements Invariant {
  readonly invariant = 'what is committed is held, synced, by a majority';
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  committed(node: SimNode, offset: number): void {
    const { member } = node;
    if (member === null || !member.isLeading) return;
    const last = member.view.batchAt(offset - 1);
    if (last === null) return;
    const { voters } = member.machine;
    const holders = voters?.voters.filter((voter) => this.#holds(voter, last)) ?? [];
    if (holders.length >= (voters?.majority ?? 0)) return;
    const detail = `${node.id} commits ${describeBatch(last)}, which only ${holders.map(({ voterId }) => voterId).join(', ')} of ${voters?.toString()} hold durably`;
    throw new RaftViolation(this, detail, [node.id, ...(voters?.ids ?? [])]);
  }

  #holds(voter: Voter, batch: Batch): boolean {
    const disk =
      voter.voterDirectoryId === ZERO_UUID
        ? this.#facts.nodes.get(voter.voterId)?.disk
        : this.#facts.disks.get(voter.voterDirectoryId);
    return disk?.keeps(batch) === true;
  }
}
