import type { Uuid } from '../../../src/base/uuid.ts';
import type { SimNode, SimProcess } from '../node.ts';
import { type Invariant, RaftViolation } from './invariant.ts';

/** Epoch and high watermark of a process only rise; an epoch that was told outlives restarts and losses of power. */
export class NeverBack implements Invariant {
  readonly invariant = 'epoch and high watermark never go back';
  readonly #last = new WeakMap<SimProcess, { epoch: number; highWatermark: number }>();
  readonly #told = new Map<Uuid, number>();

  started(node: SimNode): void {
    const told = this.#told.get(node.disk.directoryId) ?? 0;
    const epoch = node.member?.machine.epoch ?? 0;
    if (epoch < told)
      throw new RaftViolation(this, `node ${node.id} told epoch ${told} and starts in ${epoch}`, [node.id]);
  }

  told(node: SimNode, epoch: number): void {
    const { directoryId } = node.disk;
    if (epoch > (this.#told.get(directoryId) ?? 0)) this.#told.set(directoryId, epoch);
  }

  after(node: SimNode): void {
    const { member } = node;
    if (member === null) return;
    const { epoch, highWatermark } = member.machine;
    const last = this.#last.get(member);
    if (last === undefined) {
      this.#last.set(member, { epoch, highWatermark });
      return;
    }
    if (epoch < last.epoch)
      throw new RaftViolation(this, `epoch of ${node.id} from ${last.epoch} to ${epoch}`, [node.id]);
    if (highWatermark < last.highWatermark) {
      throw new RaftViolation(
        this,
        `high watermark of ${node.id} from ${last.highWatermark} to ${highWatermark}`,
        [node.id],
      );
    }
    last.epoch = epoch;
    last.highWatermark = highWatermark;
  }
}
