import { assert } from '../base/assert.ts';
import { ErrorCode } from '../base/errors.ts';
import { DiskError } from '../io/disk.ts';
import { assignOffsetAndEpoch, BatchView } from '../records/batch.ts';
import { markerOf } from '../records/transaction-marker.ts';
import { type ProduceRules, ProduceValidator, type ValidationResources } from '../records/validate.ts';
import { checkReplicated, stampAppendTime } from './admission.ts';
import type { AppendGate, GatedLane } from './append-gate.ts';
import type { AppendCallback, AppendRequest } from './append-request.ts';
import { LaneEntry } from './lane-entry.ts';
import type { ProducerState } from './producer-state.ts';
import type { Segment } from './segment.ts';

/**
 * The one way into a log. An append passes three steps, and no append overtakes another in any of them:
 *
 * ```
 * waiting ──admit──▶ reserved ──write──▶ in flight ──publish──▶ in the log
 *    │                  │                    │
 *    └── refused        └──── a failed write undoes everything reserved or in flight
 * ```
 *
 * - admit: the batch is checked (bytes, records, sequence), its offsets and epoch are patched in place, and the end of the log as later appends see it is moved.
 *   A check that leaves the thread holds this lane only.
 * - write: what is reserved goes to the segment file, several appends in one write when they queue up. At most one write is in flight.
 * - publish: log end, producer state and indexes move; then the owner is told, then the callers.
 */

/** Most bytes that go into one write. */
export const MAX_WRITE_BYTES = 8 * 1024 * 1024;
/** Most appends that go into one write. */
export const MAX_WRITE_APPENDS = 256;
/** Most bytes of rebuilt batches that wait for one log's disk: while there are more, nothing is admitted, so that a slow disk does not take what others need. */
export const MAX_REBUILT_BYTES = 8 * 1024 * 1024;
/** Most appends that may queue up before one log; further ones are refused. */
export const MAX_QUEUED_APPENDS = 65_536;

/** What the lane asks of its log. */
export interface LaneHost {
  readonly offline: boolean;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly rules: ProduceRules;
  /** Of the records in the log, -1 without any. */
  readonly latestEpoch: number;
  /** The segment that takes `entry` next; begins a new one if it must. @throws DiskError */
  segmentFor(entry: LaneEntry): Segment;
  /** True if `entry` may go into `segment` after `pendingBytes` more bytes. */
  hasRoom(segment: Segment, pendingBytes: number, entry: LaneEntry): boolean;
  /** Takes in a batch that has been written: indexes, epochs, producers, tail, log end. @param reserved true unless its offsets are another leader's */
  publishBatch(segment: Segment, batch: BatchView, reserved: boolean): void;
  /** A group was published. */
  published(): void;
  /** The log's state is not what it should be: it goes offline. */
  broken(error: Error): void;
  /** A write failed; nothing of it is in the file, unless the error is `ECUT`. */
  writeFailed(error: DiskError): void;
}

/** The lane of one log. */
export class AppendLane implements GatedLane {
  /** End of the log once everything reserved is published: where the next batch goes. */
  reservedEndOffset: number;
  readonly #host: LaneHost;
  readonly #validation: ValidationResources;
  readonly #producers: ProducerState<LaneEntry>;
  readonly #gate: AppendGate;
  /** Made for the first produced batch. */
  #validator: ProduceValidator | null = null;
  readonly #view = new BatchView();
  #waiting: LaneEntry[] = [];
  #admitting: LaneEntry | null = null;
  #reserved: LaneEntry[] = [];
  /** Of what is reserved. */
  #rebuiltBytes = 0;
  #inFlight: LaneEntry[] = [];
  #running = false;
  #held = false;
  #holds = 0;
  #whenIdle: (() => void)[] = [];

  constructor(
    host: LaneHost,
    validation: ValidationResources,
    producers: ProducerState<LaneEntry>,
    gate: AppendGate,
  ) {
    this.#host = host;
    this.#validation = validation;
    this.#producers = producers;
    this.#gate = gate;
    this.reservedEndOffset = host.logEndOffset;
  }

  /** True if no append is anywhere in the lane. */
  get isIdle(): boolean {
    return (
      this.#waiting.length === 0 &&
      this.#admitting === null &&
      this.#reserved.length === 0 &&
      this.#inFlight.length === 0
    );
  }

  /** See `PartitionLog.append`. */
  append(request: AppendRequest, done: AppendCallback): void {
    const entry = new LaneEntry(request, done);
    if (this.#host.offline) return this.#refuse(entry, ErrorCode.KAFKA_STORAGE_ERROR, 'The log is offline');
    if (this.#waiting.length + this.#reserved.length >= MAX_QUEUED_APPENDS) {
      return this.#refuse(entry, ErrorCode.KAFKA_STORAGE_ERROR, 'Too many appends are waiting for the disk');
    }
    this.#waiting.push(entry);
    return this.#run();
  }

  /** Calls `done` when the lane is idle: at once, or later. */
  whenIdle(done: () => void): void {
    if (this.isIdle && !this.#running) return done();
    this.#whenIdle.push(done);
    return undefined;
  }

  /** The log went offline: all that waits or is reserved fails now, what is in flight when the disk answers. */
  shut(): void {
    const entries = [...this.#reserved.splice(0), ...this.#waiting.splice(0)];
    this.#rebuiltBytes = 0;
    const last = this.#inFlight.at(-1);
    if (last === undefined) this.#undoReservations();
    else this.reservedEndOffset = last.endOffset;
    for (const entry of entries) this.#refuse(entry, ErrorCode.KAFKA_STORAGE_ERROR, 'The log is offline');
  }

  /** Nothing is admitted or written until as many `letGo`. */
  hold(): void {
    this.#holds++;
  }

  letGo(): void {
    assert(this.#holds > 0, 'what was held is let go');
    if (--this.#holds === 0) this.#run();
  }

  /** The log is about to be closed: what is held back is refused, because nobody knows for how long. */
  refuseHeld(): void {
    if (this.#holds === 0) return;
    const message = 'The log is being closed';
    for (const entry of this.#waiting.splice(0)) this.#refuse(entry, ErrorCode.KAFKA_STORAGE_ERROR, message);
  }

  release(): void {
    this.#held = false;
    this.#run();
  }

  /** Does all that can be done now. Callbacks made meanwhile may append again: that is taken up by the loop, not by recursion. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#holds === 0) {
        if (this.#admitting === null && this.#waiting.length > 0 && !this.#isFull()) {
          this.#admit(this.#waiting.shift() as LaneEntry);
        } else if (this.#inFlight.length === 0 && this.#reserved.length > 0 && !this.#isHeld()) {
          this.#write();
        } else {
          break;
        }
      }
    } finally {
      // Also after a bug in a caller's callback: the lane itself is consistent when it calls.
      this.#running = false;
    }
    if (this.#whenIdle.length > 0 && this.isIdle) for (const done of this.#whenIdle.splice(0)) done();
  }

  #isFull(): boolean {
    return this.#rebuiltBytes > MAX_REBUILT_BYTES;
  }

  #isHeld(): boolean {
    if (!this.#gate.isCorked) return false;
    if (!this.#held) {
      this.#held = true;
      this.#gate.hold(this);
    }
    return true;
  }

  // Admit.

  #admit(entry: LaneEntry): void {
    this.#admitting = entry;
    const { request } = entry;
    if (request.origin !== 'replica' && request.leaderEpoch < this.#host.latestEpoch) {
      // Epochs in a log never go back: recovery takes records that do for leftovers.
      this.#admitting = null;
      return this.#refuse(
        entry,
        ErrorCode.NOT_LEADER_OR_FOLLOWER,
        `Leader epoch ${request.leaderEpoch} is over`,
      );
    }
    if (request.origin === 'client') {
      this.#validator ??= new ProduceValidator(this.#validation);
      this.#validator.validate(request, this.#host.rules, this.#onValidated);
      return;
    }
    if (request.origin === 'replica') this.#admitReplicated(entry);
    else this.#admitTrusted(entry);
    this.#admitting = null;
  }

  readonly #onValidated = (): void => {
    const entry = this.#admitting as LaneEntry;
    const validator = this.#validator as ProduceValidator;
    const { errorCode, errorMessage, recordErrors, buffer, start, end } = validator;
    entry.holds(this.#validation.budget, validator.release());
    entry.buffer = buffer;
    entry.start = start;
    entry.end = end;
    if (this.#host.offline) {
      this.#refuse(entry, ErrorCode.KAFKA_STORAGE_ERROR, 'The log is offline');
    } else if (errorCode !== ErrorCode.NONE) {
      entry.fail(errorCode, errorMessage, this.#host.logStartOffset, recordErrors);
    } else {
      const view = this.#view.at(buffer, start);
      if (this.#host.rules.logAppendTime) entry.logAppendTimeMs = entry.request.nowMs;
      if (this.#judge(entry, view, true)) this.#reserveOne(entry, view);
    }
    this.#admitting = null;
    this.#run();
  };

  /** Asks the producer state; answers the entry itself unless the batch is accepted. */
  #judge(entry: LaneEntry, view: BatchView, checkSequence: boolean): boolean {
    if (!view.hasProducerId) return true;
    const marker = markerOf(view);
    const { transactionVersion = 0 } = entry.request;
    const verdict =
      marker === null
        ? this.#producers.check(view, checkSequence)
        : this.#producers.checkMarker(view, marker, transactionVersion);
    if (verdict.kind === 'accepted') return true;
    if (verdict.kind === 'refused') {
      this.#refuse(entry, verdict.errorCode, verdict.message);
    } else if (verdict.kind === 'pending') {
      entry.follows(verdict.ticket);
    } else {
      const { lastOffset, offsetDelta, timestampMs } = verdict.batch;
      const first = { baseOffset: lastOffset - offsetDelta, endOffset: lastOffset + 1, timestampMs };
      entry.repeat(first, this.#host.logStartOffset);
    }
    return false;
  }

  #reserveOne(entry: LaneEntry, view: BatchView): void {
    entry.baseOffset = this.reservedEndOffset;
    entry.maxTimestampMs = view.maxTimestamp;
    this.#rebuiltBytes += entry.heldBytes;
    this.#reserveBatch(entry, view);
    this.#reserve(entry);
  }

  /** Gives the batch under the view the next offsets. */
  #reserveBatch(entry: LaneEntry, view: BatchView): void {
    assignOffsetAndEpoch(view.buffer, view.start, this.reservedEndOffset, entry.request.leaderEpoch);
    this.reservedEndOffset = view.endOffset;
    if (view.hasProducerId) this.#producers.reserve(view, markerOf(view), entry);
  }

  #reserve(entry: LaneEntry): void {
    entry.endOffset = this.reservedEndOffset;
    assert(entry.endOffset > entry.baseOffset, 'an append takes at least one offset');
    this.#reserved.push(entry);
  }

  /** Batches of this very broker: their form is its own responsibility, so that a wrong one is a bug. */
  #admitTrusted(entry: LaneEntry): void {
    const { buffer, start, end, request } = entry;
    const view = this.#view;
    if (request.origin === 'coordinator') {
      for (let at = start; at < end; at += view.sizeBytes) {
        view.at(buffer, at);
        if (!this.#judge(entry, view, false)) return;
        if (this.#host.rules.logAppendTime) stampAppendTime(this.#validation.compute, view, request.nowMs);
      }
      if (this.#host.rules.logAppendTime) entry.logAppendTimeMs = request.nowMs;
    }
    entry.baseOffset = this.reservedEndOffset;
    let at = start;
    while (at < end) {
      view.at(buffer, at);
      assert(view.magic === 2 && at + view.sizeBytes <= end, 'our own batches are whole');
      entry.maxTimestampMs = Math.max(entry.maxTimestampMs, view.maxTimestamp);
      this.#reserveBatch(entry, view);
      at += view.sizeBytes;
    }
    this.#reserve(entry);
  }

  /** Batches of the leader: offsets and epochs are given, and must go on from ours. */
  #admitReplicated(entry: LaneEntry): void {
    const problem = checkReplicated(entry, this.#view, this.reservedEndOffset, this.#validation.compute);
    if (problem !== null) return this.#refuse(entry, problem.code, problem.message);
    if (entry.sizeBytes === 0) {
      entry.baseOffset = this.reservedEndOffset;
      entry.endOffset = this.reservedEndOffset;
      return entry.succeed(this.#host.logStartOffset);
    }
    this.reservedEndOffset = entry.endOffset;
    this.#reserved.push(entry);
    return undefined;
  }

  // Write.

  #write(): void {
    const first = this.#reserved[0] as LaneEntry;
    let segment: Segment;
    try {
      segment = this.#host.segmentFor(first);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      return this.#failWrite(error);
    }
    // A roll begins a flush, and one that fails at once has taken the log offline and failed all that was reserved.
    if (this.#reserved[0] !== first) return undefined;
    const group = this.#takeGroup(segment);
    this.#inFlight = group;
    const parts = group.length === 1 ? [first.part] : group.map((entry) => entry.part);
    assert(segment.file.sizeBytes === segment.sizeBytes, 'nothing but published batches is in the file');
    return segment.file.append(parts, (error) => {
      if (error !== null) this.#failWrite(error);
      else if (this.#host.offline) this.#failInFlight();
      else this.#publishOrBreak(segment);
      this.#run();
    });
  }

  /** Removes from the queue what goes into one write to `segment`; at least one entry. */
  #takeGroup(segment: Segment): LaneEntry[] {
    let sizeBytes = (this.#reserved[0] as LaneEntry).sizeBytes;
    let count = 1;
    while (count < this.#reserved.length && count < MAX_WRITE_APPENDS) {
      const next = this.#reserved[count] as LaneEntry;
      if (sizeBytes + next.sizeBytes > MAX_WRITE_BYTES || !this.#host.hasRoom(segment, sizeBytes, next))
        break;
      sizeBytes += next.sizeBytes;
      count++;
    }
    const group = this.#reserved.splice(0, count);
    for (const { heldBytes } of group) this.#rebuiltBytes -= heldBytes;
    return group;
  }

  // Publish.

  /** A bug met half way through publishing leaves a log whose state nobody knows: it goes offline, and what was in flight fails. */
  #publishOrBreak(segment: Segment): void {
    const group = this.#inFlight;
    try {
      this.#publish(segment);
    } catch (error) {
      if (this.#inFlight !== group) throw error;
      this.#host.broken(error as Error);
      this.#failInFlight();
      throw error;
    }
  }

  #publish(segment: Segment): void {
    const group = this.#inFlight;
    const view = this.#view;
    for (const entry of group) {
      const reserved = entry.request.origin !== 'replica';
      for (let at = entry.start; at < entry.end; at += view.sizeBytes) {
        this.#host.publishBatch(segment, view.at(entry.buffer, at), reserved);
      }
      assert(this.#host.logEndOffset === entry.endOffset, 'an append ends where its place was reserved');
      view.release();
    }
    this.#inFlight = [];
    this.#host.published();
    for (const entry of group) entry.succeed(this.#host.logStartOffset);
  }

  // Fail.

  /** Nothing in flight or reserved is in the log, and the place of all of it is free again. */
  #failWrite(error: DiskError): void {
    const entries = [...this.#inFlight, ...this.#reserved];
    this.#inFlight = [];
    this.#reserved = [];
    this.#rebuiltBytes = 0;
    this.#undoReservations();
    this.#host.writeFailed(error);
    const message = error.code === 'ENOSPC' ? 'The disk is full' : `The disk failed: ${error.code}`;
    for (const entry of entries) this.#refuse(entry, ErrorCode.KAFKA_STORAGE_ERROR, message);
  }

  /** The log went offline while a write was in flight. */
  #failInFlight(): void {
    const entries = this.#inFlight;
    this.#inFlight = [];
    this.#undoReservations();
    for (const entry of entries) this.#refuse(entry, ErrorCode.KAFKA_STORAGE_ERROR, 'The log is offline');
  }

  #undoReservations(): void {
    this.reservedEndOffset = this.#host.logEndOffset;
    this.#producers.dropPending();
  }

  #refuse(entry: LaneEntry, errorCode: ErrorCode, message: string): void {
    entry.fail(errorCode, message, this.#host.logStartOffset);
  }

  /** The log was cut or emptied while the lane was idle. */
  reset(): void {
    const isEmpty = this.#admitting === null && this.#reserved.length + this.#inFlight.length === 0;
    assert(isEmpty, 'a log is cut when nothing is on its way into it');
    this.#undoReservations();
  }

  /** Asserts what must hold between two events. */
  checkInvariants(): void {
    let offset = this.#host.logEndOffset;
    for (const entry of [...this.#inFlight, ...this.#reserved]) {
      assert(entry.baseOffset >= offset && entry.endOffset > entry.baseOffset, 'reservations do not overlap');
      offset = entry.endOffset;
    }
    assert(this.reservedEndOffset === offset, 'the reserved end is that of the last reservation');
    if (this.#inFlight.length === 0 && this.#reserved.length === 0) {
      assert(this.#producers.isSettled, 'sequences are reserved only with their batches');
    }
  }
}
