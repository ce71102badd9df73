/**
 * The batches of one partition on their way out, and their sequence numbers. Pure: no clock, no network.
 *
 * A batch is open (takes records), then waits, then is in flight, and ends acknowledged or failed. Batches leave in the order they
 * were opened. What has to be sent again goes back to its place in that order, and then nothing leaves until all that is in flight is
 * answered (`draining`), so that the broker never sees a later sequence before an earlier one succeeds. A batch that the broker may hold already
 * travels alone: the broker knows only the last five batches again, and later ones must not push it out of them before its answer arrives.
 *
 * Sequences belong to a batch from its first sending on and stay the same however often it is sent; only when the broker has
 * refused a batch for good do the later ones move down, because nothing of them can have been appended past the gap.
 */
import { assert } from '../base/assert.ts';
import { addToSequence } from '../records/batch.ts';
import type { RecordInput } from '../records/builder.ts';

/** Called once per record. `offset` is -1 when the broker did not say (acks 0, or a duplicate it no longer remembers). */
export type RecordDone<E> = (error: E | null, offset: number, timestampMs: number) => void;

/** Records that are sent as one record batch. */
export class ProducerBatch<E> {
  /** Place in the order of the partition. */
  readonly ordinal: number;
  /** Monotonic time at which the first record was added. */
  readonly createdMs: number;
  readonly records: RecordInput[] = [];
  readonly dones: RecordDone<E>[] = [];
  /** Upper bound of the encoded size. */
  sizeBytes = 0;
  /** The encoded batch; null while it is not built, or must be built anew. */
  bytes: Buffer | null = null;
  /** -1 while it has none. */
  baseSequence = -1;
  attempts = 0;
  /** Not sent again before this monotonic time. */
  retryAtMs = 0;
  /** True if an attempt ended without an answer: the broker may hold it. */
  outcomeUnknown = false;

  constructor(ordinal: number, createdMs: number) {
    this.ordinal = ordinal;
    this.createdMs = createdMs;
  }
}

/** What a queue is told once. */
export interface QueueLimits {
  /** A batch takes no record that would bring it past this. */
  readonly batchBytes: number;
  /** An open batch is held back this long for more records. */
  readonly lingerMs: number;
  /** Batches in flight at once. */
  readonly maxInFlight: number;
}

/** See the head of the file. */
export class PartitionQueue<E> {
  readonly topic: string;
  readonly partition: number;
  readonly #limits: QueueLimits;
  /** In order; only the last may be open. */
  #waiting: ProducerBatch<E>[] = [];
  /** In the order they were sent, which is their order. */
  #inFlight: ProducerBatch<E>[] = [];
  #open: ProducerBatch<E> | null = null;
  #nextOrdinal = 0;
  #nextSequence = 0;
  #draining = false;
  /** The first batch refused for good since the last drain: its place and its sequence. */
  #refused: { readonly ordinal: number; readonly baseSequence: number } | null = null;

  constructor(topic: string, partition: number, limits: QueueLimits) {
    this.topic = topic;
    this.partition = partition;
    this.#limits = limits;
  }

  /** Batches that are neither acknowledged nor failed. */
  get size(): number {
    return this.#waiting.length + this.#inFlight.length;
  }

  get inFlightCount(): number {
    return this.#inFlight.length;
  }

  /** The oldest batch that is not in flight. */
  get head(): ProducerBatch<E> | undefined {
    return this.#waiting[0];
  }

  /**
   * Adds a record of at most `sizeBytes` to the open batch, or to a new one.
   * @returns true if an earlier batch was closed for it.
   */
  append(record: RecordInput, sizeBytes: number, nowMs: number, done: RecordDone<E>): boolean {
    let batch = this.#open;
    const closes = batch !== null && batch.sizeBytes + sizeBytes > this.#limits.batchBytes;
    if (batch === null || closes) {
      batch = new ProducerBatch(this.#nextOrdinal++, nowMs);
      this.#open = batch;
      this.#waiting.push(batch);
    }
    batch.records.push(record);
    batch.dones.push(done);
    batch.sizeBytes += sizeBytes;
    return closes;
  }

  /** The batch that may be sent now, left where it is; null if none may. `flushing`: an open batch does not linger. */
  sendable(nowMs: number, flushing: boolean): ProducerBatch<E> | null {
    const batch = this.#waiting[0];
    if (batch === undefined || this.#draining || this.#inFlight.length >= this.#limits.maxInFlight)
      return null;
    if (this.#inFlight.some((sent) => sent.outcomeUnknown)) return null;
    return this.readyAtMs(batch, flushing) <= nowMs ? batch : null;
  }

  /** Monotonic time from which a waiting batch may be sent. */
  readyAtMs(batch: ProducerBatch<E>, flushing: boolean): number {
    const lingers = batch === this.#open && !flushing && batch.sizeBytes < this.#limits.batchBytes;
    return Math.max(batch.retryAtMs, lingers ? batch.createdMs + this.#limits.lingerMs : 0);
  }

  /** Closes the head and, for an idempotent producer, gives it its sequence; before it is built. */
  prepareHead(batch: ProducerBatch<E>, withSequence: boolean): void {
    assert(batch === this.#waiting[0], 'batches leave in order');
    if (this.#open === batch) this.#open = null;
    if (!withSequence || batch.baseSequence >= 0) return;
    batch.baseSequence = this.#nextSequence;
    this.#nextSequence = addToSequence(this.#nextSequence, batch.records.length);
  }

  /** Takes the head, which is prepared and built, into flight. */
  takeHead(): ProducerBatch<E> {
    const batch = this.#waiting.shift();
    assert(batch !== undefined && batch.bytes !== null, 'a batch is built before it is sent');
    batch.attempts++;
    this.#inFlight.push(batch);
    return batch;
  }

  /** A batch in flight was acknowledged. */
  complete(batch: ProducerBatch<E>): void {
    this.#land(batch);
    this.#afterLanding();
  }

  /** A batch in flight has to be sent again, not before `retryAtMs`. */
  giveBack(batch: ProducerBatch<E>, retryAtMs: number, outcomeUnknown: boolean): void {
    this.#land(batch);
    batch.retryAtMs = retryAtMs;
    batch.outcomeUnknown ||= outcomeUnknown;
    const place = this.#waiting.findIndex((other) => other.ordinal > batch.ordinal);
    this.#waiting.splice(place < 0 ? this.#waiting.length : place, 0, batch);
    this.#draining = true;
    this.#afterLanding();
  }

  /** Drops a batch that will not be sent again, in flight or waiting. Its sequence is free if the broker cannot hold it. */
  drop(batch: ProducerBatch<E>): void {
    if (this.#inFlight.includes(batch)) this.#land(batch);
    else this.#waiting = this.#waiting.filter((other) => other !== batch);
    if (this.#open === batch) this.#open = null;
    if (batch.baseSequence >= 0 && !batch.outcomeUnknown) {
      if (this.#refused === null || batch.ordinal < this.#refused.ordinal) this.#refused = batch;
      this.#draining = true;
    }
    this.#afterLanding();
  }

  /** True if the broker does not hold all that comes before this batch: something earlier is on its way, or was refused just now. */
  hasGapBefore(batch: ProducerBatch<E>): boolean {
    const earlier = (other: { readonly ordinal: number }) => other.ordinal < batch.ordinal;
    if (this.#refused !== null && earlier(this.#refused)) return true;
    return this.#inFlight.some(earlier) || this.#waiting.some(earlier);
  }

  /** True while an answer for the batch is awaited. */
  isInFlight(batch: ProducerBatch<E>): boolean {
    return this.#inFlight.includes(batch);
  }

  /** Waiting batches that the broker may hold already. */
  uncertain(): ProducerBatch<E>[] {
    return this.#waiting.filter((batch) => batch.outcomeUnknown);
  }

  /** Every batch, in flight ones first. */
  all(): ProducerBatch<E>[] {
    return [...this.#inFlight, ...this.#waiting];
  }

  /** A new producer id starts at sequence 0. Nothing may be in flight. */
  restartSequences(): void {
    assert(this.#inFlight.length === 0, 'sequences restart when nothing is in flight');
    for (const batch of this.#waiting) {
      batch.baseSequence = -1;
      batch.bytes = null;
    }
    this.#nextSequence = 0;
    this.#refused = null;
    this.#draining = false;
  }

  #land(batch: ProducerBatch<E>): void {
    const place = this.#inFlight.indexOf(batch);
    assert(place >= 0, 'only a batch in flight lands');
    this.#inFlight.splice(place, 1);
  }

  /** With nothing in flight any more the queue may send again; batches behind a refused one move down into its sequences. */
  #afterLanding(): void {
    if (!this.#draining || this.#inFlight.length > 0) return;
    this.#draining = false;
    const refused = this.#refused;
    if (refused === null) return;
    this.#refused = null;
    let sequence = refused.baseSequence;
    for (const batch of this.#waiting) {
      if (batch.baseSequence < 0) break;
      if (batch.ordinal > refused.ordinal) {
        batch.baseSequence = sequence;
        batch.bytes = null;
        sequence = addToSequence(sequence, batch.records.length);
      }
    }
    this.#nextSequence = sequence;
  }
}
