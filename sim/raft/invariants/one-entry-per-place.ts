import { type Batch, describeBatch } from '../batch.ts';
import type { SimNode } from '../node.ts';
import { type Invariant, RaftViolation } from './invariant.ts';

/** Log matching (Raft, section 5.3): what leaves a leader at one offset in one epoch is always the same. */
export class OneEntryPerPlace implements Invariant {
  readonly invariant = 'an epoch has one entry at an offset';
  /** By epoch, then base offset. */
  readonly #fetched = new Map<number, Map<number, Batch>>();

  fetched(node: SimNode, batch: Batch): void {
    let ofEpoch = this.#fetched.get(batch.epoch);
    if (ofEpoch === undefined) {
      ofEpoch = new Map();
      this.#fetched.set(batch.epoch, ofEpoch);
    }
    const known = ofEpoch.get(batch.baseOffset);
    if (known === undefined) ofEpoch.set(batch.baseOffset, batch);
    else if (known !== batch) {
      const detail = `node ${node.id} is sent ${describeBatch(batch)}; another was sent ${describeBatch(known)}`;
      throw new RaftViolation(this, detail, [node.id]);
    }
  }
}
