import { assert } from '../../base/assert.ts';
import { ErrorCode } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { TimelineKey } from '../../base/timeline-hash.ts';
import type { PersistentMap } from '../../base/timeline-map.ts';
import { Timeline, type TimelineMap } from '../../base/timeline.ts';
import type { Timer } from '../../base/timer-wheel.ts';
import { type CoordinatorRecord, type EncodedRecord, encodeCoordinatorRecord } from './coordinator-record.ts';
import type { CoordinatorResult } from './coordinator-result.ts';
import type { Coordinator, ShardContext } from './coordinator.ts';
import { type PendingOperation, recordBytes, ShardBatch } from './shard-batch.ts';
import { ShardTimers } from './shard-timers.ts';

/** What a shard is made with. */
export interface ShardOptions<C extends Coordinator> {
  readonly create: (context: ShardContext) => C;
  readonly random: Random;
  /** Largest batch the partition takes, `max.message.bytes`. */
  readonly maxBatchBytes: () => number;
  /** How long a batch waits for company: so many ms, or until the driver asks for it, which is at the end of its turn (-1); 0: not
   * at all, each operation has its own. `group.coordinator.append.linger.ms`. */
  readonly lingerMs: number;
  /** How long an operation waits for its commit. */
  readonly writeTimeoutMs: number;
  /** There is something to append or a nearer deadline. */
  readonly onWork: () => void;
}

/** Both clocks of an event. */
export interface Now {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** Where a shard stands. */
export type ShardState = 'loading' | 'active' | 'closed';

/** Gets the outcome of an operation: `NONE` and its response, or an error and null. */
export type OperationCallback<R> = (errorCode: ErrorCode, response: R | null) => void;

/** Bytes of records that may wait to be appended; operations beyond are refused. */
const MAX_QUEUED_BYTES = 64 << 20;

/**
 * One partition of an internal topic with the coordinator that lives on it: the machine that every kind of coordinator runs in. Pure; a driver appends, reads and
 * tells the time.
 *
 *     loading ──loaded──▶ active ──close──▶ closed         loading ──close──▶ closed
 *
 *     write → operation → records → replayed at once, gathered in the open batch → `takeBatch` → the driver appends
 *           → `appended`: the batch waits for the high watermark → `committed`: answered
 *           → `appendFailed`: this batch and all behind it are rolled back and refused
 *
 * One batch is on its way at a time: what comes meanwhile shares the next. At the end of each batch the timeline has a snapshot; those below the committed end are let
 * go. Reads see what is committed, operations everything.
 */
export class Shard<C extends Coordinator> {
  readonly coordinator: C;
  readonly #options: ShardOptions<C>;
  readonly #timeline = new Timeline();
  readonly #timers: ShardTimers;
  readonly #now: { monotonicMs: number; wallMs: number };
  #state: ShardState = 'loading';
  /** Batches written and not committed. */
  readonly #written: ShardBatch[] = [];
  #appending: ShardBatch | null = null;
  /** Full batches behind the one that is being appended. */
  readonly #full: ShardBatch[] = [];
  #open: ShardBatch | null = null;
  #queuedBytes = 0;
  /** Offset of the next record to be replayed. */
  #nextOffset = 0;
  #writtenEndOffset = 0;
  #committedEndOffset = 0;

  constructor(options: ShardOptions<C>, now: Now) {
    this.#options = options;
    this.#now = { ...now };
    this.#timers = new ShardTimers(now.monotonicMs);
    this.coordinator = options.create(this.#context());
  }

  get state(): ShardState {
    return this.#state;
  }

  /** End of what is in the log (exclusive). */
  get writtenEndOffset(): number {
    return this.#writtenEndOffset;
  }

  /** End of what is committed (exclusive). */
  get committedEndOffset(): number {
    return this.#committedEndOffset;
  }

  // Loading.

  /** Replays a record of the log. */
  replay(record: CoordinatorRecord, offset: number, producerId: number): void {
    assert(this.#state === 'loading', 'only a shard that loads replays the log');
    this.coordinator.replay(record, offset, producerId);
  }

  /** Replays the end of a transaction. */
  replayTransactionEnd(producerId: number, committed: boolean): void {
    assert(this.#state === 'loading', 'only a shard that loads replays the log');
    this.coordinator.replayTransactionEnd(producerId, committed);
  }

  /** The log was replayed to its end. @param highWatermark what of it is committed */
  loaded(endOffset: number, highWatermark: number, now: Now): void {
    assert(this.#state === 'loading', 'a shard is loaded once');
    this.#setNow(now);
    this.#state = 'active';
    this.#nextOffset = endOffset;
    this.#writtenEndOffset = endOffset;
    this.#committedEndOffset = Math.min(highWatermark, endOffset);
    this.#timeline.snapshot(endOffset);
    this.coordinator.onLoaded();
  }

  /** Ends it. Whoever waits gets `errorCode`; later operations too. */
  close(errorCode: ErrorCode): void {
    if (this.#state === 'closed') return;
    const wasActive = this.#state === 'active';
    this.#state = 'closed';
    this.#timers.close();
    const batches = [...this.#written, ...this.#unwritten()];
    this.#written.length = 0;
    this.#forgetUnwritten();
    for (const batch of batches) batch.settle(errorCode);
    if (wasActive) this.coordinator.onUnloaded();
  }

  // Operations.

  /** Runs an operation; `done` is called once, when what it wrote and saw is committed, or with why not. */
  write<R>(operation: (coordinator: C) => CoordinatorResult<R>, now: Now, done: OperationCallback<R>): void {
    const refusal = this.#refusal();
    if (refusal !== ErrorCode.NONE) return done(refusal, null);
    this.#setNow(now);
    return this.#run(() => operation(this.coordinator), done);
  }

  /** Looks at what is committed. */
  read<R>(look: (coordinator: C) => R, now: Now, done: OperationCallback<R>): void {
    const refusal = this.#state === 'active' ? ErrorCode.NONE : this.#refusal();
    if (refusal !== ErrorCode.NONE) return done(refusal, null);
    this.#setNow(now);
    return done(ErrorCode.NONE, look(this.coordinator));
  }

  #refusal(): ErrorCode {
    if (this.#state === 'loading') return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    if (this.#state === 'closed') return ErrorCode.NOT_COORDINATOR;
    return this.#queuedBytes < MAX_QUEUED_BYTES ? ErrorCode.NONE : ErrorCode.COORDINATOR_NOT_AVAILABLE;
  }

  #run<R>(operation: () => CoordinatorResult<R>, done: OperationCallback<R>): void {
    const result = operation();
    const { errorCode, records, response, onSettled } = result;
    if (errorCode !== ErrorCode.NONE) return done(errorCode, null);
    const pending: PendingOperation = {
      deadlineMs: this.#now.monotonicMs + this.#options.writeTimeoutMs,
      settle: (outcome) => {
        onSettled?.(outcome);
        done(outcome, outcome === ErrorCode.NONE ? response : null);
      },
    };
    const encoded = records.map(encodeCoordinatorRecord);
    const batch = encoded.length === 0 ? this.#newestBatch() : this.#batchFor(encoded);
    if (batch === null) {
      // Nothing is under way that it could have seen; or it is too large to be written at all.
      return pending.settle(encoded.length === 0 ? ErrorCode.NONE : ErrorCode.RECORD_LIST_TOO_LARGE);
    }
    for (const record of encoded) batch.add(record);
    batch.wait(pending);
    if (result.replayed) {
      records.forEach((record, i) => this.coordinator.replay(record, this.#nextOffset + i, -1));
    }
    this.#nextOffset += records.length;
    if (this.#options.lingerMs === 0 && records.length > 0) this.#seal();
    this.#options.onWork();
    return undefined;
  }

  /** The last batch that is not committed, or null. */
  #newestBatch(): ShardBatch | null {
    return this.#open ?? this.#full.at(-1) ?? this.#appending ?? this.#written.at(-1) ?? null;
  }

  /** A batch with room for the records; null when none has. */
  #batchFor(encoded: readonly EncodedRecord[]): ShardBatch | null {
    const maxBytes = this.#options.maxBatchBytes();
    let addedBytes = 0;
    for (const record of encoded) addedBytes += recordBytes(record);
    if (this.#open !== null && this.#open.sizeBytes + addedBytes > maxBytes) this.#seal();
    if (this.#open === null) {
      const { lingerMs } = this.#options;
      const batch = new ShardBatch({
        baseOffset: this.#nextOffset,
        timestampMs: this.#now.wallMs,
        dueMs: this.#now.monotonicMs + Math.max(lingerMs, 0),
      });
      if (batch.sizeBytes + addedBytes > maxBytes) return null;
      this.#open = batch;
    }
    this.#queuedBytes += addedBytes;
    return this.#open;
  }

  #seal(): void {
    const batch = this.#open;
    if (batch === null) return;
    this.#open = null;
    this.#full.push(batch);
    this.#timeline.snapshot(batch.endOffset);
  }

  // Appending.

  /** The batch that is to be appended now, or null. Exactly one of `appended` and `appendFailed` follows. */
  takeBatch(nowMs: number): ShardBatch | null {
    if (this.#appending !== null) return null;
    if (this.#full.length === 0 && this.#open !== null && this.#open.dueMs <= nowMs) this.#seal();
    const batch = this.#full.shift() ?? null;
    this.#appending = batch;
    return batch;
  }

  /**
   * The batch taken last is in the log. False when it lies at another offset than it was replayed for: somebody else writes to the partition, and the shard must be
   * closed and loaded anew.
   */
  appended(baseOffset: number): boolean {
    const batch = this.#appending;
    if (batch === null) return this.#state === 'closed';
    this.#appending = null;
    this.#queuedBytes -= batch.sizeBytes - EMPTY_BATCH_BYTES;
    this.#written.push(batch);
    this.#writtenEndOffset = batch.endOffset;
    if (this.#full.length > 0 || this.#open !== null) this.#options.onWork();
    return baseOffset === batch.baseOffset;
  }

  /** The batch taken last is not in the log: it and what came behind it is taken back. */
  appendFailed(errorCode: ErrorCode, now: Now): void {
    if (this.#appending === null) return;
    this.#setNow(now);
    const failed = this.#unwritten();
    const { baseOffset } = this.#appending;
    this.#forgetUnwritten();
    this.#timeline.rollbackTo(baseOffset);
    this.#nextOffset = baseOffset;
    for (const batch of failed) batch.settle(errorCode);
  }

  /** The high watermark of the partition, after every move. */
  committed(highWatermark: number, now: Now): void {
    if (this.#state !== 'active') return;
    this.#setNow(now);
    const committed = Math.min(highWatermark, this.#writtenEndOffset);
    if (committed <= this.#committedEndOffset) return;
    this.#committedEndOffset = committed;
    this.#timeline.releaseUpTo(committed);
    while (this.#written.length > 0 && (this.#written[0] as ShardBatch).endOffset <= committed) {
      (this.#written.shift() as ShardBatch).settle(ErrorCode.NONE);
    }
  }

  #unwritten(): ShardBatch[] {
    const batches = this.#appending === null ? [] : [this.#appending];
    batches.push(...this.#full);
    if (this.#open !== null) batches.push(this.#open);
    return batches;
  }

  #forgetUnwritten(): void {
    this.#appending = null;
    this.#full.length = 0;
    this.#open = null;
    this.#queuedBytes = 0;
  }

  // Time.

  /** When `tick` is to be called next, `monotonicMs`; null for never. */
  nextDeadlineMs(): number | null {
    if (this.#state !== 'active') return null;
    let next = this.#timers.nextDeadlineMs ?? Number.POSITIVE_INFINITY;
    if (this.#appending === null && this.#open !== null) next = Math.min(next, this.#open.dueMs);
    for (const batch of this.#inOrder()) {
      const deadlineMs = batch.firstDeadlineMs;
      if (deadlineMs === null) continue;
      next = Math.min(next, deadlineMs);
      break;
    }
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  /** Does what is due. The driver asks for a batch afterwards. */
  tick(now: Now): void {
    if (this.#state !== 'active') return;
    this.#setNow(now);
    for (const batch of this.#inOrder()) batch.expire(now.monotonicMs);
    this.#timers.advance(now.monotonicMs);
  }

  *#inOrder(): IterableIterator<ShardBatch> {
    yield* this.#written;
    if (this.#appending !== null) yield this.#appending;
    yield* this.#full;
    if (this.#open !== null) yield this.#open;
  }

  #setNow(now: Now): void {
    this.#now.monotonicMs = now.monotonicMs;
    this.#now.wallMs = now.wallMs;
    this.#timers.setNow(now.monotonicMs);
  }

  // What the coordinator has of it.

  #context(): ShardContext {
    const now = this.#now;
    return {
      timeline: this.#timeline,
      random: this.#options.random,
      get nowMs() {
        return now.monotonicMs;
      },
      get wallMs() {
        return now.wallMs;
      },
      committed: (map) => this.#committedView(map),
      schedule: (timer: Timer, delayMs: number) => {
        this.#timers.schedule(timer, delayMs);
        this.#options.onWork();
      },
      cancel: (timer: Timer) => this.#timers.cancel(timer),
      perform: (operation) => {
        if (this.#state === 'active') this.#run(operation, () => {});
      },
    };
  }

  #committedView<K extends TimelineKey, V>(map: TimelineMap<K, V>): PersistentMap<K, V> {
    if (this.#committedEndOffset === this.#nextOffset) return map.view();
    return this.#timeline.viewAt(map, this.#committedEndOffset) ?? map.view();
  }

  /** Asserts what must hold between two events. */
  checkInvariants(): void {
    assert(this.#committedEndOffset <= this.#writtenEndOffset, 'what is committed is written');
    if (this.#state !== 'active') return;
    let endOffset = this.#writtenEndOffset;
    for (const batch of this.#unwritten()) {
      assert(batch.baseOffset === endOffset, 'batches follow one another');
      endOffset = batch.endOffset;
    }
    assert(endOffset === this.#nextOffset, 'what is replayed is written or on its way');
    this.coordinator.checkInvariants();
  }
}

const EMPTY_BATCH_BYTES = new ShardBatch({ baseOffset: 0, timestampMs: 0, dueMs: 0 }).sizeBytes;
