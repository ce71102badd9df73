import { addToSequence, NONE } from '../records/batch.ts';

/** Batches of a producer that a retry is compared with. */
export const REMEMBERED_BATCHES = 5;
const SEQUENCES = 0x8000_0000;

/** One of the last batches of a producer. */
export interface ProducerBatch {
  readonly lastSequence: number;
  readonly lastOffset: number;
  /** Last offset - base offset. */
  readonly offsetDelta: number;
  /** Max timestamp of the batch, ms. */
  readonly timestampMs: number;
}

/** Sequence of the first record of a remembered batch. */
export function firstSequenceOf(batch: ProducerBatch): number {
  return addToSequence(batch.lastSequence, SEQUENCES - batch.offsetDelta);
}

/** What the log knows of one producer id (formats §12, §29). */
export class ProducerEntry {
  readonly producerId: number;
  epoch: number = NONE;
  /** Oldest first, at most `REMEMBERED_BATCHES`, all of `epoch`. */
  readonly batches: ProducerBatch[];
  /** Epoch of the coordinator that wrote the last marker, -1 for none. */
  coordinatorEpoch: number = NONE;
  /** First offset of the open transaction, -1 when there is none. */
  currentTxnFirstOffset: number = NONE;
  /** Timestamp of the last batch or marker, ms; what expiry counts from. */
  lastTimestampMs: number = NONE;

  /** Number of the freeze before which it was made; see `ProducerState.freeze`. */
  readonly generation: number;

  constructor(producerId: number, generation = 0, batches: ProducerBatch[] = []) {
    this.producerId = producerId;
    this.generation = generation;
    this.batches = batches;
  }

  /** The same, to be changed in place of this one. */
  copy(generation: number): ProducerEntry {
    const copy = new ProducerEntry(this.producerId, generation, this.batches.slice());
    copy.epoch = this.epoch;
    copy.coordinatorEpoch = this.coordinatorEpoch;
    copy.currentTxnFirstOffset = this.currentTxnFirstOffset;
    copy.lastTimestampMs = this.lastTimestampMs;
    return copy;
  }

  get lastBatch(): ProducerBatch | null {
    return this.batches.at(-1) ?? null;
  }

  /** -1 when no batch is known. */
  get lastSequence(): number {
    return this.lastBatch?.lastSequence ?? NONE;
  }

  /** True if a transaction is open. */
  get isOpen(): boolean {
    return this.currentTxnFirstOffset !== NONE;
  }

  /** Takes in a batch of records; a new epoch makes the older ones forgotten. */
  addBatch(epoch: number, batch: ProducerBatch): void {
    this.#setEpoch(epoch);
    if (this.batches.length === REMEMBERED_BATCHES) this.batches.shift();
    this.batches.push(batch);
    this.lastTimestampMs = batch.timestampMs;
  }

  /** Takes in a transaction marker. */
  endTransaction(epoch: number, coordinatorEpoch: number, timestampMs: number): void {
    this.#setEpoch(epoch);
    this.coordinatorEpoch = coordinatorEpoch;
    this.currentTxnFirstOffset = NONE;
    this.lastTimestampMs = timestampMs;
  }

  /** The remembered batch with just these sequences, null if there is none. */
  find(epoch: number, firstSequence: number, lastSequence: number): ProducerBatch | null {
    if (epoch !== this.epoch) return null;
    for (const batch of this.batches) {
      if (batch.lastSequence === lastSequence && firstSequenceOf(batch) === firstSequence) return batch;
    }
    return null;
  }

  #setEpoch(epoch: number): void {
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    this.batches.length = 0;
  }
}

/** True if a batch that begins with `sequence` follows one that ended with `lastSequence`; -1 stands for none. */
export function isNextSequence(lastSequence: number, sequence: number): boolean {
  return lastSequence === SEQUENCES - 1 ? sequence === 0 : sequence === lastSequence + 1;
}
