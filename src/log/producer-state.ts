import { assert } from '../base/assert.ts';
import { ErrorCode } from '../base/errors.ts';
import type { BatchView } from '../records/batch.ts';
import { NONE } from '../records/batch.ts';
import { firstSequenceOf, isNextSequence, type ProducerBatch, ProducerEntry } from './producer-entry.ts';

/** A batch whose place is reserved and that is not published yet; `ticket` is the lane's own record of the append. */
interface PendingBatch<Ticket> {
  readonly epoch: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly transactional: boolean;
  readonly ticket: Ticket;
}

/** What `check` says of a batch. */
export type SequenceVerdict<Ticket> =
  | { readonly kind: 'accepted' }
  /** In the log already. */
  | { readonly kind: 'duplicate'; readonly batch: ProducerBatch }
  /** Its first attempt is reserved and not yet decided: it must be answered like that one. */
  | { readonly kind: 'pending'; readonly ticket: Ticket }
  | { readonly kind: 'refused'; readonly errorCode: ErrorCode; readonly message: string };

/** A transaction marker of a control batch. */
export interface Marker {
  readonly coordinatorEpoch: number;
}

/** Stands for an empty map; never written to. */
const NO_ENTRIES = new Map<number, never>();
const ACCEPTED = { kind: 'accepted' } as const;
/** Most producers whose first batch failed that are remembered. */
const MAX_EXPECTED = 10_000;

/**
 * Producers of one log (formats §29): sequences and epochs for idempotence, and the open transactions. Published batches and reserved ones are kept apart: a
 * failed write drops all that is reserved, and what was published stands.
 */
export class ProducerState<Ticket> {
  /** Maps are made for their first entry: most logs of a large broker are idle. */
  #entries: Map<number, ProducerEntry> = NO_ENTRIES;
  #pending: Map<number, PendingBatch<Ticket>[]> = NO_ENTRIES;
  /** First sequence that a failed write took back, of producers that are not known otherwise: what they sent behind it must not come before it. */
  #expected: Map<number, { readonly epoch: number; readonly sequence: number }> = NO_ENTRIES;
  readonly #expirationMs: number;

  /** @param expirationMs `producer.id.expiration.ms` */
  constructor(expirationMs: number) {
    this.#expirationMs = expirationMs;
  }

  /** Producers known by published batches. */
  get size(): number {
    return this.#entries.size;
  }

  entries(): IterableIterator<ProducerEntry> {
    return this.#entries.values();
  }

  /** Judges a batch with a producer id that would be appended next. `checkSequence` for batches from clients. */
  check(batch: BatchView, checkSequence: boolean): SequenceVerdict<Ticket> {
    const { producerId, producerEpoch: epoch, baseSequence, lastSequence } = batch;
    const entry = this.#entries.get(producerId);
    const pending = this.#pending.get(producerId);
    if (checkSequence) {
      const twin = pending?.find((p) => p.epoch === epoch && isRange(p, baseSequence, lastSequence));
      if (twin !== undefined) return { kind: 'pending', ticket: twin.ticket };
      const known = entry?.find(epoch, baseSequence, lastSequence) ?? null;
      // A newer epoch on its way makes the remembered batches forgotten, as it will once it is published.
      if (known !== null && (pending?.at(-1)?.epoch ?? epoch) === epoch)
        return { kind: 'duplicate', batch: known };
    }
    const last = pending?.at(-1);
    const knownEpoch = last?.epoch ?? entry?.epoch ?? NONE;
    if (epoch < knownEpoch) {
      return refused(
        ErrorCode.INVALID_PRODUCER_EPOCH,
        `Epoch of producer ${producerId} is ${epoch}, which is smaller than the last seen epoch ${knownEpoch}`,
      );
    }
    const expected = this.#expected.get(producerId);
    if (checkSequence && knownEpoch === NONE && expected?.epoch === epoch) {
      if (baseSequence !== expected.sequence) return outOfOrder(batch, `${expected.sequence} (not written)`);
    }
    if (checkSequence && knownEpoch !== NONE) {
      const verdict = judgeSequence(batch, knownEpoch, last?.lastSequence ?? entry?.lastSequence ?? NONE);
      if (verdict !== ACCEPTED) return verdict;
    }
    const isOpen = last === undefined ? (entry?.currentTxnFirstOffset ?? NONE) !== NONE : last.transactional;
    if (!isOpen || batch.isTransactional || batch.isControl) return ACCEPTED;
    return refused(
      ErrorCode.INVALID_TXN_STATE,
      `Producer ${producerId} has an open transaction and sends a batch outside of it`,
    );
  }

  /** The batch's place is reserved: from now on it counts for `check`, until `publish` or `dropPending`. */
  reserve(batch: BatchView, ticket: Ticket): void {
    if (batch.isControl) return;
    this.#expected.delete(batch.producerId);
    const list = this.#pending.get(batch.producerId);
    const pending = {
      epoch: batch.producerEpoch,
      firstSequence: batch.baseSequence,
      lastSequence: batch.lastSequence,
      transactional: batch.isTransactional,
      ticket,
    };
    if (list !== undefined) {
      list.push(pending);
      return;
    }
    if (this.#pending === NO_ENTRIES) this.#pending = new Map();
    this.#pending.set(batch.producerId, [pending]);
  }

  /** The reserved batch is in the log. */
  publish(batch: BatchView, marker: Marker | null): void {
    const { producerId } = batch;
    const list = this.#pending.get(producerId);
    if (list !== undefined && marker === null) {
      const first = list.shift();
      assert(
        first?.firstSequence === batch.baseSequence,
        'batches are published in the order of their reservation',
      );
      if (list.length === 0) this.#pending.delete(producerId);
    }
    this.apply(batch, marker);
  }

  /** A write failed: everything reserved is undone. */
  dropPending(): void {
    for (const [producerId, [first]] of this.#pending) {
      if (first === undefined || this.#entries.has(producerId)) continue;
      if (this.#expected === NO_ENTRIES || this.#expected.size >= MAX_EXPECTED) this.#expected = new Map();
      this.#expected.set(producerId, { epoch: first.epoch, sequence: first.firstSequence });
    }
    this.#pending.clear();
  }

  /** True if nothing is reserved. */
  get isSettled(): boolean {
    return this.#pending.size === 0;
  }

  /** Takes in a batch of the log: a published one, or one met when the log is loaded. Batches without producer id are none of its business. */
  apply(batch: BatchView, marker: Marker | null): void {
    if (!batch.hasProducerId) return;
    const { producerId } = batch;
    let entry = this.#entries.get(producerId);
    if (entry === undefined) {
      entry = new ProducerEntry(producerId);
      if (this.#entries === NO_ENTRIES) this.#entries = new Map();
      this.#entries.set(producerId, entry);
    }
    if (marker !== null) {
      entry.endTransaction(batch.producerEpoch, marker.coordinatorEpoch, batch.maxTimestamp);
      return;
    }
    if (batch.isControl) return;
    const { baseOffset, lastOffset } = batch;
    entry.addBatch(batch.producerEpoch, {
      lastSequence: batch.lastSequence,
      lastOffset,
      offsetDelta: lastOffset - baseOffset,
      timestampMs: batch.maxTimestamp,
    });
    if (batch.isTransactional && entry.currentTxnFirstOffset === NONE)
      entry.currentTxnFirstOffset = baseOffset;
  }

  /** Begins anew from a snapshot's entries, those that expired left out. */
  load(entries: readonly ProducerEntry[], nowMs: number): void {
    this.clear();
    const known = entries.filter((entry) => !this.#isExpired(entry, nowMs));
    if (known.length > 0) this.#entries = new Map(known.map((entry) => [entry.producerId, entry]));
  }

  clear(): void {
    assert(this.isSettled, 'nothing is reserved when producer state is replaced');
    this.#entries.clear();
  }

  /** Forgets producers that wrote nothing for `producer.id.expiration.ms` and have no open transaction. */
  expire(nowMs: number): void {
    for (const entry of this.#entries.values()) {
      if (this.#isExpired(entry, nowMs) && !this.#pending.has(entry.producerId))
        this.#entries.delete(entry.producerId);
    }
  }

  #isExpired(entry: ProducerEntry, nowMs: number): boolean {
    return entry.currentTxnFirstOffset === NONE && nowMs - entry.lastTimestampMs >= this.#expirationMs;
  }

  /** True if some entry was last changed at or above `offset`: a cut there needs the state rebuilt. Markers leave no offset, so that they count too. */
  dependsOn(offset: number): boolean {
    for (const entry of this.#entries.values()) {
      const last = entry.lastBatch;
      if (last === null || last.lastOffset >= offset || entry.coordinatorEpoch !== NONE) return true;
    }
    return false;
  }

  /** Asserts what must hold between two events. */
  checkInvariants(logEndOffset: number): void {
    for (const entry of this.#entries.values()) {
      let former: ProducerBatch | null = null;
      for (const batch of entry.batches) {
        assert(batch.lastOffset < logEndOffset, 'remembered batches are in the log');
        assert(former === null || batch.lastOffset > former.lastOffset, 'remembered batches are in order');
        assert(batch.offsetDelta >= 0 && firstSequenceOf(batch) >= 0, 'remembered batches have sequences');
        former = batch;
      }
      assert(entry.currentTxnFirstOffset < logEndOffset, 'an open transaction begins in the log');
    }
  }
}

function isRange(batch: PendingBatch<unknown>, firstSequence: number, lastSequence: number): boolean {
  return batch.firstSequence === firstSequence && batch.lastSequence === lastSequence;
}

function refused(errorCode: ErrorCode, message: string): SequenceVerdict<never> {
  return { kind: 'refused', errorCode, message };
}

function judgeSequence(batch: BatchView, knownEpoch: number, lastKnown: number): SequenceVerdict<never> {
  const { producerId, producerEpoch, baseSequence } = batch;
  if (producerEpoch !== knownEpoch) {
    if (baseSequence === 0) return ACCEPTED;
    return refused(
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
      `Producer ${producerId} begins epoch ${producerEpoch} with sequence ${baseSequence} instead of 0`,
    );
  }
  if (isNextSequence(lastKnown, baseSequence)) return ACCEPTED;
  return outOfOrder(batch, `${lastKnown} (last)`);
}

function outOfOrder(batch: BatchView, after: string): SequenceVerdict<never> {
  return refused(
    ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    `Out of order sequence number for producer ${batch.producerId}: ${batch.baseSequence} (incoming) after ${after}`,
  );
}
