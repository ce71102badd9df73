import type { Snapshot } from '../batch.ts';
import type { SimNode } from '../node.ts';
import { type Facts, type Invariant, RaftViolation } from './invariant.ts';

/** A snapshot ends where a committed batch does, with that epoch, the image of all before it, and the quorum as it was. */
export class SnapshotIsReplay implements Invariant {
  readonly invariant = 'a snapshot ends at a committed offset and equals the replay';
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  snapshotted(node: SimNode, snapshot: Snapshot): void {
    this.#check(node, snapshot);
  }

  installs(node: SimNode, snapshot: Snapshot): void {
    this.#check(node, snapshot);
  }

  #check(node: SimNode, { id, facts, image }: Snapshot): void {
    const name = `snapshot ${id.endOffset}-${id.epoch} of node ${node.id}`;
    const state = this.#facts.committed.at(id.endOffset);
    const fail = (what: string): never => {
      throw new RaftViolation(this, `${name} ${what}`, [node.id]);
    };
    if (state === null) return fail('ends where no committed batch does');
    if (state.epoch !== id.epoch) fail(`is of another epoch than what is committed: ${state.epoch}`);
    if (state.image !== image) fail('is another state than the replay');
    if (state.facts.kraftVersion !== facts.kraftVersion) fail(`has kraft.version ${facts.kraftVersion}`);
    const expected = state.facts.voters;
    const isSame = expected === null ? facts.voters === null : facts.voters?.equals(expected) === true;
    if (!isSame) fail(`has the voters ${facts.voters?.toString()}; they are ${expected?.toString()}`);
  }
}
