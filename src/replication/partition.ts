import { assert } from '../base/assert.ts';
import { ErrorCode } from '../base/errors.ts';
import type { Uuid } from '../base/uuid.ts';
import type { ColdRead, FileRange } from '../io/disk.ts';
import type { AppendOutcome } from '../log/append-request.ts';
import type { EpochEnd } from '../log/log-read.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { type AcknowledgementWaiter, WaiterQueue } from './acknowledgement.ts';
import { type Assignment, LeaderState } from './leader-state.ts';
import { type ProgressLink, ProgressList } from './progress.ts';

/** Who reads, and up to where: consumers to the high watermark or the last stable offset, replicas to the log end. */
export type ReadIsolation = 'high-watermark' | 'last-stable' | 'log-end';

/** Bounds of one read of a partition. */
export interface PartitionReadOptions {
  readonly maxBytes: number;
  readonly minOneBatch: boolean;
  readonly isolation: ReadIsolation;
  /** The leader epoch the reader believes in, -1 to skip the check. */
  readonly currentLeaderEpoch: number;
  /** Epoch of the last record the reader has, -1 when it does not ask for a check (formats §25). */
  readonly lastFetchedEpoch: number;
  /** See `ReadOptions`. */
  readonly withoutWaiting?: boolean;
}

/** What one read found; fields of one object that the caller reuses. */
export interface PartitionRead {
  errorCode: ErrorCode;
  /** -1 together with an error. */
  highWatermark: number;
  lastStableOffset: number;
  logStartOffset: number;
  /** A lease with one reference, the caller's; null without records. */
  range: FileRange | null;
  lengthBytes: number;
  /** See `LogRead`. */
  cold: ColdRead | null;
  /** Where the reader's log parts from this one; null in general. */
  divergingEpoch: EpochEnd | null;
}

/** An append by a client through the leader. */
export interface LeaderAppend {
  /** See `AppendRequest`: the bytes belong to the log until `done`. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly origin: 'client' | 'coordinator';
  readonly produceVersion: number;
  readonly nowMs: number;
  /** See `AppendRequest`; of markers. */
  readonly transactionVersion?: number;
  /** -1 (all), 0 or 1. */
  readonly acks: number;
}

/**
 * One partition that this broker has a replica of.
 *
 *     state     log   role                    appends and consumer reads
 *     idle      none  no leader known yet     NOT_LEADER_OR_FOLLOWER
 *     leader    open  leader of an epoch      served
 *     follower  open  another broker leads    NOT_LEADER_OR_FOLLOWER
 *     stopped   gone  deleted or moved away   UNKNOWN_TOPIC_OR_PARTITION for those who still wait
 *
 * Assignments come from the metadata image; progress comes from the log. Whoever waits (acks=all, long polls) hangs in lists here and is
 * told of progress and of every change of role.
 */
export class Partition {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: Uuid;
  readonly localId: number;
  #log: PartitionLog | null = null;
  #leader: LeaderState | null = null;
  #assignment: Assignment | null = null;
  #minInsyncReplicas: number;
  #stopped = false;
  #offline = false;
  /** Appends that wait until the log is exchanged; null in general. */
  #heldAppends: { readonly append: LeaderAppend; readonly done: (outcome: AppendOutcome) => void }[] | null =
    null;
  readonly #acknowledgements = new WaiterQueue();
  /** Made for the first watcher: most partitions of a large broker have none. */
  #watchers: ProgressList | null = null;

  constructor(init: {
    topic: string;
    partition: number;
    topicId: Uuid;
    localId: number;
    minInsyncReplicas: number;
  }) {
    this.topic = init.topic;
    this.partition = init.partition;
    this.topicId = init.topicId;
    this.localId = init.localId;
    this.#minInsyncReplicas = init.minInsyncReplicas;
  }

  /** The log; null before the first assignment and after `stop`. */
  get log(): PartitionLog | null {
    return this.#log;
  }

  /** True once the replica is gone from this broker; look the partition up anew. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** True while this broker leads the partition. */
  get isLeader(): boolean {
    return this.#leader !== null;
  }

  /** Leader epoch of the last assignment, -1 before one. */
  get leaderEpoch(): number {
    return this.#assignment?.leaderEpoch ?? -1;
  }

  /** Id of the leader, -1 when none is known. */
  get leaderId(): number {
    return this.#assignment?.leaderId ?? -1;
  }

  /** Partition epoch of the last assignment, -1 before one. */
  get partitionEpoch(): number {
    return this.#assignment?.partitionEpoch ?? -1;
  }

  /** Everything below is on all in-sync replicas. */
  get highWatermark(): number {
    return this.#leader?.highWatermark ?? this.#log?.highWatermark ?? 0;
  }

  /** Where READ_COMMITTED readers stop: below it every transaction is decided on all in-sync replicas. Never above the high watermark, which it is without transactions. */
  get lastStableOffset(): number {
    return this.#log?.lastStableOffset ?? this.highWatermark;
  }

  /** Log end when this leader's epoch began; -1 when not the leader. */
  get epochStartOffset(): number {
    return this.#leader?.epochStartOffset ?? -1;
  }

  /** Takes the log over, once; from now on its progress moves the high watermark. */
  attach(log: PartitionLog): void {
    assert(this.#log === null && !this.#stopped, 'a partition has one log');
    this.#log = log;
    log.onAppended(() => this.#localProgress());
    log.onFlushed(() => this.#localProgress());
  }

  /**
   * Exchanges the log for a copy of it in another directory. Appends wait from now on; once those under way are done `prepare` is called, and is to call back with the copy, equal to the log
   * by then, or null to leave things as they are.
   */
  exchangeLog(prepare: (done: (copy: PartitionLog | null) => void) => void): void {
    assert(this.#heldAppends === null, 'a log is exchanged once at a time');
    const former = this.#log;
    assert(former !== null, 'there is a log to exchange');
    this.#heldAppends = [];
    former.whenIdle(() =>
      prepare((copy) => {
        if (copy !== null && this.#log === former) this.#takeCopy(former, copy);
        this.#releaseAppends();
      }),
    );
  }

  #takeCopy(former: PartitionLog, copy: PartitionLog): void {
    assert(copy.logEndOffset === former.logEndOffset, 'the copy has every record');
    former.onAppended(null);
    former.onFlushed(null);
    copy.highWatermark = former.highWatermark;
    this.#log = copy;
    copy.onAppended(() => this.#localProgress());
    copy.onFlushed(() => this.#localProgress());
    this.#watchers?.notify();
  }

  #releaseAppends(): void {
    const held = this.#heldAppends ?? [];
    this.#heldAppends = null;
    for (const { append, done } of held) {
      const errorCode = this.append(append, done);
      if (errorCode !== ErrorCode.NONE) done(notAppended(errorCode));
    }
  }

  /** Follows what the controller decided: leads, follows or goes on leading with another ISR. */
  assign(assignment: Assignment): void {
    assert(!this.#stopped, 'a stopped partition takes no assignment');
    const former = this.#assignment;
    if (former !== null && assignment.partitionEpoch < former.partitionEpoch) return;
    this.#assignment = assignment;
    const log = this.#log;
    if (log === null || assignment.leaderId !== this.localId) {
      this.#leave(ErrorCode.NOT_LEADER_OR_FOLLOWER);
      return;
    }
    if (this.#leader?.leaderEpoch === assignment.leaderEpoch) {
      if (this.#leader.assigned(assignment)) this.#highWatermarkMoved();
      return;
    }
    this.#leave(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    if (!log.offline) log.assignEpoch(assignment.leaderEpoch, log.logEndOffset);
    this.#leader = new LeaderState({
      localId: this.localId,
      assignment,
      localEndOffset: log.acknowledgedEndOffset,
      epochStartOffset: log.logEndOffset,
      highWatermark: log.highWatermark,
      minInsyncReplicas: this.#minInsyncReplicas,
    });
    this.#highWatermarkMoved();
    // What recovery found may never have been flushed, and only what is flushed counts: nobody else would see to it. A failure takes the log offline.
    if (log.acknowledgedEndOffset < log.logEndOffset) log.flush(() => undefined);
  }

  /** There is no directory that can take the log: everything is answered with KAFKA_STORAGE_ERROR. */
  markOffline(): void {
    this.#offline = true;
    this.#leave(ErrorCode.KAFKA_STORAGE_ERROR);
  }

  /** The topic's `min.insync.replicas` changed. */
  updateMinInsyncReplicas(minInsyncReplicas: number): void {
    this.#minInsyncReplicas = minInsyncReplicas;
    if (this.#leader?.minInsyncReplicasChanged(minInsyncReplicas)) this.#highWatermarkMoved();
  }

  /** The replica is gone from this broker (topic deleted, moved): everybody who waits is told. The log is the caller's to delete. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#log?.onAppended(null);
    this.#log?.onFlushed(null);
    this.#leave(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    this.#log = null;
  }

  /** `NONE` if this broker leads and the epoch a client believes in is the right one (-1: any). */
  checkLeader(currentLeaderEpoch: number): ErrorCode {
    if (this.#stopped) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (currentLeaderEpoch >= 0 && this.#assignment !== null) {
      if (currentLeaderEpoch < this.#assignment.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH;
      if (currentLeaderEpoch > this.#assignment.leaderEpoch) return ErrorCode.UNKNOWN_LEADER_EPOCH;
    }
    if (this.#offline) return ErrorCode.KAFKA_STORAGE_ERROR;
    if (this.#leader === null || this.#log === null) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    return this.#log.offline ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE;
  }

  /**
   * Appends a client's batch. Returns an error code without calling `done` when the partition cannot take it at all; else `done` is called
   * once, inline or later, with the log's outcome.
   */
  append(append: LeaderAppend, done: (outcome: AppendOutcome) => void): ErrorCode {
    const errorCode = this.checkLeader(-1);
    if (errorCode !== ErrorCode.NONE) return errorCode;
    const leader = this.#leader as LeaderState;
    if (append.acks === -1 && !leader.enoughInSync) return ErrorCode.NOT_ENOUGH_REPLICAS;
    if (this.#heldAppends !== null) {
      this.#heldAppends.push({ append, done });
      return ErrorCode.NONE;
    }
    (this.#log as PartitionLog).append(
      {
        buffer: append.buffer,
        start: append.start,
        end: append.end,
        leaderEpoch: leader.leaderEpoch,
        origin: append.origin,
        produceVersion: append.produceVersion,
        nowMs: append.nowMs,
        transactionVersion: append.transactionVersion ?? 0,
      },
      done,
    );
    return ErrorCode.NONE;
  }

  /**
   * Waits until everything below `waiter.endOffset` is acknowledged by all in-sync replicas. Returns the result when it is known already, null
   * when `waiter.onAcknowledged` will be called with it. @param leaderEpoch the epoch in which the append was made.
   */
  awaitAcknowledgement(waiter: AcknowledgementWaiter, leaderEpoch: number): ErrorCode | null {
    const leader = this.#leader;
    if (leader === null || leader.leaderEpoch !== leaderEpoch) {
      return this.#stopped ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.NOT_LEADER_OR_FOLLOWER;
    }
    if (leader.highWatermark >= waiter.endOffset) return this.#acknowledgedCode(leader);
    this.#acknowledgements.add(waiter);
    return null;
  }

  /** Takes a waiter out whose request gave up. */
  giveUp(waiter: AcknowledgementWaiter): void {
    this.#acknowledgements.remove(waiter);
  }

  /** Reads for a consumer or replica; see `PartitionRead`. */
  read(fetchOffset: number, options: PartitionReadOptions, into: PartitionRead): void {
    into.range = null;
    into.lengthBytes = 0;
    into.cold = null;
    into.divergingEpoch = null;
    const errorCode = this.checkLeader(options.currentLeaderEpoch);
    if (errorCode !== ErrorCode.NONE) {
      failRead(into, errorCode);
      return;
    }
    const log = this.#log as PartitionLog;
    if (
      options.lastFetchedEpoch >= 0 &&
      this.#checkDivergence(log, fetchOffset, options.lastFetchedEpoch, into)
    )
      return;
    if (options.maxBytes <= 0 && !options.minOneBatch) {
      if (fetchOffset < log.logStartOffset || fetchOffset > log.logEndOffset) {
        failRead(into, ErrorCode.OFFSET_OUT_OF_RANGE);
      } else {
        this.#fillOffsets(log, into);
      }
      return;
    }
    const read = log.read(fetchOffset, {
      maxBytes: Math.max(1, options.maxBytes),
      upperBoundOffset: this.upperBound(options.isolation),
      minOneBatch: options.minOneBatch,
      withoutWaiting: options.withoutWaiting === true,
    });
    if (read.errorCode !== ErrorCode.NONE) {
      failRead(into, read.errorCode);
      return;
    }
    this.#fillOffsets(log, into);
    into.range = read.range;
    into.cold = read.cold;
    into.lengthBytes = read.lengthBytes;
  }

  /**
   * Deletes the records below `offset` (-1: below the high watermark), as far as readers are concerned. `done` is called once, inline or later, with the low watermark of the partition when the
   * deletion will survive a crash; -1 together with an error.
   */
  deleteRecords(offset: number, done: (errorCode: ErrorCode, lowWatermark: number) => void): void {
    const errorCode = this.checkLeader(-1);
    if (errorCode !== ErrorCode.NONE) return done(errorCode, -1);
    const log = this.#log as PartitionLog;
    const { cleanupPolicy } = log.config;
    if (cleanupPolicy.includes('compact') && !cleanupPolicy.includes('delete'))
      return done(ErrorCode.POLICY_VIOLATION, -1);
    const startOffset = offset === -1 ? this.highWatermark : offset;
    if (startOffset < 0 || startOffset > this.highWatermark) return done(ErrorCode.OFFSET_OUT_OF_RANGE, -1);
    log.advanceLogStart(startOffset);
    return log.saveLogStart(log, (error) => {
      const problem = error === null ? this.checkLeader(-1) : ErrorCode.KAFKA_STORAGE_ERROR;
      done(problem, problem === ErrorCode.NONE ? log.logStartOffset : -1);
    });
  }

  /** Offset at which a reader of the given kind stops. */
  upperBound(isolation: ReadIsolation): number {
    if (isolation === 'log-end') return this.#log?.logEndOffset ?? 0;
    return isolation === 'last-stable' ? this.lastStableOffset : this.highWatermark;
  }

  /** Hangs a watcher in: its owner is told of every move of the high watermark and of every change of role, until it is unlinked. */
  watch(link: ProgressLink): void {
    this.#watchers ??= new ProgressList();
    this.#watchers.add(link);
  }

  /** Asserts what must hold between two events. */
  checkInvariants(): void {
    this.#leader?.checkInvariants();
    this.#acknowledgements.checkInvariants(this.#leader?.highWatermark ?? null);
    if (this.#leader !== null && this.#log !== null) {
      assert(this.#leader.highWatermark <= this.#log.logEndOffset, 'the high watermark is inside the log');
      assert(this.lastStableOffset <= this.highWatermark, 'what is stable is on all in-sync replicas');
    }
  }

  /** Returns true when the reader's log parts from this one, or its position cannot be told: `into` has the answer then. */
  #checkDivergence(
    log: PartitionLog,
    fetchOffset: number,
    lastFetchedEpoch: number,
    into: PartitionRead,
  ): boolean {
    const end = log.endOffsetForEpoch(lastFetchedEpoch);
    if (end === null || fetchOffset < log.logStartOffset) {
      failRead(into, ErrorCode.OFFSET_OUT_OF_RANGE);
      return true;
    }
    if (end.epoch >= lastFetchedEpoch && end.endOffset >= fetchOffset) return false;
    this.#fillOffsets(log, into);
    into.divergingEpoch = end;
    return true;
  }

  #fillOffsets(log: PartitionLog, into: PartitionRead): void {
    into.errorCode = ErrorCode.NONE;
    into.highWatermark = this.highWatermark;
    into.lastStableOffset = this.lastStableOffset;
    into.logStartOffset = log.logStartOffset;
  }

  #localProgress(): void {
    const log = this.#log;
    if (log === null || this.#leader === null) return;
    if (this.#leader.localEndAdvanced(log.acknowledgedEndOffset)) this.#highWatermarkMoved();
    else this.#watchers?.notify();
  }

  #highWatermarkMoved(): void {
    const leader = this.#leader as LeaderState;
    const log = this.#log as PartitionLog;
    log.highWatermark = leader.highWatermark;
    this.#acknowledgements.complete(leader.highWatermark, this.#acknowledgedCode(leader));
    this.#watchers?.notify();
  }

  #acknowledgedCode(leader: LeaderState): ErrorCode {
    return leader.enoughInSync ? ErrorCode.NONE : ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND;
  }

  /** Ends leadership, if there is one: all who wait learn of it. */
  #leave(errorCode: ErrorCode): void {
    this.#leader = null;
    this.#acknowledgements.complete(Number.POSITIVE_INFINITY, errorCode);
    this.#watchers?.notify();
  }
}

function notAppended(errorCode: ErrorCode): AppendOutcome {
  return {
    errorCode,
    errorMessage: null,
    recordErrors: [],
    baseOffset: -1,
    endOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    duplicate: false,
  };
}

function failRead(into: PartitionRead, errorCode: ErrorCode): void {
  into.errorCode = errorCode;
  into.highWatermark = -1;
  into.lastStableOffset = -1;
  into.logStartOffset = -1;
}
