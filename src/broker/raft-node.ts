import { assert } from '../base/assert.ts';
import { BrokerError } from '../base/broker-error.ts';
import { ErrorCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { TimerHandle } from '../io/clock.ts';
import { DiskError } from '../io/disk.ts';
import type { LogEnvironment } from '../log/log-environment.ts';
import type { MetadataSnapshotStore } from '../log/metadata-snapshot-store.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type {
  AnswerToSend,
  FetchedBatch,
  RaftApis,
  RaftEffect,
  RaftOptions,
  RaftRequest,
  RaftStart,
  RequestToSend,
} from '../raft/raft-api.ts';
import { RaftMachine } from '../raft/raft-machine.ts';
import { buildControlBatch } from '../records/control-records.ts';
import { QuorumStateWriter } from './quorum-state-writer.ts';
import { RaftDownloads } from './raft-downloads.ts';
import { RaftLog } from './raft-log.ts';
import { batchesIn, filledAnswer, sliceOf } from './raft-records.ts';
import { quorumStatePath } from './raft-start.ts';
import type { PeerAnswer, PeerRequest, RaftReply, RaftTransport } from './raft-transport.ts';

/** Where a batch goes. */
export interface BatchPosition {
  readonly baseOffset: number;
  /** Exclusive. */
  readonly endOffset: number;
  readonly epoch: number;
  /** Wall clock, ms. */
  readonly timestampMs: number;
}

/** What a node tells the one who runs the controller on it. */
export interface RaftNodeListener {
  /** It leads an epoch. */
  onLead(epoch: number, epochStartOffset: number): void;
  /** It does no more: what is not committed may be lost. */
  onStopLeading(): void;
  /** A batch of its own is about to be written; control batches too. */
  onOwnBatch(buffer: Buffer, position: BatchPosition): void;
  /** High watermark, written end or role may have changed. */
  onProgress(): void;
  /** The disk is full. */
  onCannotWrite(why: string): void;
  /** The node has stopped for good. */
  onBroken(error: Error): void;
}

/** A member of the metadata quorum: runs the Raft machine on the log, `quorum-state`, the clock and the other members. */
export class RaftNode {
  readonly machine: RaftMachine;
  readonly #environment: LogEnvironment;
  readonly #logger: Logger;
  readonly #log: PartitionLog;
  readonly #store: MetadataSnapshotStore;
  readonly #transport: RaftTransport | null;
  readonly #listener: RaftNodeListener;
  readonly #raftLog: RaftLog;
  readonly #quorumState: QuorumStateWriter;
  readonly #downloads: RaftDownloads;
  /** Who waits for which answer. */
  readonly #answers = new Map<number, PeerAnswer>();
  /** Bytes of the answer whose event is carried out. */
  #received: { readonly correlationId: number; readonly bytes: Buffer | null } | null = null;
  #requestId = 0;
  #isDraining = false;
  #closed = false;
  #timer: { readonly handle: TimerHandle; readonly deadlineMs: number } | null = null;

  /** @param options.transport null for a quorum of one node */
  constructor(options: {
    readonly environment: LogEnvironment;
    readonly log: PartitionLog;
    readonly store: MetadataSnapshotStore;
    readonly transport: RaftTransport | null;
    readonly raft: RaftOptions;
    readonly start: RaftStart;
    readonly listener: RaftNodeListener;
    /** Told of a disk error that is no shortage. */
    readonly onDiskError: (error: DiskError) => void;
  }) {
    const { environment, log, store, listener } = options;
    const { clock, disk } = environment;
    this.#environment = environment;
    this.#logger = environment.logger.child({ component: 'raft' });
    this.#log = log;
    this.#store = store;
    this.#transport = options.transport;
    this.#listener = listener;
    this.#raftLog = new RaftLog(log, clock, {
      onWritten: () => this.#progress(),
      onFlushed: (ticket) => this.on((nowMs) => this.machine.flushed(ticket, nowMs)),
      onWriteFailed: (endOffset, why) => {
        this.#logger.warn('The metadata log cannot be written', { why, epoch: this.machine.epoch });
        this.on((nowMs) => this.machine.writeFailed(endOffset, nowMs));
        listener.onCannotWrite(why);
      },
      onBroken: (error) => listener.onBroken(error),
    });
    this.#quorumState = new QuorumStateWriter({
      disk,
      clock,
      path: quorumStatePath(log),
      persisted: (ticket) => this.on((nowMs) => this.machine.electionPersisted(ticket, nowMs)),
      failed: (error, isShortage) =>
        isShortage ? listener.onCannotWrite(error.message) : options.onDiskError(error),
    });
    this.#downloads = new RaftDownloads(environment, store, (frozen) =>
      this.on((nowMs) => this.machine.snapshotFrozen(frozen, nowMs)),
    );
    this.machine = new RaftMachine(options.raft, options.start, clock.monotonicMs());
  }

  /** Begins to take part; nothing happens before. */
  begin(): void {
    this.#transport?.serve((request, done) => this.handle(request, done));
    this.on(() => undefined);
  }

  /** What is committed and can be read (exclusive). */
  get readableEndOffset(): number {
    return Math.min(this.machine.highWatermark, this.#raftLog.writtenEndOffset);
  }

  /** Gives the machine an event, and carries out what it answers. */
  on(event: (nowMs: number) => void): void {
    if (this.#closed) return;
    event(this.#environment.clock.monotonicMs());
    this.#drain();
    this.#progress();
  }

  /** Reserves offsets for records of the controller, which `write` must be given next. @returns the first */
  reserve(count: number): number {
    return this.machine.append(count, this.#environment.clock.monotonicMs());
  }

  /** Writes a batch of this leader at the offsets reserved for it. */
  write(buffer: Buffer, position: BatchPosition): void {
    const { baseOffset, endOffset, epoch, timestampMs } = position;
    this.#listener.onOwnBatch(buffer, position);
    this.#raftLog.append({ buffer, baseOffset, endOffset, epoch, origin: 'raft', nowMs: timestampMs });
    this.#drain();
  }

  /** A request of another member; `done` is called once, unless the node is closed before. */
  handle(request: PeerRequest, done: PeerAnswer): void {
    if (this.#closed) return;
    const { clock } = this.#environment;
    const requestId = ++this.#requestId;
    this.#answers.set(requestId, done);
    const aheadMs = clock.wallMs() - clock.monotonicMs();
    this.on((nowMs) => this.machine.request({ requestId, ...request } as RaftRequest, nowMs, aheadMs));
  }

  /** Has the machine know of snapshots that were written, or dropped with the log before them. */
  snapshotsChanged(): void {
    const { machine } = this;
    this.on((nowMs) => {
      const { latest } = this.#store;
      if (latest !== null && latest.endOffset > machine.latestSnapshotEndOffset) {
        machine.snapshotWritten({ id: latest, sizeBytes: this.#store.sizeOf(latest) }, nowMs);
      }
      const { logStartOffset } = this.#log;
      if (logStartOffset > machine.logStartOffset) machine.logStartMoved(logStartOffset, nowMs);
    });
  }

  /** Stops at once. */
  close(): void {
    this.#closed = true;
    this.#raftLog.close();
    this.#quorumState.close();
    if (this.#timer !== null) this.#environment.clock.cancel(this.#timer.handle);
    this.#timer = null;
  }

  #progress(): void {
    if (this.#closed || this.#isDraining) return;
    this.#armTimer();
    this.#listener.onProgress();
  }

  /** Carries out the machine's effects, in order; those of events that come meanwhile too. */
  #drain(): void {
    if (this.#isDraining) return;
    const { machine } = this;
    this.#isDraining = true;
    for (let effects = machine.takeEffects(); effects.length > 0; effects = machine.takeEffects()) {
      for (const effect of effects) if (!this.#closed) this.#carryOut(effect);
    }
    this.#isDraining = false;
  }

  #carryOut(effect: RaftEffect): void {
    switch (effect.type) {
      case 'persist-election':
        return this.#quorumState.write(effect.state, effect.ticket);
      case 'append-control': {
        const { baseOffset, epoch, records } = effect;
        const timestampMs = this.#environment.clock.wallMs();
        const input = { records, timestampMs, baseOffset, partitionLeaderEpoch: epoch };
        const buffer = buildControlBatch(input, this.#environment.compute);
        return this.write(buffer, { baseOffset, endOffset: baseOffset + records.length, epoch, timestampMs });
      }
      case 'append-fetched': {
        const { baseOffset, endOffset } = effect;
        const buffer = sliceOf(this.#bytesOf(effect.correlationId), baseOffset, endOffset);
        const { epoch } = this.machine;
        const nowMs = this.#environment.clock.wallMs();
        return this.#raftLog.append({ buffer, baseOffset, endOffset, epoch, origin: 'replica', nowMs });
      }
      case 'flush':
        return this.#raftLog.flush(effect.endOffset, effect.ticket);
      case 'truncate':
        return this.#raftLog.truncate(effect.endOffset);
      case 'begin-snapshot':
        return this.#downloads.begin(effect.id);
      case 'write-snapshot':
        return this.#downloads.write(this.#bytesOf(effect.correlationId));
      case 'freeze-snapshot':
        return this.#downloads.freeze();
      case 'discard-snapshot':
        return this.#downloads.discard(effect.id);
      case 'install-snapshot':
        return this.#raftLog.restartAt(effect.id.endOffset);
      case 'send':
        return this.#send(effect);
      case 'answer':
        return this.#answer(effect);
      default:
        return this.#tell(effect);
    }
  }

  #tell(
    effect: Extract<
      RaftEffect,
      { type: 'lead' | 'stop-leading' | 'leader' | 'high-watermark' | 'warn' | 'fatal' }
    >,
  ): void {
    switch (effect.type) {
      case 'lead':
        return this.#listener.onLead(effect.epoch, effect.epochStartOffset);
      case 'stop-leading':
        return this.#listener.onStopLeading();
      case 'leader':
      case 'high-watermark':
        // `onProgress` follows.
        return undefined;
      case 'warn':
        return this.#logger.warn(`The quorum: ${effect.message}`);
      case 'fatal':
        return this.#listener.onBroken(new BrokerError('METADATA_CORRUPT', effect.message));
    }
  }

  #bytesOf(correlationId: number): Buffer {
    const received = this.#received;
    assert(
      received?.correlationId === correlationId && received.bytes !== null,
      'bytes are of the last answer',
    );
    return received.bytes;
  }

  #send(effect: RequestToSend): void {
    assert(this.#transport !== null, 'a quorum of one node sends nothing');
    this.#transport.send(effect, (reply) => this.on((nowMs) => this.#receive(effect, reply, nowMs)));
  }

  #receive(effect: RequestToSend, reply: RaftReply, nowMs: number): void {
    const { correlationId } = effect;
    if (reply.body === null) return this.machine.failed(correlationId, reply.errorCode, nowMs);
    const bytes = bytesIn(effect.apiKey, reply.body);
    const batches: FetchedBatch[] =
      effect.apiKey === 1 && bytes !== null ? batchesIn(bytes, this.#environment.compute) : [];
    this.#received = { correlationId, bytes };
    this.machine.response(correlationId, reply.body, batches, nowMs);
    this.#drain();
    this.#received = null;
  }

  #answer(effect: AnswerToSend): void {
    const done = this.#answers.get(effect.requestId);
    this.#answers.delete(effect.requestId);
    if (done === undefined) return;
    try {
      done(filledAnswer(effect, this.#log, this.#store));
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#logger.warn('A snapshot could not be read for another member', { error });
      done({ ...effect.body, errorCode: ErrorCode.UNKNOWN_SERVER_ERROR });
    }
  }

  /** Keeps a timer at the machine's next deadline, or before it. */
  #armTimer(): void {
    const deadlineMs = this.machine.nextDeadlineMs;
    if (deadlineMs === Infinity || (this.#timer !== null && this.#timer.deadlineMs <= deadlineMs)) return;
    const { clock } = this.#environment;
    if (this.#timer !== null) clock.cancel(this.#timer.handle);
    const handle = clock.schedule(deadlineMs, () => {
      this.#timer = null;
      this.on((nowMs) => this.machine.tick(nowMs));
    });
    this.#timer = { handle, deadlineMs };
  }
}

/** Records of a Fetch answer, or the piece of a snapshot. */
function bytesIn(apiKey: number, body: RaftApis[keyof RaftApis]['response']): Buffer | null {
  if (apiKey === 1) return (body as RaftApis[1]['response']).responses[0]?.partitions[0]?.records ?? null;
  if (apiKey !== 59) return null;
  return (body as RaftApis[59]['response']).topics[0]?.partitions[0]?.unalignedRecords ?? null;
}
