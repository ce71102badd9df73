import type { SimNode } from '../node.ts';
import { type Facts, type Invariant, RaftViolation } from './invariant.ts';

/** What the controllers and brokers show at one offset is the same on all nodes. */
export class ImagesAreEqual implements Invariant {
  readonly invariant = 'images at one offset are equal on all nodes';
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  published(node: SimNode, offset: number, image: number): void {
    const state = this.#facts.committed.at(offset);
    if (state?.image === image) return;
    throw new RaftViolation(
      this,
      `node ${node.id} shows ${image} at ${offset}; it should be ${state?.image}`,
      [node.id],
    );
  }
}
