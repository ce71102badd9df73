import { VoterSet } from '../../../src/raft/voter-set.ts';
import type { Batch } from '../batch.ts';
import type { SimNode } from '../node.ts';
import { type Facts, type Invariant, RaftViolation } from './invariant.ts';

/** A set of voters differs from the one before it by one voter at most, and only when that is committed (KIP-853). */
export class OneVoterChangeAtATime implements Invariant {
  readonly invariant = 'the voters change one at a time';
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  appended(node: SimNode, batch: Batch): void {
    const { member } = node;
    const entry = batch.controlRecords.find(({ record }) => record.type === 'KRAFT_VOTERS');
    if (member === null || entry?.record.type !== 'KRAFT_VOTERS') return;
    const next = new VoterSet(entry.record.voters);
    const { voters, baseOffset } = this.#before(member.view.batches, batch);
    if (voters === null || sameMembers(voters, next)) return;
    const change = `${voters.toString()} to ${next.toString()}`;
    if (!voters.overlaps(next)) throw new RaftViolation(this, `${node.id} goes from ${change}`, [node.id]);
    // What a leader has committed in this very event it has not told yet.
    const highWatermark = member.machine.highWatermark;
    if (baseOffset < highWatermark) return;
    throw new RaftViolation(
      this,
      `${node.id} goes from ${change} with the former at ${baseOffset}, uncommitted`,
      [node.id],
    );
  }

  #before(batches: readonly Batch[], batch: Batch): { voters: VoterSet | null; baseOffset: number } {
    for (let i = batches.length - 1; i >= 0; i--) {
      const one = batches[i] as Batch;
      if (one === batch) continue;
      const record = one.controlRecords.findLast((entry) => entry.record.type === 'KRAFT_VOTERS')?.record;
      if (record?.type === 'KRAFT_VOTERS')
        return { voters: new VoterSet(record.voters), baseOffset: one.baseOffset };
    }
    const start = batches[0]?.baseOffset ?? 0;
    return { voters: this.#facts.committed.at(start)?.facts.voters ?? null, baseOffset: -1 };
  }
}

function sameMembers(a: VoterSet, b: VoterSet): boolean {
  return a.size === b.size && a.voters.every((voter) => b.has(voter));
}
