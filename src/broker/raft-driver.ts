import { assert } from '../base/assert.ts';
import { BrokerError } from '../base/broker-error.ts';
import { ErrorCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { Random } from '../base/random.ts';
import { ConfigRules } from '../controller/config-rules.ts';
import type { ControllerApiKey, ControllerApis, ControllerResult } from '../controller/controller-request.ts';
import { Controller } from '../controller/controller.ts';
import type { TimerHandle } from '../io/clock.ts';
import { DiskError } from '../io/disk.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { LogEnvironment } from '../log/log-environment.ts';
import { openMetadataLog } from '../log/metadata-log.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { runSteps, type Steps } from '../log/steps.ts';
import type { MetadataImage } from '../metadata/metadata-image.ts';
import type { MetadataPublication } from '../metadata/metadata-loader.ts';
import type { MetadataPublisher } from '../metadata/metadata-publisher.ts';
import type { MetadataRecord } from '../metadata/metadata-record.ts';
import type { ControllerAnswer, MetadataSource } from './controller-channel.ts';
import { ControllerSubmission } from './controller-submission.ts';
import { buildMetadataBatches } from './metadata-batches.ts';
import { openBootstrap } from './metadata-bootstrap.ts';
import { MetadataCommits } from './metadata-commits.ts';
import { MetadataFeed } from './metadata-feed.ts';
import { joinPublications, replayLog, replaySnapshot } from './metadata-replay.ts';
import { MetadataSnapshots, snapshotLimits } from './metadata-snapshots.ts';
import { type BatchPosition, RaftNode, type RaftNodeListener } from './raft-node.ts';
import { quorumRecordsOf } from './raft-records.ts';
import {
  metadataLogConfig,
  raftOptions,
  raftStart,
  type RaftDriverOptions,
  readElection,
  refuseOthers,
} from './raft-start.ts';

/**
 * Where a driver stands.
 * - `claiming`: has the lead, or waits for it, and replays the log
 * - `leading`: the controller answers
 * - `resigned`: it led, and does no longer
 * - `offline`: the log cannot be trusted any more; for good
 * - `closed`
 */
export type DriverState = 'claiming' | 'leading' | 'resigned' | 'offline' | 'closed';

/** A node alone in its quorum that resigned leads again after this time at the latest: the longest election timeout, and what it takes. */
export const RECLAIM_DELAY_MS = 2100;

/** An epoch in which this node leads. */
interface Lead {
  readonly epoch: number;
  readonly epochStartOffset: number;
  /** End of the records the controller began with; Infinity until it is active. */
  firstEndOffset: number;
}

/**
 * The controller over its replicated log. The Raft machine decides who leads and what is committed; this carries out its effects on the log and on `quorum-state`, and runs the controller on top:
 *
 *     request → controller → records → offsets from the machine → appended and replayed → flushed → committed → published → answered
 *
 * State changes at the append, so that the next request sees it; answers wait for the commit, and what is appended while one flush runs shares the next. The
 * controller is active only while this node leads, and only once all that came before is committed and replayed. When the lead is lost, everything not committed is
 * rolled back, and what waited gets NOT_CONTROLLER (whether it was done shows the next leader's log). A failed write is such a loss; after a failed flush nobody can know
 * what is on the device, and the driver goes offline for good.
 */
export class RaftDriver extends ControllerSubmission implements MetadataSource {
  readonly #environment: LogEnvironment;
  readonly #logger: Logger;
  readonly #options: RaftDriverOptions;
  readonly #directory: LogDirectory;
  readonly #log: PartitionLog;
  readonly #controller: Controller;
  readonly #commits: MetadataCommits;
  readonly #feed = new MetadataFeed();
  readonly #snapshots: MetadataSnapshots;
  readonly #leaveDirectory: () => void;
  /** Null until the log was looked at. */
  #node: RaftNode | null = null;
  #state: DriverState = 'claiming';
  #lead: Lead | null = null;
  /** The snapshot loaded at the start, to be published with what follows it. */
  #loaded: MetadataPublication | null = null;
  /** The newest that was published. */
  #published: MetadataPublication | null = null;
  #isReplaying = false;
  #workScheduled = false;
  /** Told once about the first lead; null afterwards. */
  #opened: ((error: BrokerError | null) => void) | null = null;
  #timer: { readonly handle: TimerHandle; readonly deadlineMs: number } | null = null;

  private constructor(options: RaftDriverOptions, log: PartitionLog) {
    super();
    const { environment, config, directory } = options;
    this.#environment = environment;
    this.#options = options;
    this.#logger = environment.logger.child({ component: 'controller' });
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
        const { image } = this.#published;
        const facts = this.#node?.machine.quorumAt(image.provenance.offset + 1);
        return {
          image,
          kraftVersion: facts?.kraftVersion ?? 0,
          voters: facts?.voters?.voters ?? null,
        };
      },
      onChanged: () => this.#node?.snapshotsChanged(),
    });
    this.#leaveDirectory = directory.onOffline((cause) => this.#goOffline(cause));
  }

  /**
   * Opens the metadata log, or makes it with the records of a new cluster, and takes part in the quorum. `done` is called once, in a later turn: with a driver
   * whose first images are ready for subscribers, or with why there is none; nothing stays open then.
   */
  static open(
    options: RaftDriverOptions,
    done: (error: BrokerError | null, driver: RaftDriver | null) => void,
  ): void {
    const { environment, directory, config } = options;
    const { clock } = environment;
    openMetadataLog(environment, directory, metadataLogConfig(config), (error, log) => {
      if (log === null) return clock.defer(() => done(error, null));
      let driver: RaftDriver;
      try {
        driver = new RaftDriver(options, log);
      } catch (cause) {
        if (!(cause instanceof DiskError)) throw cause;
        return log.close(() => done(new BrokerError('DISK_FAILED', cause.message, { cause }), null));
      }
      driver.#opened = (problem) => {
        if (problem === null) return done(null, driver);
        return driver.close(() => done(problem, null));
      };
      return clock.defer(() =>
        runSteps(clock, driver.#startSteps(), (problem) => {
          if (problem !== null && !driver.#isOver()) driver.#failed(problem);
        }),
      );
    });
  }

  get state(): DriverState {
    return this.#state;
  }

  /** Epoch it is in; 0 before the first. */
  get epoch(): number {
    return this.#node?.machine.epoch ?? 0;
  }

  /** End of the committed part of the log (exclusive). */
  get committedEndOffset(): number {
    return this.#commits.committedEndOffset;
  }

  /** The newest state, committed or not; for tests and metrics. Subscribers get what is committed. */
  get image(): MetadataImage {
    return this.#controller.image;
  }

  subscribe(publisher: MetadataPublisher): void {
    this.#feed.subscribe(publisher);
  }

  /** Gives up the lead and closes the log; what is written is flushed. Requests that wait get NOT_CONTROLLER. */
  close(done: () => void): void {
    assert(this.#state !== 'closed', 'a driver is closed once');
    this.#stop('closed', ErrorCode.NOT_CONTROLLER);
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
    const machine = this.#node?.machine ?? null;
    const committed = this.#commits.committedEndOffset;
    assert(this.#controller.nextOffset >= committed, 'what is committed is never rolled back');
    if (machine === null || this.#isOver()) return;
    machine.checkInvariants();
    assert(committed <= Math.max(machine.highWatermark, 0), 'only what the quorum committed is published');
    if (!this.#controller.isActive) return;
    assert(machine.role === 'leader', 'the controller is active only while this node leads');
    assert(this.#controller.nextOffset === machine.logEndOffset, 'what is appended is replayed at once');
  }

  // Requests.

  protected submit<K extends ControllerApiKey>(
    apiKey: K,
    apiVersion: number,
    body: ControllerApis[K]['request'],
    done: ControllerAnswer<K>,
  ): void {
    const { clock } = this.#environment;
    if (!this.#mayAppend() || this.#commits.isFull) {
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

  /** True while the controller is active and the machine still leads: a loss that is being carried out ends both. */
  #mayAppend(): boolean {
    const machine = this.#node?.machine;
    return this.#controller.isActive && machine?.role === 'leader' && machine.epoch === this.#lead?.epoch;
  }

  /**
   * Appends and replays the records. `beforehand` is called before the first is appended: an append that fails at once ends the leadership within
   * this call. False, and nothing happened, when they are too large for the one batch they must be.
   */
  #append(result: ControllerResult<unknown>, beforehand?: () => void): boolean {
    const { compute, clock } = this.#environment;
    const { epoch } = this.#lead as Lead;
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
      if (!this.#mayAppend()) break;
      this.#appendBatch(buffer, records, place.timestampMs);
    }
    return true;
  }

  #appendBatch(buffer: Buffer, records: readonly MetadataRecord[], timestampMs: number): void {
    const node = this.#node as RaftNode;
    const baseOffset = node.reserve(records.length);
    assert(baseOffset === this.#controller.nextOffset, 'the controller has replayed all of the log');
    for (const [i, record] of records.entries()) this.#controller.replay(record, baseOffset + i);
    const endOffset = baseOffset + records.length;
    node.write(buffer, { baseOffset, endOffset, epoch: node.machine.epoch, timestampMs });
  }

  /** A batch of this leader is about to be written; while the controller is active, it has replayed it. */
  #ownBatch(buffer: Buffer, position: BatchPosition): void {
    const { endOffset, epoch, timestampMs } = position;
    this.#snapshots.addBytes(buffer.length);
    if (!this.#controller.isActive) return;
    const provenance = { offset: endOffset - 1, epoch, timestampMs };
    this.#commits.addPublication(endOffset, this.#controller.completeBatch(provenance));
  }

  // Commit.

  /** Has `#settle` run in a later turn: nobody is answered within his own call. */
  #scheduleWork(): void {
    if (this.#workScheduled) return;
    this.#workScheduled = true;
    this.#environment.clock.defer(() => {
      this.#workScheduled = false;
      this.#settle();
    });
  }

  /** Does what the state of the node allows: replays what is committed, takes the lead, or commits. */
  #settle(): void {
    const node = this.#node;
    if (node === null || this.#isOver()) return;
    this.#armTimer();
    const { machine } = node;
    const lead = this.#lead;
    if (lead === null || machine.epoch !== lead.epoch || machine.role !== 'leader') return this.#follow(node);
    if (!this.#controller.isActive) {
      if (machine.highWatermark > lead.epochStartOffset && !this.#isReplaying) this.#claim(lead);
      return;
    }
    const endOffset = node.readableEndOffset;
    if (endOffset > this.#commits.committedEndOffset) this.#commit(endOffset);
    else this.#commits.answerDue();
    if (this.#commits.committedEndOffset >= lead.firstEndOffset) this.#reportOpened(null);
    if (this.#commits.hasDueAnswer) this.#scheduleWork();
  }

  /** Another node leads, or nobody does: replays and publishes what is committed. */
  #follow(node: RaftNode): void {
    const endOffset = node.readableEndOffset;
    if (this.#isReplaying || this.#controller.isActive || this.#lead !== null) return;
    if (endOffset <= this.#commits.committedEndOffset) {
      if (node.machine.role === 'follower' && endOffset > 0) this.#reportOpened(null);
      return;
    }
    this.#isReplaying = true;
    runSteps(this.#environment.clock, this.#followSteps(endOffset), (error) => {
      this.#isReplaying = false;
      if (this.#isOver()) return;
      if (error !== null) this.#failed(error);
      else this.#settle();
    });
  }

  *#followSteps(endOffset: number): Steps<void> {
    const log = this.#log;
    if (this.#controller.nextOffset < log.logStartOffset) {
      // The leader gave a snapshot in place of the log.
      this.#loaded = null;
      const installed = yield* this.#loadInstalled();
      if (installed !== null) {
        this.#commits.addPublication(installed.image.provenance.offset + 1, installed);
        this.#commit(installed.image.provenance.offset + 1);
      }
    }
    const count = (sizeBytes: number): void => this.#snapshots.addBytes(sizeBytes);
    const upTo = Math.min(endOffset, log.logEndOffset);
    const replayed = yield* replayLog(log, this.#controller, count, upTo);
    const publication = joinPublications(this.#loaded, replayed);
    this.#loaded = null;
    if (publication === null || this.#isOver()) return;
    const end = publication.image.provenance.offset + 1;
    this.#commits.addPublication(end, publication);
    this.#commit(end);
  }

  /** Goes to the state of the newest snapshot. @throws BrokerError, DiskError */
  *#loadInstalled(): Steps<MetadataPublication | null> {
    const { config, directory } = this.#options;
    const scratch = new Controller({
      clusterId: directory.clusterId,
      configRules: new ConfigRules(config),
      random: new Random(0),
      colocatedBrokerId: null,
    });
    const loaded = yield* replaySnapshot(this.#log, this.#snapshots, scratch);
    return loaded === null ? null : this.#controller.loadSnapshot(loaded.image);
  }

  #commit(endOffset: number): void {
    this.#log.highWatermark = endOffset;
    this.#controller.release(endOffset - 1);
    this.#commits.commit(endOffset);
    this.#snapshots.committed();
  }

  #publish(publication: MetadataPublication): void {
    this.#published = publication;
    this.#feed.publish(publication);
  }

  // Time.

  /** Keeps a timer at the controller's next deadline, or before it: deadlines mostly move on, which is noticed when it runs. */
  #armTimer(): void {
    const deadlineMs = this.#mayAppend() ? this.#controller.nextDeadlineMs() : null;
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
    while (this.#mayAppend()) {
      const deadlineMs = this.#controller.nextDeadlineMs();
      if (deadlineMs === null || deadlineMs > nowMs) break;
      const fits = this.#append(this.#controller.tick(nowMs));
      assert(fits, 'what time brings can be split');
    }
    if (this.#isOver()) return;
    this.#armTimer();
    this.#scheduleWork();
  }

  // Leadership.

  /** Looks at what the node's files say, and joins the quorum. @throws BrokerError, DiskError */
  *#startSteps(): Steps<void> {
    const { disk } = this.#environment;
    const log = this.#log;
    yield (resume) => log.whenIdle(resume);
    if (this.#isOver()) return;
    const election = readElection(disk, log, this.#options);
    this.#loaded = yield* replaySnapshot(log, this.#snapshots, this.#controller);
    if (this.#isOver()) return;
    const { store } = this.#snapshots;
    const startOffset = this.#controller.nextOffset;
    const controlRecords = yield* quorumRecordsOf(log, startOffset, this.#environment.compute);
    if (this.#isOver()) return;
    this.#node = new RaftNode({
      environment: this.#environment,
      log,
      store,
      transport: this.#options.quorum?.transport ?? null,
      raft: raftOptions(this.#options),
      start: raftStart(this.#environment, log, store, {
        election,
        loadedEndOffset: startOffset,
        controlRecords,
      }),
      listener: this.#listener(),
      onDiskError: (error) => this.#directory.fail(error),
    });
    refuseOthers(this.#node.machine, log, this.#options);
    this.#node.begin();
  }

  #listener(): RaftNodeListener {
    return {
      onLead: (epoch, epochStartOffset) => {
        this.#state = 'claiming';
        this.#lead = { epoch, epochStartOffset, firstEndOffset: Infinity };
      },
      onStopLeading: () => this.#abdicate('resigned', ErrorCode.NOT_CONTROLLER),
      onOwnBatch: (buffer, position) => this.#ownBatch(buffer, position),
      onProgress: () => this.#scheduleWork(),
      onCannotWrite: (why) => this.#cannotWrite(why),
      onBroken: (error) => this.#goOffline(error),
    };
  }

  #claim(lead: Lead): void {
    this.#isReplaying = true;
    runSteps(this.#environment.clock, this.#claimSteps(lead), (error) => {
      this.#isReplaying = false;
      if (this.#isOver()) return;
      if (this.#lead !== lead) this.#forgetUncommitted();
      else if (error !== null) this.#failed(error);
      this.#settle();
    });
  }

  /** All of the log up to this epoch is committed: replays it, and has the controller lead. */
  *#claimSteps(lead: Lead): Steps<void> {
    const { disk, compute, clock } = this.#environment;
    const { epoch, epochStartOffset } = lead;
    const log = this.#log;
    if (this.#controller.nextOffset === 0) {
      this.#loaded = yield* replaySnapshot(log, this.#snapshots, this.#controller);
    }
    const count = (sizeBytes: number): void => this.#snapshots.addBytes(sizeBytes);
    const replayed = yield* replayLog(log, this.#controller, count, epochStartOffset);
    const before = joinPublications(this.#loaded, replayed);
    const begun = yield* replayLog(log, this.#controller, count);
    const options = { isNew: epochStartOffset === 0, nowMs: clock.wallMs() };
    const bootstrap = yield* openBootstrap(disk, compute, this.#directory.path, options);
    if (this.#isOver() || this.#lead !== lead) return;
    this.#loaded = null;
    if (before !== null) this.#commits.addPublication(before.image.provenance.offset + 1, before);
    if (begun !== null) this.#commits.addPublication(begun.image.provenance.offset + 1, begun);
    this.#state = 'leading';
    // Active from here on, so that a failure of the very first append finds the state it undoes.
    const first = this.#controller.activate(clock.monotonicMs(), bootstrap);
    const fits = this.#append(first);
    assert(fits, 'the first records of a leader fit a batch');
    lead.firstEndOffset = this.#controller.nextOffset;
    this.#logger.info('The controller leads', { epoch, metadataOffset: epochStartOffset });
  }

  /** A start that cannot write is none. */
  #cannotWrite(why: string): void {
    if (this.#opened === null) return;
    this.#reportOpened(
      new BrokerError('DISK_FAILED', `the metadata log in ${this.#directory.path} cannot be written: ${why}`),
    );
  }

  /** The log cannot be opened or replayed. */
  #failed(error: unknown): void {
    if (error instanceof DiskError) {
      // A full disk may have room again; what another failure left behind cannot be known.
      const isShortage = error.code === 'ENOSPC' || error.code === 'EDQUOT';
      if (!isShortage) return this.#directory.fail(error);
      const node = this.#node;
      node?.on((nowMs) => node.machine.resign(node.machine.epoch, nowMs));
      return this.#cannotWrite(error.message);
    }
    if (!(error instanceof BrokerError)) throw error;
    this.#logger.error('The controller cannot take the lead', { error });
    return this.#goOffline(error);
  }

  #goOffline(cause: Error): void {
    if (this.#isOver()) return;
    this.#logger.error('The controller goes offline: the metadata log failed', { error: cause });
    this.#stop('offline', ErrorCode.KAFKA_STORAGE_ERROR);
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

  #stop(state: 'offline' | 'closed', errorCode: ErrorCode): void {
    this.#abdicate(state, errorCode);
    this.#node?.close();
    if (this.#timer !== null) this.#environment.clock.cancel(this.#timer.handle);
    this.#timer = null;
  }

  /** Leads no more: what is not committed is forgotten, whoever waits gets `errorCode`. */
  #abdicate(state: DriverState, errorCode: ErrorCode): void {
    this.#state = state;
    this.#lead = null;
    // A claim that is under way takes care of what it replayed when it notices.
    if (!this.#isReplaying) this.#forgetUncommitted();
    this.#controller.deactivate();
    const failed = this.#commits.abandon();
    // A write may have failed within the call of one of them.
    if (failed.length > 0) this.#environment.clock.defer(() => failed.forEach((done) => done(errorCode)));
  }

  #forgetUncommitted(): void {
    this.#controller.rollbackTo(this.#commits.committedEndOffset - 1);
  }

  #isOver(): boolean {
    return this.#state === 'offline' || this.#state === 'closed';
  }

  #reportOpened(error: BrokerError | null): void {
    const opened = this.#opened;
    this.#opened = null;
    opened?.(error);
  }
}
