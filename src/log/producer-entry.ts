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

/** Numbers of one batch in `ProducerEntry`, in the order of the fields of `ProducerBatch`. */
const FIELDS = 4;

/** What the log knows of one producer id (formats §12, §29). There may be very many: the batches are numbers in one array, not objects. */
export class ProducerEntry {
  readonly producerId: number;
  epoch: number = NONE;
  /** Oldest first, at most `REMEMBERED_BATCHES` of `FIELDS` numbers, all of `epoch`. */
  #packed: number[];
  /** Epoch of the coordinator that wrote the last marker, -1 for none. */
  coordinatorEpoch: number = NONE;
  /** First offset of the open transaction, -1 when there is none. */
  currentTxnFirstOffset: number = NONE;
  /** Timestamp of the last batch or marker, ms; what expiry counts from. */
  lastTimestampMs: number = NONE;
  /** Number of the freeze before which it was made; see `ProducerState.freeze`. */
  readonly generation: number;

  constructor(producerId: number, generation = 0) {
    this.producerId = producerId;
    this.generation = generation;
    this.#packed = NO_BATCHES;
  }

  /** The same, to be changed in place of this one. */
  copy(generation: number): ProducerEntry {
    const copy = new ProducerEntry(this.producerId, generation);
    copy.epoch = this.epoch;
    copy.#packed = this.#packed.slice();
    copy.coordinatorEpoch = this.coordinatorEpoch;
    copy.currentTxnFirstOffset = this.currentTxnFirstOffset;
    copy.lastTimestampMs = this.lastTimestampMs;
    return copy;
  }

  /** The batches that a retry is compared with, oldest first; made anew by each call. */
  get batches(): ProducerBatch[] {
    const batches: ProducerBatch[] = [];
    for (let at = 0; at < this.#packed.length; at += FIELDS) batches.push(this.#batchAt(at));
    return batches;
  }

  get lastBatch(): ProducerBatch | null {
    return this.#packed.length === 0 ? null : this.#batchAt(this.#packed.length - FIELDS);
  }

  /** -1 when no batch is known. */
  get lastSequence(): number {
    return this.#packed.length === 0 ? NONE : (this.#packed[this.#packed.length - FIELDS] as number);
  }

  /** True if a transaction is open. */
  get isOpen(): boolean {
    return this.currentTxnFirstOffset !== NONE;
  }

  /** Takes in a batch of records; a new epoch makes the older ones forgotten. */
  addBatch(epoch: number, batch: ProducerBatch): void {
    this.#setEpoch(epoch);
    const { lastSequence, lastOffset, offsetDelta, timestampMs } = batch;
    const packed = this.#packed;
    this.lastTimestampMs = timestampMs;
    if (packed.length < REMEMBERED_BATCHES * FIELDS) {
      // An array of just the length: one that grows by itself takes several times the room.
      this.#packed = packed.concat([lastSequence, lastOffset, offsetDelta, timestampMs]);
      return;
    }
    const at = packed.length - FIELDS;
    for (let i = 0; i < at; i++) packed[i] = packed[i + FIELDS] as number;
    packed[at] = lastSequence;
    packed[at + 1] = lastOffset;
    packed[at + 2] = offsetDelta;
    packed[at + 3] = timestampMs;
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
    for (let at = 0; at < this.#packed.length; at += FIELDS) {
      if (this.#packed[at] !== lastSequence) continue;
      const batch = this.#batchAt(at);
      if (firstSequenceOf(batch) === firstSequence) return batch;
    }
    return null;
  }

  #batchAt(at: number): ProducerBatch {
    const packed = this.#packed;
    return {
      lastSequence: packed[at] as number,
      lastOffset: packed[at + 1] as number,
      offsetDelta: packed[at + 2] as number,
      timestampMs: packed[at + 3] as number,
    };
  }

  #setEpoch(epoch: number): void {
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    this.#packed = NO_BATCHES;
  }
}

/** Never written to. */
const NO_BATCHES: number[] = [];

/** True if a batch that begins with `sequence` follows one that ended with `lastSequence`; -1 stands for none. */
export function isNextSequence(lastSequence: number, sequence: number): boolean {
  return lastSequence === SEQUENCES - 1 ? sequence === 0 : sequence === lastSequence + 1;
}
