import { BrokerError } from '../../base/broker-error.ts';
import { ErrorCode } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { CallbackTimer, type TimerWheel } from '../../base/timer-wheel.ts';
import type { Coordinator, ShardContext } from '../../coordinator/runtime/coordinator.ts';
import type { RecordTypes } from '../../coordinator/runtime/coordinator-record.ts';
import { type Now, Shard } from '../../coordinator/runtime/shard.ts';
import type { ShardBatch } from '../../coordinator/runtime/shard-batch.ts';
import type { Clock } from '../../io/clock.ts';
import type { CompressionCodec, Compute } from '../../io/compute.ts';
import type { AppendOutcome } from '../../log/append-request.ts';
import { runSteps } from '../../log/steps.ts';
import { buildCompressedBatch } from '../../records/builder.ts';
import type { Partition } from '../../replication/partition.ts';
import { ProgressLink, type ProgressWatcher } from '../../replication/progress.ts';
import type { Sleeper, WakeQueue } from '../wake-queue.ts';
import { type LoadProgress, loadShard } from './shard-loader.ts';

/** What every shard of an internal topic is driven with. */
export interface ShardHostOptions<C extends Coordinator> {
  readonly types: RecordTypes;
  readonly create: (context: ShardContext) => C;
  readonly lingerMs: number;
  readonly writeTimeoutMs: number;
  readonly loadBufferBytes: number;
  readonly compression: CompressionCodec;
  readonly clock: Clock;
  readonly compute: Compute;
  readonly wheel: TimerWheel;
  readonly wakes: WakeQueue;
  readonly random: Random;
  readonly logger: Logger;
}

const KEEP_ATTRIBUTES = null;

/**
 * One shard and the partition under it, for one leader epoch: loads it, appends its batches, tells it the high watermark and the time. Work that an event makes is done at the end of
 * the turn, so that all requests of a wake-up share a batch.
 */
export class HostedShard<C extends Coordinator> implements Sleeper, ProgressWatcher {
  readonly partition: Partition;
  readonly leaderEpoch: number;
  readonly shard: Shard<C>;
  wakePending = false;
  readonly #options: ShardHostOptions<C>;
  readonly #link = new ProgressLink(this, 0);
  readonly #timer = new CallbackTimer(() => this.#tick());
  /** Called when the shard has to be loaded anew: somebody else wrote to its partition. */
  readonly #onLost: () => void;

  constructor(options: ShardHostOptions<C>, partition: Partition, onLost: () => void) {
    this.#options = options;
    this.partition = partition;
    this.leaderEpoch = partition.leaderEpoch;
    this.#onLost = onLost;
    this.shard = new Shard<C>(
      {
        create: options.create,
        random: options.random.fork(),
        maxBatchBytes: () => partition.log?.config.maxMessageBytes ?? 0,
        lingerMs: options.lingerMs,
        writeTimeoutMs: options.writeTimeoutMs,
        onWork: () => options.wakes.wake(this),
      },
      this.now(),
    );
    partition.watch(this.#link);
  }

  /** Both clocks. */
  now(): Now {
    const { clock } = this.#options;
    return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
  }

  /** True while this broker leads the partition in the epoch the shard was loaded for. */
  get isCurrent(): boolean {
    return this.partition.isLeader && this.partition.leaderEpoch === this.leaderEpoch;
  }

  /** Ends it; whoever waits is sent to the new coordinator. */
  close(): void {
    this.#link.unlink();
    this.#options.wheel.cancel(this.#timer);
    this.shard.close(ErrorCode.NOT_COORDINATOR);
  }

  /** See `ProgressWatcher`. */
  onProgress(): void {
    this.#options.wakes.wake(this);
  }

  /** Looks what there is to do. */
  onWake(): void {
    if (this.shard.state === 'closed') return;
    if (!this.isCurrent) {
      this.close();
      return;
    }
    this.shard.committed(this.partition.highWatermark, this.now());
    this.#flush();
    this.#armTimer();
  }

  /** Replays the partition; `done` is called once, also when that fails or the shard is closed meanwhile. */
  load(done: () => void): void {
    const { types, compute, clock, loadBufferBytes, logger } = this.#options;
    const { log, topic, partition } = this.partition;
    if (log === null) return done();
    const startMs = clock.monotonicMs();
    const progress: LoadProgress = { records: 0, unknownRecords: 0 };
    const load = { shard: this.shard, log, types, compute, readBytes: loadBufferBytes };
    return runSteps(clock, loadShard(load, progress), (error, endOffset) => {
      if (this.shard.state === 'closed') return done();
      if (error !== null || endOffset === undefined) {
        if (!(error instanceof BrokerError)) throw error;
        logger.error(
          'A coordinator cannot be loaded; its clients are refused until another broker leads, or this one is started anew',
          {
            topic,
            partition,
            error,
          },
        );
        this.close();
        return done();
      }
      this.shard.loaded(endOffset, this.partition.highWatermark, this.now());
      if (progress.records > 0) {
        const durationMs = Math.round(clock.monotonicMs() - startMs);
        logger.info('Loaded a coordinator', { topic, partition, ...progress, durationMs });
      }
      this.onWake();
      return done();
    });
  }

  // Appending.

  #flush(): void {
    const batch = this.shard.takeBatch(this.#options.clock.monotonicMs());
    if (batch !== null) this.#append(batch);
  }

  #append(batch: ShardBatch): void {
    const { compute, compression } = this.#options;
    const { timestampMs } = batch;
    const records = batch.records.map(({ key, value }) => ({ key, value, timestampMs }));
    const input = { records, baseOffset: batch.baseOffset };
    buildCompressedBatch(input, { codec: compression, level: KEEP_ATTRIBUTES }, compute, (error, buffer) => {
      if (buffer === null)
        this.#failed(ErrorCode.UNKNOWN_SERVER_ERROR, error?.message ?? 'compression failed');
      else this.#appendBuffer(buffer, timestampMs);
    });
  }

  #appendBuffer(buffer: Buffer, nowMs: number): void {
    const errorCode = this.partition.append(
      { buffer, start: 0, end: buffer.length, origin: 'coordinator', produceVersion: 0, nowMs, acks: -1 },
      (outcome) => this.#appended(outcome),
    );
    if (errorCode !== ErrorCode.NONE) this.#failed(errorCode, null);
  }

  #appended({ errorCode, errorMessage, baseOffset }: AppendOutcome): void {
    if (errorCode !== ErrorCode.NONE) {
      this.#failed(errorCode, errorMessage);
      return;
    }
    if (!this.shard.appended(baseOffset)) {
      this.#onLost();
      return;
    }
    this.#options.wakes.wake(this);
  }

  #failed(errorCode: ErrorCode, why: string | null): void {
    const { topic, partition } = this.partition;
    this.#options.logger.warn('A coordinator cannot write', { topic, partition, errorCode, why });
    this.shard.appendFailed(errorCode, this.now());
    this.#options.wakes.wake(this);
  }

  // Time.

  /** Deadlines mostly move on, which is noticed when the timer runs. */
  #armTimer(): void {
    const { wheel } = this.#options;
    const deadlineMs = this.shard.nextDeadlineMs();
    if (deadlineMs === null) return;
    if (this.#timer.scheduled && this.#timer.tick <= Math.ceil(deadlineMs)) return;
    wheel.schedule(this.#timer, deadlineMs);
  }

  #tick(): void {
    this.shard.tick(this.now());
    this.#options.wakes.wake(this);
  }
}
