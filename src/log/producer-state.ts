import { assert } from '../base/assert.ts';
import { ErrorCode } from '../base/errors.ts';
import type { BatchView } from '../records/batch.ts';
import { NONE } from '../records/batch.ts';
import type { TransactionMarker } from '../records/transaction-marker.ts';
import { firstSequenceOf, isNextSequence, type ProducerBatch, ProducerEntry } from './producer-entry.ts';
import type { Steps } from './steps.ts';
import type { AbortedTransaction } from './transaction-index.ts';
import { UnstableTransactions } from './unstable-transactions.ts';

/** What decides on the next batch of a producer. */
interface ProducerOutlook {
  readonly epoch: number;
  /** -1 when none is known in this epoch. */
  readonly lastSequence: number;
  readonly coordinatorEpoch: number;
  /** True if it has an open transaction. */
  readonly isOpen: boolean;
}

/** A batch or marker whose place is reserved and that is not published yet, with how things stand after it; `ticket` is the lane's own record of the append. */
interface PendingBatch<Ticket> extends ProducerOutlook {
  /** -1 for a marker. */
  readonly firstSequence: number;
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

/** Stands for an empty map; never written to. */
const NO_ENTRIES = new Map<number, never>();
const ACCEPTED = { kind: 'accepted' } as const;
const UNKNOWN: ProducerOutlook = { epoch: NONE, lastSequence: NONE, coordinatorEpoch: NONE, isOpen: false };
/** The `transaction.version` whose markers carry a higher epoch than their transaction (KIP-890). */
const FIRST_VERSION_THAT_BUMPS = 2;
/** Producers that expiry looks at in one step. */
const EXPIRED_PER_STEP = 512;
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
  /** Freezes so far, and how many of them still hold. */
  #generation = 0;
  #frozen = 0;
  /** Those that hold the last stable offset back. */
  readonly transactions = new UnstableTransactions();
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

  /**
   * What is known of producers now, to be looked at over many turns while it changes: entries that change meanwhile are replaced by copies, so that those given stay as they are until
   * `thaw`, which must be called once for each call.
   */
  freeze(): readonly ProducerEntry[] {
    this.#frozen++;
    this.#generation++;
    return [...this.#entries.values()];
  }

  /** Nobody looks at what one `freeze` gave any more. */
  thaw(): void {
    assert(this.#frozen > 0, 'what thaws was frozen');
    this.#frozen--;
  }

  /** Judges a batch with a producer id, not a marker, that would be appended next. `checkSequence` for batches from clients. */
  check(batch: BatchView, checkSequence: boolean): SequenceVerdict<Ticket> {
    const { producerId, producerEpoch: epoch } = batch;
    const outlook = this.#outlook(producerId);
    if (checkSequence && outlook.epoch === epoch) {
      const earlier = this.#findEarlier(batch);
      if (earlier !== null) return earlier;
    }
    if (epoch < outlook.epoch) {
      return refused(
        ErrorCode.INVALID_PRODUCER_EPOCH,
        `Epoch of producer ${producerId} is ${epoch}, which is smaller than the last seen epoch ${outlook.epoch}`,
      );
    }
    if (checkSequence) {
      const verdict = this.#checkSequence(batch, outlook);
      if (verdict !== ACCEPTED) return verdict;
    }
    if (!outlook.isOpen || batch.isTransactional) return ACCEPTED;
    return refused(
      ErrorCode.INVALID_TXN_STATE,
      `Producer ${producerId} has an open transaction and sends a batch outside of it`,
    );
  }

  /**
   * Judges a marker that would be appended next (formats §29). From transaction version 2 on a marker carries an epoch of its own, above that of the transaction; one that comes again is
   * recognized by the transaction being over.
   */
  checkMarker(
    batch: BatchView,
    marker: TransactionMarker,
    transactionVersion: number,
  ): SequenceVerdict<Ticket> {
    const { producerId, producerEpoch: epoch } = batch;
    const { epoch: knownEpoch, coordinatorEpoch, isOpen } = this.#outlook(producerId);
    const bumps = transactionVersion >= FIRST_VERSION_THAT_BUMPS;
    const isFenced = bumps && isOpen ? epoch <= knownEpoch : epoch < knownEpoch;
    if (isFenced) {
      return refused(
        ErrorCode.INVALID_PRODUCER_EPOCH,
        `Epoch of a marker of producer ${producerId} is ${epoch}, the last seen epoch ${knownEpoch}`,
      );
    }
    if (marker.coordinatorEpoch >= coordinatorEpoch) return ACCEPTED;
    return refused(
      ErrorCode.TRANSACTION_COORDINATOR_FENCED,
      `Coordinator epoch of a marker of producer ${producerId} is ${marker.coordinatorEpoch}, the last seen one ${coordinatorEpoch}`,
    );
  }

  /** How things stand for a producer once all that is reserved is published. */
  #outlook(producerId: number): ProducerOutlook {
    return this.#pending.get(producerId)?.at(-1) ?? this.#entries.get(producerId) ?? UNKNOWN;
  }

  /** The same batch, on its way or in the log; null if there is none. */
  #findEarlier(batch: BatchView): SequenceVerdict<Ticket> | null {
    const { producerId, producerEpoch: epoch, baseSequence, lastSequence } = batch;
    const twin = this.#pending
      .get(producerId)
      ?.find((p) => p.epoch === epoch && isRange(p, baseSequence, lastSequence));
    if (twin !== undefined) return { kind: 'pending', ticket: twin.ticket };
    const known = this.#entries.get(producerId)?.find(epoch, baseSequence, lastSequence) ?? null;
    return known === null ? null : { kind: 'duplicate', batch: known };
  }

  #checkSequence(batch: BatchView, outlook: ProducerOutlook): SequenceVerdict<Ticket> {
    const { producerId, producerEpoch: epoch, baseSequence } = batch;
    if (outlook.epoch !== NONE) return judgeSequence(batch, outlook.epoch, outlook.lastSequence);
    const expected = this.#expected.get(producerId);
    if (expected?.epoch !== epoch || baseSequence === expected.sequence) return ACCEPTED;
    return outOfOrder(batch, `${expected.sequence} (not written)`);
  }

  /** The place of a batch, or of a marker, is reserved: from now on it counts for `check`, until `publish` or `dropPending`. */
  reserve(batch: BatchView, marker: TransactionMarker | null, ticket: Ticket): void {
    assert(marker !== null || !batch.isControl, 'control batches with a producer are markers');
    const { producerId, producerEpoch: epoch } = batch;
    const before = this.#outlook(producerId);
    if (marker === null) this.#expected.delete(producerId);
    const pending =
      marker === null
        ? {
            epoch,
            firstSequence: batch.baseSequence,
            lastSequence: batch.lastSequence,
            coordinatorEpoch: before.coordinatorEpoch,
            isOpen: before.isOpen || batch.isTransactional,
            ticket,
          }
        : {
            epoch,
            firstSequence: NONE,
            lastSequence: epoch === before.epoch ? before.lastSequence : NONE,
            coordinatorEpoch: marker.coordinatorEpoch,
            isOpen: false,
            ticket,
          };
    const list = this.#pending.get(producerId);
    if (list !== undefined) {
      list.push(pending);
      return;
    }
    if (this.#pending === NO_ENTRIES) this.#pending = new Map();
    this.#pending.set(producerId, [pending]);
  }

  /** The batch that was reserved is in the log. @returns the transaction that it aborts, null in general */
  publish(batch: BatchView, marker: TransactionMarker | null): AbortedTransaction | null {
    const { producerId } = batch;
    const list = this.#pending.get(producerId);
    const first = list?.shift();
    assert(
      first !== undefined && (marker !== null || first.firstSequence === batch.baseSequence),
      'batches are published in the order of their reservation',
    );
    if (list?.length === 0) this.#pending.delete(producerId);
    return this.apply(batch, marker);
  }

  /** A write failed: everything reserved is undone. */
  dropPending(): void {
    for (const [producerId, pending] of this.#pending) {
      const first = pending.find(({ firstSequence }) => firstSequence !== NONE);
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

  /**
   * Takes in a batch of the log: a published one, one of another leader, or one met when the log is loaded. Batches without producer id are none of its business.
   * @returns the transaction that it aborts, null in general
   */
  apply(batch: BatchView, marker: TransactionMarker | null): AbortedTransaction | null {
    if (!batch.hasProducerId || (marker === null && batch.isControl)) return null;
    const { producerId, baseOffset, lastOffset } = batch;
    const entry = this.#entryOf(producerId);
    if (marker !== null) return this.#endTransaction(entry, batch, marker);
    entry.addBatch(batch.producerEpoch, {
      lastSequence: batch.lastSequence,
      lastOffset,
      offsetDelta: lastOffset - baseOffset,
      timestampMs: batch.maxTimestamp,
    });
    if (batch.isTransactional && !entry.isOpen) {
      entry.currentTxnFirstOffset = baseOffset;
      this.transactions.begin(producerId, baseOffset);
    }
    return null;
  }

  #entryOf(producerId: number): ProducerEntry {
    let entry = this.#entries.get(producerId);
    if (entry === undefined) {
      entry = new ProducerEntry(producerId, this.#generation);
      if (this.#entries === NO_ENTRIES) this.#entries = new Map();
      this.#entries.set(producerId, entry);
    } else if (this.#frozen > 0 && entry.generation < this.#generation) {
      entry = entry.copy(this.#generation);
      this.#entries.set(producerId, entry);
    }
    return entry;
  }

  #endTransaction(
    entry: ProducerEntry,
    batch: BatchView,
    marker: TransactionMarker,
  ): AbortedTransaction | null {
    const { producerId, currentTxnFirstOffset: firstOffset } = entry;
    const lastOffset = batch.baseOffset;
    entry.endTransaction(batch.producerEpoch, marker.coordinatorEpoch, batch.maxTimestamp);
    if (firstOffset === NONE) return null;
    const lastStableOffset = this.transactions.complete(firstOffset, lastOffset);
    return marker.type === 'ABORT' ? { producerId, firstOffset, lastOffset, lastStableOffset } : null;
  }

  /** Begins anew from a snapshot's entries, those that expired left out. */
  load(entries: readonly ProducerEntry[], nowMs: number): void {
    this.clear();
    const known = entries.filter((entry) => !this.#isExpired(entry, nowMs));
    if (known.length > 0) this.#entries = new Map(known.map((entry) => [entry.producerId, entry]));
    const open = known.filter((entry) => entry.isOpen);
    open.sort((a, b) => a.currentTxnFirstOffset - b.currentTxnFirstOffset);
    for (const { producerId, currentTxnFirstOffset } of open)
      this.transactions.begin(producerId, currentTxnFirstOffset);
  }

  clear(): void {
    assert(this.isSettled, 'nothing is reserved when producer state is replaced');
    this.#entries.clear();
    this.transactions.clear();
  }

  /** Forgets producers that wrote nothing for `producer.id.expiration.ms` and have no open transaction. The log may go on between two steps. */
  *expire(nowMs: number): Steps<void> {
    const entries = this.#entries;
    let looked = 0;
    for (const entry of entries.values()) {
      if (this.#isExpired(entry, nowMs) && !this.#pending.has(entry.producerId))
        entries.delete(entry.producerId);
      if (++looked % EXPIRED_PER_STEP > 0) continue;
      yield;
      // Loaded anew, from a snapshot that expiry was applied to.
      if (this.#entries !== entries) return;
    }
  }

  #isExpired(entry: ProducerEntry, nowMs: number): boolean {
    return !entry.isOpen && nowMs - entry.lastTimestampMs >= this.#expirationMs;
  }

  /** True if some entry was last changed at or above `offset`: a cut there needs the state rebuilt. Markers leave no offset, so that they count too. */
  dependsOn(offset: number): boolean {
    if (this.transactions.dependsOn(offset)) return true;
    for (const entry of this.#entries.values()) {
      const last = entry.lastBatch;
      if (last === null || last.lastOffset >= offset || entry.coordinatorEpoch !== NONE) return true;
    }
    return false;
  }

  /** Asserts what must hold between two events. */
  checkInvariants(logEndOffset: number): void {
    let open = 0;
    for (const entry of this.#entries.values()) {
      let former: ProducerBatch | null = null;
      for (const batch of entry.batches) {
        assert(batch.lastOffset < logEndOffset, 'remembered batches are in the log');
        assert(former === null || batch.lastOffset > former.lastOffset, 'remembered batches are in order');
        assert(batch.offsetDelta >= 0 && firstSequenceOf(batch) >= 0, 'remembered batches have sequences');
        former = batch;
      }
      assert(entry.currentTxnFirstOffset < logEndOffset, 'an open transaction begins in the log');
      if (entry.isOpen) open++;
    }
    assert(open === this.transactions.openCount, 'open transactions are those of the producers');
    this.transactions.checkInvariants(logEndOffset);
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
