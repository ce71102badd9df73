import { assert } from '../base/assert.ts';
import { NONE } from '../records/batch.ts';

/** A transaction that has its marker, which not every replica has yet. */
interface Completed {
  readonly firstOffset: number;
  readonly lastOffset: number;
}

/** Stands for an empty map; never written to. */
const NO_TRANSACTIONS = new Map<number, never>();

/**
 * The transactions of one log that hold the last stable offset back:
 *
 * ```
 * begin ──▶ open ──complete──▶ unreplicated ──high watermark passes the marker──▶ forgotten
 * ```
 *
 * Transactions begin in the order of their first offsets.
 */
export class UnstableTransactions {
  /** Producer by first offset, ascending. Made for the first transaction: most logs have none. */
  #open: Map<number, number> = NO_TRANSACTIONS;
  /** By the offset of the marker. */
  #unreplicated: Completed[] = [];
  #firstUnreplicated = NONE;
  #highWatermark = 0;

  /** How many transactions are open. */
  get openCount(): number {
    return this.#open.size;
  }

  /** First offset of the earliest transaction that is open, or whose marker lies at or above the high watermark; -1 when there is none. */
  get firstUnstableOffset(): number {
    if (this.#open.size === 0) return this.#firstUnreplicated;
    const firstOpen = this.#firstOpen();
    return this.#firstUnreplicated === NONE ? firstOpen : Math.min(firstOpen, this.#firstUnreplicated);
  }

  /** A transaction begins at `firstOffset`, above all others. */
  begin(producerId: number, firstOffset: number): void {
    if (this.#open === NO_TRANSACTIONS) this.#open = new Map();
    this.#open.set(firstOffset, producerId);
  }

  /**
   * The open transaction that began at `firstOffset` has its marker, at `lastOffset`.
   * @returns the first offset of the earliest transaction that is still open, the offset after the marker without one
   */
  complete(firstOffset: number, lastOffset: number): number {
    assert(this.#open.delete(firstOffset), 'only an open transaction can end');
    if (lastOffset >= this.#highWatermark) {
      this.#unreplicated.push({ firstOffset, lastOffset });
      if (this.#firstUnreplicated === NONE || firstOffset < this.#firstUnreplicated)
        this.#firstUnreplicated = firstOffset;
    }
    return this.#open.size > 0 ? this.#firstOpen() : lastOffset + 1;
  }

  /** The high watermark is `offset` now. It goes back only when the log is cut. */
  setHighWatermark(offset: number): void {
    this.#highWatermark = offset;
    const first = this.#unreplicated[0];
    if (first === undefined || first.lastOffset >= offset) return;
    this.#unreplicated = this.#unreplicated.filter(({ lastOffset }) => lastOffset >= offset);
    this.#firstUnreplicated = this.#unreplicated.reduce(
      (least, { firstOffset }) => (least === NONE || firstOffset < least ? firstOffset : least),
      NONE,
    );
  }

  /** True if a marker at or above `offset` is remembered. */
  dependsOn(offset: number): boolean {
    return (this.#unreplicated.at(-1)?.lastOffset ?? NONE) >= offset;
  }

  /** Forgets all but the high watermark. */
  clear(): void {
    this.#open = NO_TRANSACTIONS;
    this.#unreplicated = [];
    this.#firstUnreplicated = NONE;
  }

  /** Asserts what must hold between two events. */
  checkInvariants(logEndOffset: number): void {
    let former = NONE;
    for (const firstOffset of this.#open.keys()) {
      assert(
        firstOffset > former && firstOffset < logEndOffset,
        'open transactions are in the log, in order',
      );
      former = firstOffset;
    }
    former = NONE;
    for (const { firstOffset, lastOffset } of this.#unreplicated) {
      assert(firstOffset < lastOffset && lastOffset > former, 'markers are in order');
      assert(lastOffset < logEndOffset && lastOffset >= this.#highWatermark, 'a marker waits for replicas');
      former = lastOffset;
    }
  }

  #firstOpen(): number {
    return this.#open.keys().next().value as number;
  }
}
