import type { SimNode } from '../node.ts';
import { type Invariant, RaftViolation } from './invariant.ts';

/** Election safety. */
export class OneLeaderPerEpoch implements Invariant {
  readonly invariant = 'an epoch has one leader';
  readonly #leaders = new Map<number, number>();

  leads(node: SimNode, epoch: number): void {
    const other = this.#leaders.get(epoch);
    // A candidate that dies before it is on disk that it won may win again: nobody has heard of the first time. `OneEntryPerPlace` holds that.
    if (other !== undefined && other !== node.id)
      throw new RaftViolation(this, `${other} and ${node.id} lead epoch ${epoch}`, [other, node.id]);
    this.#leaders.set(epoch, node.id);
  }

  after(node: SimNode): void {
    const machine = node.member?.machine;
    if (machine?.role !== 'leader' || this.#leaders.get(machine.epoch) === node.id) return;
    throw new RaftViolation(this, `${node.id} leads epoch ${machine.epoch} without having taken it up`, [
      node.id,
    ]);
  }
}
