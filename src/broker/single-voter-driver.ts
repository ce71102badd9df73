import { assert } from '../base/assert.ts';
import { BrokerError } from '../base/broker-error.ts';
import { ErrorCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { ConfigRules } from '../controller/config-rules.ts';
import type { ControllerApiKey, ControllerApis, ControllerResult } from '../controller/controller-request.ts';
import { Controller } from '../controller/controller.ts';
import type { TimerHandle } from '../io/clock.ts';
import { DiskError } from '../io/disk.ts';
import type { AppendOutcome } from '../log/append-request.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../log/log-config.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { LogEnvironment } from '../log/log-environment.ts';
import { openMetadataLog } from '../log/metadata-log.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { awaitDisk, runSteps, type Steps } from '../log/steps.ts';
import type { MetadataImage } from '../metadata/metadata-image.ts';
import type { MetadataPublication } from '../metadata/metadata-loader.ts';
import type { MetadataPublisher } from '../metadata/metadata-publisher.ts';
import type { MetadataRecord } from '../metadata/metadata-record.ts';
import type {
  ControllerAnswer,
  ControllerChannel,
  ForwardContext,
  MetadataSource,
} from './controller-channel.ts';
import { buildLeaderChange, buildMetadataBatches } from './metadata-batches.ts';
import { openBootstrap } from './metadata-bootstrap.ts';
import { MetadataCommits } from './metadata-commits.ts';
import { MetadataFeed } from './metadata-feed.ts';
import {
  formatQuorumState,
  parseQuorumState,
  QUORUM_STATE_FILE,
  type QuorumState,
} from './metadata-quorum-state.ts';
import { joinPublications, replayLog, replaySnapshot } from './metadata-replay.ts';
import { MetadataSnapshots, snapshotLimits } from './metadata-snapshots.ts';

/** What a driver is opened with. */
export interface SingleVoterOptions {
  readonly environment: LogEnvironment;
  readonly config: BrokerConfig;
  /** The directory of the metadata log; stays the caller's, the log in it is the driver's. */
  readonly directory: LogDirectory;
}

/**
 * Where a driver stands.
 * - `claiming`: takes the lead: replays the log, begins an epoch
 * - `leading`: the controller answers
 * - `resigned`: a write failed; it claims the lead again after a while
 * - `offline`: the log cannot be trusted any more; for good
 * - `closed`
 */
export type DriverState = 'claiming' | 'leading' | 'resigned' | 'offline' | 'closed';

/** How long a driver that resigned waits before it tries again. */
export const RECLAIM_DELAY_MS = 1000;

/** Rank of the newest API versions the broker half itself speaks through the channel. */
const REGISTRATION_VERSION = 4;
const HEARTBEAT_VERSION = 1;
const ALTER_PARTITION_VERSION = 3;

/** One epoch of leading. */
interface Leadership {
  readonly epoch: number;
  /** End of what is written, at the end of a batch; durable after the next flush. */
  writtenEndOffset: number;
  /** End of the records it began with. */
  firstEndOffset: number;
  flushing: boolean;
}

/**
 * The controller of a cluster with one voter, over its metadata log:
 *
 *     request → controller → records → one batch appended and replayed → flush → committed → published → answered
 *
 * State changes at the append, so that the next request sees it; answers wait for the flush, and all that was appended while one
 * flush ran shares the next. When a write fails, everything not committed is rolled back and the lead is given up: what waited gets
 * NOT_CONTROLLER (whether it was done shows the next epoch, which replays what did reach the file). When a flush fails, nobody can
 * know what is on the device, and the driver goes offline for good.
 *
 *     claiming ──▶ leading ──write failed──▶ resigned ──after a while──▶ claiming
 *     any ──flush failed, directory offline──▶ offline        any ──close──▶ closed
 */
export class SingleVoterDriver implements ControllerChannel, MetadataSource {
  readonly #environment: LogEnvironment;
  readonly #logger: Logger;
  readonly #nodeId: number;
  readonly #directory: LogDirectory;
  readonly #log: PartitionLog;
  readonly #controller: Controller;
  readonly #commits: MetadataCommits;
  readonly #feed = new MetadataFeed();
  readonly #snapshots: MetadataSnapshots;
  /** The newest that was published. */
  #published: MetadataPublication | null = null;
  readonly #leaveDirectory: () => void;
  #state: DriverState = 'claiming';
  #leadership: Leadership | null = null;
  /** Highest epoch seen. */
  #epoch = 0;
  /** Told once about the first claim; null afterwards. */
  #opened: ((error: BrokerError | null) => void) | null = null;
  #workScheduled = false;
  #timer: { readonly handle: TimerHandle; readonly deadlineMs: number } | null = null;
  #retry: TimerHandle | null = null;

  private constructor(options: SingleVoterOptions, log: PartitionLog) {
    const { environment, config, directory } = options;
    this.#environment = environment;
    this.#logger = environment.logger.child({ component: 'controller' });
    this.#nodeId = config.nodeId;
    this.#directory = directory;
    this.#log = log;
    this.#commits = new MetadataCommits((publication) => this.#publish(publication));
    this.#controller = new Controller({
      clusterId: directory.clusterId,
      configRules: new ConfigRules(config),
      random: environment.random.fork(),
      colocatedBrokerId: config.isBroker ? config.nodeId : null,
    });
    this.#snapshots = new MetadataSnapshots({
      environment,
      log,
      limits: snapshotLimits(config),
      content: () => {
        if (this.#published === null || this.#published.inTransaction) return null;
        return { image: this.#published.image, kraftVersion: 0, voters: null };
      },
    });
    this.#leaveDirectory = directory.onOffline((cause) => this.#goOffline(cause));
  }

  /**
   * Opens the metadata log, or makes it with the records of a new cluster, and takes the lead. `done` is called once, in a later turn: with a driver
   * whose first images are ready for subscribers, or with why there is none; nothing stays open then.
   */
  static open(
    options: SingleVoterOptions,
    done: (error: BrokerError | null, driver: SingleVoterDriver | null) => void,
  ): void {
    const { environment, directory, config } = options;
    openMetadataLog(environment, directory, metadataLogConfig(config), (error, log) => {
      if (log === null) return environment.clock.defer(() => done(error, null));
      let driver: SingleVoterDriver;
      try {
        driver = new SingleVoterDriver(options, log);
      } catch (cause) {
        if (!(cause instanceof DiskError)) throw cause;
        return log.close(() => done(new BrokerError('DISK_FAILED', cause.message, { cause }), null));
      }
      driver.#opened = (problem) => {
        if (problem === null) return done(null, driver);
        return driver.close(() => done(problem, null));
      };
      return environment.clock.defer(() => driver.#claim());
    });
  }

  get state(): DriverState {
    return this.#state;
  }

  /** Epoch it leads in, or led in last; 0 before the first. */
  get epoch(): number {
    return this.#epoch;
  }

  /** End of the committed part of the log (exclusive). */
  get committedEndOffset(): number {
    return this.#commits.committedEndOffset;
  }

  /** The newest state, committed or not; for tests and metrics. Subscribers get what is committed. */
  get image(): MetadataImage {
    return this.#controller.image;
  }

  register(request: ControllerApis[62]['request'], done: ControllerAnswer<62>): void {
    this.#submit(62, REGISTRATION_VERSION, request, done);
  }

  heartbeat(request: ControllerApis[63]['request'], done: ControllerAnswer<63>): void {
    this.#submit(63, HEARTBEAT_VERSION, request, done);
  }

  allocateProducerIds(request: ControllerApis[67]['request'], done: ControllerAnswer<67>): void {
    this.#submit(67, 0, request, done);
  }

  assignReplicasToDirs(request: ControllerApis[73]['request'], done: ControllerAnswer<73>): void {
    this.#submit(73, 0, request, done);
  }

  alterPartition(request: ControllerApis[56]['request'], done: ControllerAnswer<56>): void {
    this.#submit(56, ALTER_PARTITION_VERSION, request, done);
  }

  forward<K extends ControllerApiKey>(
    apiKey: K,
    apiVersion: number,
    request: ControllerApis[K]['request'],
    _context: ForwardContext,
    done: ControllerAnswer<K>,
  ): void {
    this.#submit(apiKey, apiVersion, request, done);
  }

  subscribe(publisher: MetadataPublisher): void {
    this.#feed.subscribe(publisher);
  }

  /** Gives up the lead and closes the log; what is written is flushed. Requests that wait get NOT_CONTROLLER. */
  close(done: () => void): void {
    assert(this.#state !== 'closed', 'a driver is closed once');
    this.#abdicate('closed', ErrorCode.NOT_CONTROLLER);
    this.#snapshots.close();
    this.#leaveDirectory();
    this.#log.close((error) => {
      if (error !== null) this.#logger.error('The metadata log was not closed well', { error });
      done();
    });
  }

  /** Asserts what must hold between two events. Costs O(state). */
  checkInvariants(): void {
    this.#controller.checkInvariants();
    const committed = this.#commits.committedEndOffset;
    assert(this.#controller.nextOffset >= committed, 'what is committed is never rolled back');
    assert(
      this.#controller.isActive === (this.#leadership !== null),
      'the controller is active while it leads',
    );
    if (this.#leadership === null) return;
    assert(this.#leadership.writtenEndOffset >= committed, 'what is committed is written');
    assert(this.#leadership.writtenEndOffset <= this.#controller.nextOffset, 'what is written is replayed');
  }

  // Requests.

  #submit<K extends ControllerApiKey>(
    apiKey: K,
    apiVersion: number,
    body: ControllerApis[K]['request'],
    done: ControllerAnswer<K>,
  ): void {
    const { clock } = this.#environment;
    if (this.#leadership === null || this.#commits.isFull) {
      const errorCode = this.#state === 'offline' ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NOT_CONTROLLER;
      return clock.defer(() => done(errorCode, null));
    }
    const result = this.#controller.handle({ apiKey, apiVersion, body }, clock.monotonicMs());
    const endOffset = this.#controller.nextOffset + result.records.length;
    const fits = this.#append(result, () =>
      this.#commits.addAnswer(endOffset, (errorCode) =>
        done(errorCode, errorCode === ErrorCode.NONE ? result.response : null),
      ),
    );
    if (!fits) clock.defer(() => done(ErrorCode.UNKNOWN_SERVER_ERROR, null));
    this.#armTimer();
    return this.#scheduleWork();
  }

  /**
   * Appends and replays the records. `beforehand` is called before the first is appended: an append that fails at once ends the leadership within
   * this call. False, and nothing happened, when they are too large for the one batch they must be.
   */
  #append(result: ControllerResult<unknown>, beforehand?: () => void): boolean {
    const { compute, clock } = this.#environment;
    const { epoch } = this.#leadership as Leadership;
    const place = { baseOffset: this.#controller.nextOffset, epoch, timestampMs: clock.wallMs() };
    const batches = buildMetadataBatches(result.records, result.isAtomic ?? false, place, compute);
    if (batches === null) {
      this.#logger.error('A change of the metadata is too large for a batch', {
        records: result.records.length,
      });
      return false;
    }
    beforehand?.();
    for (const { buffer, records } of batches) {
      if (!this.#appendBatch(buffer, records.length, place.timestampMs, records)) break;
    }
    return true;
  }

  /** Appends a batch and replays it at once. False when the append failed within the call, and with it the leadership. */
  #appendBatch(
    buffer: Buffer,
    recordCount: number,
    timestampMs: number,
    records: readonly MetadataRecord[],
  ): boolean {
    const leadership = this.#leadership as Leadership;
    const baseOffset = this.#controller.nextOffset;
    const endOffset = baseOffset + recordCount;
    const request = {
      buffer,
      start: 0,
      end: buffer.length,
      leaderEpoch: leadership.epoch,
      origin: 'raft' as const,
      produceVersion: 0,
      nowMs: timestampMs,
    };
    this.#log.append(request, (outcome) => this.#written(leadership, endOffset, outcome));
    if (this.#leadership !== leadership) return false;
    this.#snapshots.addBytes(buffer.length);
    for (const [i, record] of records.entries()) this.#controller.replay(record, baseOffset + i);
    const provenance = { offset: endOffset - 1, epoch: leadership.epoch, timestampMs };
    this.#commits.addPublication(endOffset, this.#controller.completeBatch(provenance));
    return true;
  }

  #written(leadership: Leadership, endOffset: number, outcome: AppendOutcome): void {
    if (this.#leadership !== leadership) return;
    if (outcome.errorCode !== ErrorCode.NONE) {
      const why = outcome.errorMessage ?? `error ${outcome.errorCode}`;
      if (this.#log.offline) this.#goOffline(new BrokerError('DISK_FAILED', why));
      else this.#resign(why);
      return;
    }
    assert(outcome.endOffset === endOffset, 'a batch of the metadata log is at the offsets it was built for');
    leadership.writtenEndOffset = endOffset;
    this.#scheduleWork();
  }

  // Commit.

  /** Has `#work` run in a later turn: requests of one turn share its flush, and nobody is answered within his own call. */
  #scheduleWork(): void {
    if (this.#workScheduled) return;
    this.#workScheduled = true;
    this.#environment.clock.defer(() => {
      this.#workScheduled = false;
      this.#work();
    });
  }

  #work(): void {
    const leadership = this.#leadership;
    if (leadership === null || leadership.flushing) return;
    const { writtenEndOffset } = leadership;
    if (writtenEndOffset === this.#commits.committedEndOffset) {
      this.#commits.answerDue();
      return;
    }
    leadership.flushing = true;
    this.#log.flush((error) => {
      leadership.flushing = false;
      if (error !== null) return this.#goOffline(error);
      if (this.#leadership !== leadership) return;
      this.#log.highWatermark = writtenEndOffset;
      this.#controller.release(writtenEndOffset - 1);
      this.#commits.commit(writtenEndOffset);
      this.#snapshots.committed();
      this.#armTimer();
      this.#scheduleWork();
      if (writtenEndOffset >= leadership.firstEndOffset) this.#reportOpened(null);
    });
  }

  #publish(publication: MetadataPublication): void {
    this.#published = publication;
    this.#feed.publish(publication);
  }

  // Time.

  /** Keeps a timer at the controller's next deadline, or before it: deadlines mostly move on, which is noticed when it runs. */
  #armTimer(): void {
    const deadlineMs = this.#controller.nextDeadlineMs();
    if (deadlineMs === null || (this.#timer !== null && this.#timer.deadlineMs <= deadlineMs)) return;
    const { clock } = this.#environment;
    if (this.#timer !== null) clock.cancel(this.#timer.handle);
    const handle = clock.schedule(deadlineMs, () => {
      this.#timer = null;
      this.#tick();
    });
    this.#timer = { handle, deadlineMs };
  }

  #tick(): void {
    const nowMs = this.#environment.clock.monotonicMs();
    while (this.#leadership !== null) {
      const deadlineMs = this.#controller.nextDeadlineMs();
      if (deadlineMs === null || deadlineMs > nowMs) break;
      const fits = this.#append(this.#controller.tick(nowMs));
      assert(fits, 'what time brings can be split');
    }
    this.#armTimer();
    this.#scheduleWork();
  }

  #stopTimers(): void {
    const { clock } = this.#environment;
    if (this.#timer !== null) clock.cancel(this.#timer.handle);
    if (this.#retry !== null) clock.cancel(this.#retry);
    this.#timer = null;
    this.#retry = null;
  }

  // Leadership.

  /** Takes the lead in a new epoch, in steps. */
  #claim(): void {
    if (this.#isOver()) return;
    this.#state = 'claiming';
    runSteps(this.#environment.clock, this.#claimSteps(), (error) => {
      if (error === null || this.#isOver()) return;
      this.#claimFailed(error);
    });
  }

  *#claimSteps(): Steps<void> {
    const { disk, compute, clock } = this.#environment;
    const log = this.#log;
    yield (resume) => log.whenIdle(resume);
    if (this.#isOver()) return;
    const state = this.#readQuorumState();
    const loaded =
      this.#controller.nextOffset === 0
        ? yield* replaySnapshot(log, this.#snapshots, this.#controller)
        : null;
    const replayed = yield* replayLog(log, this.#controller, (sizeBytes) =>
      this.#snapshots.addBytes(sizeBytes),
    );
    const options = { isNew: log.logEndOffset === 0, nowMs: clock.wallMs() };
    const bootstrap = yield* openBootstrap(disk, compute, this.#directory.path, options);
    if (this.#isOver()) return;

    this.#epoch = Math.max(this.#epoch, state?.leaderEpoch ?? 0, log.latestEpoch) + 1;
    const next: QuorumState = {
      leaderId: this.#nodeId,
      leaderEpoch: this.#epoch,
      votedId: this.#nodeId,
      voterIds: [this.#nodeId],
    };
    const content = Buffer.from(formatQuorumState(next));
    const error = yield* awaitDisk((done) => disk.replaceFile(this.#quorumStatePath, content, done));
    if (this.#isOver()) return;
    if (error !== null) throw error;
    const first = joinPublications(loaded, replayed);
    if (first !== null) this.#commits.addPublication(log.logEndOffset, first);
    this.#lead(bootstrap);
  }

  #lead(bootstrap: readonly MetadataRecord[]): void {
    const { clock, compute } = this.#environment;
    const epoch = this.#epoch;
    this.#state = 'leading';
    const leadership = {
      epoch,
      writtenEndOffset: this.#log.logEndOffset,
      firstEndOffset: Infinity,
      flushing: false,
    };
    this.#leadership = leadership;
    const timestampMs = clock.wallMs();
    const place = { baseOffset: this.#controller.nextOffset, epoch, timestampMs };
    // Active from here on, so that a failure of the very first append finds the state it undoes.
    const leaderChange = buildLeaderChange(this.#nodeId, place, compute);
    if (!this.#appendBatch(leaderChange, 1, timestampMs, [])) return;
    const first = this.#controller.activate(clock.monotonicMs(), bootstrap);
    const fits = this.#append(first);
    assert(fits, 'the first records of a leader fit a batch');
    leadership.firstEndOffset = this.#controller.nextOffset;
    this.#logger.info('The controller leads', { epoch, metadataOffset: place.baseOffset });
    this.#armTimer();
    this.#scheduleWork();
  }

  /** A write failed: nothing that is not committed counts. The lead is claimed again later, in case the disk has room by then. */
  #resign(why: string): void {
    this.#logger.warn('The controller resigns: the metadata log cannot be written', {
      why,
      epoch: this.#epoch,
    });
    this.#abdicate('resigned', ErrorCode.NOT_CONTROLLER);
    this.#retryLater(why);
  }

  #claimFailed(error: unknown): void {
    this.#controller.rollbackTo(this.#commits.committedEndOffset - 1);
    if (error instanceof DiskError) {
      // A full disk may have room again; what another failure left behind cannot be known.
      const isShortage = error.code === 'ENOSPC' || error.code === 'EDQUOT';
      if (!isShortage) return this.#directory.fail(error);
      this.#state = 'resigned';
      return this.#retryLater(error.message);
    }
    if (!(error instanceof BrokerError)) throw error;
    this.#logger.error('The controller cannot take the lead', { error });
    this.#goOffline(error);
  }

  #retryLater(why: string): void {
    if (this.#opened !== null) {
      this.#reportOpened(
        new BrokerError(
          'DISK_FAILED',
          `the metadata log in ${this.#directory.path} cannot be written: ${why}`,
        ),
      );
      return;
    }
    const { clock } = this.#environment;
    this.#retry = clock.schedule(clock.monotonicMs() + RECLAIM_DELAY_MS, () => {
      this.#retry = null;
      this.#claim();
    });
  }

  #goOffline(cause: Error): void {
    if (this.#isOver()) return;
    this.#logger.error('The controller goes offline: the metadata log failed', { error: cause });
    this.#abdicate('offline', ErrorCode.KAFKA_STORAGE_ERROR);
    this.#reportOpened(
      cause instanceof BrokerError
        ? cause
        : new BrokerError(
            'DISK_FAILED',
            `the metadata log in ${this.#directory.path} failed: ${cause.message}`,
            { cause },
          ),
    );
  }

  /** Leads no more: what is not committed is forgotten, whoever waits gets `errorCode`. */
  #abdicate(state: DriverState, errorCode: ErrorCode): void {
    this.#state = state;
    this.#leadership = null;
    this.#stopTimers();
    this.#controller.rollbackTo(this.#commits.committedEndOffset - 1);
    this.#controller.deactivate();
    const failed = this.#commits.abandon();
    // A write may have failed within the call of one of them.
    if (failed.length > 0) this.#environment.clock.defer(() => failed.forEach((done) => done(errorCode)));
  }

  #isOver(): boolean {
    return this.#state === 'offline' || this.#state === 'closed';
  }

  #reportOpened(error: BrokerError | null): void {
    const opened = this.#opened;
    this.#opened = null;
    opened?.(error);
  }

  get #quorumStatePath(): string {
    return `${this.#log.path}/${QUORUM_STATE_FILE}`;
  }

  /** @throws BrokerError when the file is damaged, or is that of another quorum than this node alone. */
  #readQuorumState(): QuorumState | null {
    const { disk } = this.#environment;
    const path = this.#quorumStatePath;
    if (!disk.exists(path)) return null;
    const state = parseQuorumState(disk.readFile(path).toString(), path);
    const others = state.voterIds.filter((id) => id !== this.#nodeId);
    if (others.length > 0) {
      throw new BrokerError(
        'METADATA_UNSUPPORTED',
        `${path} names other voters (${others.join(', ')}): this version leads a quorum of one node only`,
      );
    }
    return state;
  }
}

/** How the metadata log is kept: it is dropped only where a snapshot stands for it, and its flushes are the driver's. */
function metadataLogConfig(config: BrokerConfig): LogConfig {
  return {
    ...DEFAULT_LOG_CONFIG,
    segmentBytes:
      config.get('internal.metadata.log.segment.bytes') ?? config.get('metadata.log.segment.bytes'),
    segmentMs: config.get('metadata.log.segment.ms'),
    retentionMs: -1,
    retentionBytes: -1,
  };
}
