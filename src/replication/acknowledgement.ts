import { assert } from '../base/assert.ts';
import type { ErrorCode } from '../base/errors.ts';

/** Waits for one partition's high watermark to reach an offset. Extend it with what has to be done then. */
export abstract class AcknowledgementWaiter {
  /** Exclusive end of what was appended. */
  endOffset = 0;
  /** Neighbours in the queue; the queue's. */
  nextWaiter: AcknowledgementWaiter | null = null;
  previousWaiter: AcknowledgementWaiter | null = null;
  queued = false;

  /**
   * Called once: `NONE` when all in-sync replicas have it, `NOT_ENOUGH_REPLICAS_AFTER_APPEND`, or the reason why it will never be known. It must not
   * append to or wait on the same partition within the call.
   */
  abstract onAcknowledged(errorCode: ErrorCode): void;
}

/** Waiters of one partition, by ascending end offset; those added later stand behind equal ones. */
export class WaiterQueue {
  #head: AcknowledgementWaiter | null = null;
  #tail: AcknowledgementWaiter | null = null;

  /** Puts a waiter in its place; appends come in order, so that is the end, but for retries of older batches. */
  add(waiter: AcknowledgementWaiter): void {
    assert(!waiter.queued, 'a waiter waits once');
    let before = this.#tail;
    while (before !== null && before.endOffset > waiter.endOffset) before = before.previousWaiter;
    const after = before === null ? this.#head : before.nextWaiter;
    waiter.previousWaiter = before;
    waiter.nextWaiter = after;
    if (before === null) this.#head = waiter;
    else before.nextWaiter = waiter;
    if (after === null) this.#tail = waiter;
    else after.previousWaiter = waiter;
    waiter.queued = true;
  }

  /** Takes a waiter out; nothing happens when it is not in. */
  remove(waiter: AcknowledgementWaiter): void {
    if (!waiter.queued) return;
    const { previousWaiter, nextWaiter } = waiter;
    if (previousWaiter === null) this.#head = nextWaiter;
    else previousWaiter.nextWaiter = nextWaiter;
    if (nextWaiter === null) this.#tail = previousWaiter;
    else nextWaiter.previousWaiter = previousWaiter;
    waiter.previousWaiter = null;
    waiter.nextWaiter = null;
    waiter.queued = false;
  }

  /** Tells every waiter whose end is at or below `offset`, in order. */
  complete(offset: number, errorCode: ErrorCode): void {
    while (this.#head !== null && this.#head.endOffset <= offset) {
      const waiter: AcknowledgementWaiter = this.#head;
      this.remove(waiter);
      waiter.onAcknowledged(errorCode);
    }
  }

  /** Asserts order, and that nobody waits for what has come. @param highWatermark null while not the leader. */
  checkInvariants(highWatermark: number | null): void {
    let last = highWatermark ?? -1;
    for (let waiter = this.#head; waiter !== null; waiter = waiter.nextWaiter) {
      assert(highWatermark !== null, 'nobody waits on a partition that is not led');
      assert(waiter.endOffset >= last, 'waiters are in order of their offsets');
      assert(waiter.endOffset > highWatermark, 'nobody waits for what has come');
      last = waiter.endOffset;
    }
  }
}
