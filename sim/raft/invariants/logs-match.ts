import { type Batch, describeBatch } from '../batch.ts';
import type { SimNode, SimProcess } from '../node.ts';
import { type Facts, type Invariant, RaftViolation } from './invariant.ts';

/** Log matching and state machine safety: what one node takes for committed, all do. Comes first: it is what learns what is committed. */
export class LogsMatch implements Invariant {
  readonly invariant = 'logs match up to the smaller high watermark';
  readonly #facts: Facts;
  readonly #checked = new WeakMap<SimProcess, number>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  started(node: SimNode): void {
    const { member } = node;
    if (member !== null) this.#check(node, member, member.machine.highWatermark);
  }

  committed(node: SimNode, offset: number): void {
    const { member } = node;
    if (member !== null) this.#check(node, member, offset);
  }

  fetched(node: SimNode, batch: Batch): void {
    const endOffset = node.member?.view.endOffset ?? 0;
    if (batch.baseOffset === endOffset) return;
    const detail = `node ${node.id} appends ${describeBatch(batch)} to a log that ends at ${endOffset}`;
    throw new RaftViolation(this, detail, [node.id]);
  }

  truncates(node: SimNode, endOffset: number): void {
    const { member } = node;
    const checked = (member && this.#checked.get(member)) ?? 0;
    if (endOffset >= checked) return;
    throw new RaftViolation(this, `node ${node.id} cuts at ${endOffset} what is committed up to ${checked}`, [
      node.id,
    ]);
  }

  #check(node: SimNode, member: SimProcess, offset: number): void {
    const { view } = member;
    const { committed } = this.#facts;
    const from = Math.max(this.#checked.get(member) ?? 0, view.startOffset);
    for (let i = view.indexAfter(from); i < view.batches.length; i++) {
      const batch = view.batches[i] as Batch;
      if (batch.endOffset > offset) break;
      if (batch.baseOffset === committed.endOffset) committed.add(batch, member.machine.epoch);
      const known = committed.log.batchAt(batch.baseOffset);
      if (known === batch) continue;
      const detail = `node ${node.id} takes ${describeBatch(batch)} for committed; committed is ${describeBatch(known)}`;
      throw new RaftViolation(this, detail, [node.id]);
    }
    this.#checked.set(member, Math.max(offset, from));
  }
}
