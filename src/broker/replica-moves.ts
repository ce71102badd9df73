import { assert } from '../base/assert.ts';
import { ErrorCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Clock } from '../io/clock.ts';
import { DiskError, type FileRange } from '../io/disk.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { LogManager } from '../log/log-manager.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { Partition } from '../replication/partition.ts';
import type { ReplicaPlace } from './directory-assignments.ts';

/** Bytes copied in one step: reading and checking them keeps the loop for about a millisecond. */
const STEP_BYTES = 256 * 1024;
/** A copy this close to its original is finished while appends wait. */
const FINISH_BYTES = STEP_BYTES;
/** Moves in progress at the same time; others wait for their turn. */
const MAX_RUNNING = 2;
/** Longest name of a directory that file systems take. */
const MAX_NAME_LENGTH = 255;
/** `-2147483647.` + 32 digits + `-future`. */
const FUTURE_SUFFIX_LENGTH = 51;

/** What moves are made with. */
export interface ReplicaMovesOptions {
  readonly logs: LogManager;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly find: (topic: string, partition: number) => Partition | null;
  /** A replica lies in another directory now: the controller is to know. */
  readonly onPlaced: (place: ReplicaPlace) => void;
}

interface Move {
  readonly partition: Partition;
  readonly log: PartitionLog;
  readonly future: PartitionLog;
  running: boolean;
  cancelled: boolean;
}

/**
 * Moves replicas between the directories of this broker (KIP-113): a copy (`-future`) is filled from the log in the background, in small steps, while the log is read and written; once it
 * has nearly everything, appends wait for a moment, the rest is copied and made durable, and the copy takes the log's place.
 */
export class ReplicaMoves {
  readonly #options: ReplicaMovesOptions;
  readonly #moves = new Set<Move>();
  #closed = false;

  constructor(options: ReplicaMovesOptions) {
    this.#options = options;
  }

  /** Begins again what the last stop interrupted; to be called when the partitions are there. */
  resume(): void {
    for (const { topic, partition, directory } of this.#options.logs.unfinishedMoves)
      this.move(topic, partition, directory.path);
  }

  /** Has a replica moved to a directory; a move to the one it is in cancels what is under way. @returns Kafka's error code */
  move(topic: string, index: number, path: string): ErrorCode {
    const { logs, find } = this.#options;
    if (topic.length + FUTURE_SUFFIX_LENGTH > MAX_NAME_LENGTH) return ErrorCode.INVALID_TOPIC_EXCEPTION;
    const directory = logs.directories.find((one) => one.path === path);
    if (directory === undefined) return ErrorCode.LOG_DIR_NOT_FOUND;
    if (directory.offline) return ErrorCode.KAFKA_STORAGE_ERROR;
    const partition = find(topic, index);
    if (partition === null) {
      logs.prefer(topic, index, directory);
      return ErrorCode.REPLICA_NOT_AVAILABLE;
    }
    const { log } = partition;
    if (log === null || log.offline) return ErrorCode.KAFKA_STORAGE_ERROR;
    const former = [...this.#moves].find((move) => move.partition === partition && !move.cancelled);
    if (former !== undefined && former.future.directory === directory) return ErrorCode.NONE;
    if (former !== undefined) this.#cancel(former);
    if (log.directory === directory) return ErrorCode.NONE;
    // A copy of the same log may lie in a directory that cannot be read.
    if (logs.directories.some(({ offline }) => offline)) return ErrorCode.KAFKA_STORAGE_ERROR;
    return this.#begin(partition, log, directory);
  }

  /** Stops all moves; the next start begins them anew. */
  close(): void {
    this.#closed = true;
    for (const move of this.#moves) if (!move.cancelled) this.#drop(move, false);
    this.#moves.clear();
  }

  #begin(partition: Partition, log: PartitionLog, directory: LogDirectory): ErrorCode {
    const { logs, logger } = this.#options;
    try {
      const baseOffset = firstBatchOffset(log);
      if (baseOffset === null) return ErrorCode.KAFKA_STORAGE_ERROR;
      const future = logs.createFuture(log, directory, baseOffset);
      logger.info('A replica is being moved', { from: log.path, to: future.path });
      this.#moves.add({ partition, log, future, running: false, cancelled: false });
      this.#runNext();
      return ErrorCode.NONE;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      logger.warn('A replica cannot be moved', { path: log.path, to: directory.path, error });
      return ErrorCode.KAFKA_STORAGE_ERROR;
    }
  }

  #runNext(): void {
    let running = 0;
    for (const move of this.#moves) if (move.running) running++;
    for (const move of this.#moves) {
      if (running >= MAX_RUNNING || this.#closed) return;
      if (move.running) continue;
      move.running = true;
      running++;
      this.#later(move);
    }
  }

  #later(move: Move): void {
    this.#options.clock.defer(() => this.#step(move));
  }

  #step(move: Move): void {
    if (this.#isOver(move)) return;
    const { log, future } = move;
    if (log.logEndOffset === future.logEndOffset || this.#isNear(move)) return this.#finish(move);
    this.#copySome(move, (copied) => {
      if (copied) this.#later(move);
      else this.#fail(move);
    });
  }

  /** True if one step copies all that is left. */
  #isNear({ log, future }: Move): boolean {
    const read = log.read(future.logEndOffset, {
      maxBytes: FINISH_BYTES + 1,
      upperBoundOffset: log.logEndOffset,
      minOneBatch: true,
    });
    read.range?.release();
    const isLastSegment = future.logEndOffset >= (log.segments.at(-1)?.baseOffset ?? 0);
    return isLastSegment && read.lengthBytes <= FINISH_BYTES;
  }

  /** Copies the next bytes; `done` with whether that worked. */
  #copySome({ log, future }: Move, done: (copied: boolean) => void): void {
    if (log.logStartOffset === log.logEndOffset) {
      // Retention took what was still to be copied.
      return future.truncateFullyAndStartAt(log.logEndOffset, (error) => done(error === null));
    }
    const read = log.read(Math.max(future.logEndOffset, log.logStartOffset), {
      maxBytes: STEP_BYTES,
      upperBoundOffset: log.logEndOffset,
      minOneBatch: true,
    });
    if (read.range === null) return done(false);
    const buffer = bytesOf(read.range);
    if (buffer === null) return done(false);
    const before = future.logEndOffset;
    return future.append(
      {
        buffer,
        start: 0,
        end: buffer.length,
        leaderEpoch: -1,
        origin: 'replica',
        produceVersion: 0,
        nowMs: this.#options.clock.wallMs(),
      },
      ({ errorCode }) => done(errorCode === ErrorCode.NONE && future.logEndOffset > before),
    );
  }

  /** Appends wait; the rest is copied. */
  #finish(move: Move): void {
    const { partition, log, future } = move;
    partition.exchangeLog((done) => {
      const copyRest = (): void => {
        if (this.#isOver(move)) return done(null);
        if (log.logEndOffset > future.logEndOffset) {
          return this.#copySome(move, (copied) => (copied ? copyRest() : this.#giveUp(move, done)));
        }
        return this.#replace(move, done);
      };
      copyRest();
    });
  }

  #replace(move: Move, done: (copy: PartitionLog | null) => void): void {
    const { logs, logger, onPlaced } = this.#options;
    const { partition, log, future } = move;
    future.updateConfig(log.config);
    if (log.latestEpoch > future.latestEpoch) future.assignEpoch(log.latestEpoch, log.logEndOffset);
    future.advanceLogStart(log.logStartOffset);
    future.flush((error) => {
      if (this.#isOver(move)) return done(null);
      if (error !== null) return this.#giveUp(move, done);
      const from = log.path;
      return logs.replaceByFuture(log, future, (failure) => {
        // Past the exchange of the names there is no way back, whatever the disks say.
        if (failure !== null && logs.get(log.topic, log.partition) !== future)
          return this.#giveUp(move, done);
        this.#moves.delete(move);
        move.cancelled = true;
        logger.info('A replica was moved', { from, to: future.path });
        done(future);
        const { topicId, partition: index } = partition;
        if (!partition.stopped) onPlaced({ topicId, partition: index, directoryId: future.directoryId });
        else if (!this.#closed) logs.delete(log.topic, index);
        return this.#runNext();
      });
    });
  }

  #giveUp(move: Move, done: (copy: PartitionLog | null) => void): void {
    done(null);
    this.#fail(move);
  }

  #fail(move: Move): void {
    if (this.#isOver(move)) return;
    this.#options.logger.error('A replica could not be moved', {
      path: move.log.path,
      to: move.future.directory.path,
    });
    this.#cancel(move);
  }

  /** True if there is nothing more to do, because it was cancelled or the replica is not what it was. */
  #isOver(move: Move): boolean {
    if (move.cancelled || this.#closed) return true;
    if (!move.partition.stopped && move.partition.log === move.log && !move.log.offline) return false;
    this.#cancel(move);
    return true;
  }

  #cancel(move: Move): void {
    assert(!move.cancelled, 'a move is cancelled once');
    this.#moves.delete(move);
    this.#drop(move, true);
    this.#runNext();
  }

  #drop(move: Move, remove: boolean): void {
    move.cancelled = true;
    this.#options.logs.dropFuture(move.future, remove);
  }
}

/** Base offset of the batch at the log's start, where a copy has to begin; the log end without records; null if it cannot be read. */
function firstBatchOffset(log: PartitionLog): number | null {
  if (log.logStartOffset === log.logEndOffset) return log.logEndOffset;
  const { range } = log.read(log.logStartOffset, {
    maxBytes: 1,
    upperBoundOffset: log.logEndOffset,
    minOneBatch: true,
  });
  if (range === null) return null;
  try {
    const head = Buffer.allocUnsafe(8);
    range.read(head, 0, 0, head.length);
    return Number(head.readBigInt64BE(0));
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return null;
  } finally {
    range.release();
  }
}

function bytesOf(range: FileRange): Buffer | null {
  const buffer = Buffer.allocUnsafe(range.lengthBytes);
  try {
    range.read(buffer, 0, 0, range.lengthBytes);
    return buffer;
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return null;
  } finally {
    range.release();
  }
}
