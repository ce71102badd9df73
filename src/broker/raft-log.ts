import { assert } from '../base/assert.ts';
import { ErrorCode } from '../base/errors.ts';
import type { Clock } from '../io/clock.ts';
import type { DiskError } from '../io/disk.ts';
import type { AppendOutcome } from '../log/append-request.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { LogFacts, SnapshotFact } from '../raft/log-state.ts';

/** What the log tells its driver; never within a call of the driver's, but for an append that is done at once. */
export interface RaftLogListener {
  /** More is written. */
  onWritten(): void;
  /** The flush of this ticket is done. */
  onFlushed(ticket: number): void;
  /** An append was not written; the log ends at `endOffset`, and all that was appended after it is gone too. */
  onWriteFailed(endOffset: number, why: string): void;
  /** A flush or a cut failed: nobody can know what is on the device. */
  onBroken(error: Error): void;
}

/** A batch, or several, to be appended. */
export interface RaftAppend {
  readonly buffer: Buffer;
  readonly baseOffset: number;
  /** Exclusive. */
  readonly endOffset: number;
  readonly epoch: number;
  /** `raft` for a leader's own batches, `replica` for those of another. */
  readonly origin: 'raft' | 'replica';
  /** Wall clock, ms. */
  readonly nowMs: number;
}

/**
 * The metadata log as the Raft machine's effects use it: appends, flushes and cuts one after the other, as through a queue. The lane of the log keeps appends and cuts in their order; a flush begins in a later turn,
 * once all it is for is written.
 */
export class RaftLog {
  readonly #log: PartitionLog;
  readonly #clock: Clock;
  readonly #listener: RaftLogListener;
  #writtenEndOffset: number;
  #flush: { readonly endOffset: number; readonly ticket: number } | null = null;
  #isFlushing = false;
  /** Cuts that are not done yet. */
  #cuts = 0;
  /** Rises with each failure: what was appended before it is gone. */
  #generation = 0;
  #closed = false;

  constructor(log: PartitionLog, clock: Clock, listener: RaftLogListener) {
    this.#log = log;
    this.#clock = clock;
    this.#listener = listener;
    this.#writtenEndOffset = log.logEndOffset;
  }

  /** End of what can be read. */
  get writtenEndOffset(): number {
    return this.#writtenEndOffset;
  }

  append(append: RaftAppend): void {
    const { buffer, epoch, origin, nowMs } = append;
    const generation = this.#generation;
    const request = {
      buffer,
      start: 0,
      end: buffer.length,
      leaderEpoch: epoch,
      origin,
      produceVersion: 0,
      nowMs,
    };
    this.#log.append(request, (outcome) => {
      if (generation === this.#generation && !this.#closed) this.#written(append, outcome);
    });
  }

  /** Has all below `endOffset` made durable. It replaces one that waits. */
  flush(endOffset: number, ticket: number): void {
    this.#flush = { endOffset, ticket };
    this.#clock.defer(() => this.#flushIfDue());
  }

  /** Cuts everything at and past `endOffset`. */
  truncate(endOffset: number): void {
    this.#flush = null;
    this.#cuts++;
    this.#log.truncateTo(endOffset, (error) => this.#wasCut(error));
  }

  /** Drops all of the log; it goes on at `offset`, where a snapshot ends. */
  restartAt(offset: number): void {
    this.#flush = null;
    this.#cuts++;
    this.#log.truncateFullyAndStartAt(offset, (error) => this.#wasCut(error));
  }

  /** Stops; nobody is told anything any more. */
  close(): void {
    this.#closed = true;
  }

  #written(append: RaftAppend, outcome: AppendOutcome): void {
    if (outcome.errorCode !== ErrorCode.NONE) {
      this.#generation++;
      this.#flush = null;
      this.#writtenEndOffset = this.#log.logEndOffset;
      const why = outcome.errorMessage ?? `error ${outcome.errorCode}`;
      if (this.#log.offline) return this.#listener.onBroken(new Error(why));
      return this.#listener.onWriteFailed(this.#writtenEndOffset, why);
    }
    assert(
      outcome.baseOffset === append.baseOffset,
      'a batch of the metadata log is where it was meant to be',
    );
    this.#writtenEndOffset = append.endOffset;
    this.#flushIfDue();
    this.#listener.onWritten();
  }

  #wasCut(error: DiskError | null): void {
    if (this.#closed) return;
    this.#cuts--;
    if (error !== null) return this.#listener.onBroken(error);
    this.#writtenEndOffset = this.#log.logEndOffset;
    this.#flushIfDue();
  }

  #flushIfDue(): void {
    const flush = this.#flush;
    if (flush === null || this.#isFlushing || this.#cuts > 0 || this.#closed) return;
    if (this.#writtenEndOffset < flush.endOffset) return;
    this.#flush = null;
    this.#isFlushing = true;
    this.#log.flush((error) => {
      this.#isFlushing = false;
      if (this.#closed) return;
      if (error !== null) return this.#listener.onBroken(error);
      this.#listener.onFlushed(flush.ticket);
      this.#flushIfDue();
    });
  }
}

/** What the machine is told of a log and its snapshots. */
export function logFacts(log: PartitionLog, snapshots: readonly SnapshotFact[]): LogFacts {
  const { logStartOffset: startOffset, logEndOffset: endOffset } = log;
  const epochs: { epoch: number; startOffset: number }[] = [];
  let offset = startOffset;
  while (offset < endOffset) {
    const epoch = log.epochOfOffset(offset);
    const end = log.endOffsetForEpoch(epoch)?.endOffset ?? endOffset;
    assert(end > offset, 'an epoch in the log has records');
    epochs.push({ epoch, startOffset: offset });
    offset = end;
  }
  return { startOffset, endOffset, epochs, snapshots };
}
