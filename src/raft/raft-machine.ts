import { assert } from '../base/assert.ts';
import { ErrorCode } from '../base/errors.ts';
import { handleDescribeQuorum } from './describing.ts';
import { handleFetch, refuseWaiting, serveWaiting } from './fetch-serving.ts';
import { readFetchAnswer } from './fetching.ts';
import type { SnapshotFact } from './log-state.ts';
import { handleBeginQuorumEpoch, handleEndQuorumEpoch, readEpochAnswer } from './quorum-epochs.ts';
import { Quorum } from './quorum.ts';
import type {
  FetchedBatch,
  FrozenSnapshot,
  RaftApis,
  RaftEffect,
  RaftOptions,
  RaftRequest,
  RaftStart,
  UpgradeOutcome,
} from './raft-api.ts';
import type { SentRequest } from './requests.ts';
import { pollCandidate } from './roles/candidate.ts';
import { pollFollower } from './roles/follower.ts';
import { pollLeader, upgradeKraftVersion } from './roles/leader.ts';
import { pollProspective } from './roles/prospective.ts';
import { pollResigned } from './roles/resigned.ts';
import { pollUnattached } from './roles/unattached.ts';
import type { Reading } from './checks.ts';
import type { RoleName } from './role-states.ts';
import { readSnapshotAnswer, snapshotFrozen } from './snapshot-fetching.ts';
import { handleFetchSnapshot } from './snapshot-serving.ts';
import {
  handleAddVoter,
  handleRemoveVoter,
  handleUpdateVoter,
  readVersionsAnswer,
  refuseChange,
  settleChange,
} from './voter-changes.ts';
import type { QuorumFacts } from './voter-history.ts';
import type { VoterSet } from './voter-set.ts';
import { readJoinAnswer, readUpdateAnswer } from './voter-requests.ts';
import { handleVote, readVoteAnswer } from './votes.ts';

/** So many roles in a row are entered in one event at most. */
const MAX_ROLES_PER_EVENT = 8;

/**
 * KRaft's consensus as a pure state machine (KIP-595, 630, 853, 996): no clock, no I/O, no bytes of the log. One of these per node; a driver feeds it
 * events and carries out its effects. The roles and their transitions are in `role-states.ts`.
 *
 * **Events.** Every method that takes `nowMs` (monotonic milliseconds, never falling) is one. After each, the driver calls `takeEffects()` and carries out all of it, in order, and
 * sees to it that `tick` is called at `nextDeadlineMs` (at once when that has passed; the construction counts as an event).
 *
 *     tick(nowMs)                         time has passed
 *     request(request, nowMs)             a request arrived; answered by an `answer` with its requestId, now or later, once
 *     response(id, body, batches, nowMs)  the answer to the `send` with this correlationId; `batches` are the whole batches of a Fetch answer
 *     failed(id, errorCode, nowMs)        that `send` got none: no connection, time-out, or UNSUPPORTED_VERSION when the peer does not speak `minVersion`
 *     append(count, nowMs)                the controller appends `count` records; only while leading
 *     flushed(ticket, nowMs)              the `flush` of this ticket is durable
 *     electionPersisted(ticket, nowMs)    the `persist-election` of this ticket is durable
 *     writeFailed(endOffset, nowMs)       an append could not be written; the log ends at `endOffset`, all of which is whole
 *     snapshotFrozen(frozen, nowMs)       the `freeze-snapshot` is done (null: it is not a usable snapshot)
 *     snapshotWritten(fact, nowMs)        the node wrote a snapshot of its own
 *     logStartMoved(startOffset, nowMs)   records before it were dropped; a snapshot holds them
 *     resign(epoch, nowMs), shutdown(nowMs), upgradeKraftVersion(…)
 *
 * **Effects** are carried out in the order in which they come. Those on the log (`append-control`, `append-fetched`, what `append` reserved, `flush`, `truncate`, `install-snapshot`) and on the snapshot under way
 * (`begin-`, `write-`, `freeze-`, `discard-snapshot`) may take their time, but go one after the other, as through a queue; messages need not wait for them. The
 * machine already reckons with their outcome: its log is what the log will be. What must be durable before something is told the machine sees to itself:
 *
 *     persist-election  write `quorum-state`, durably, then call electionPersisted. Later ones may replace earlier ones that are not written yet; then
 *                       only the last ticket is reported. Messages that tell of a state not yet durable are held back in the machine.
 *     append-control    a control batch of the leader, at `baseOffset`, in `epoch`
 *     append-fetched    the batches `baseOffset..endOffset` of the answer `correlationId`; bytes of an answer are kept until the effects of its event are read
 *     flush             make all below `endOffset` durable, after what was appended before; then call flushed. One at a time, so that appends share it;
 *                       a second one may come while the first is under way only after a truncate or install.
 *     truncate          cut everything at or past `endOffset`
 *     begin-snapshot    a new file for `id`; `write-snapshot` puts the bytes of the answer `correlationId` at `position`
 *     freeze-snapshot   make it durable and whole, read its header records, call snapshotFrozen; not installed yet
 *     install-snapshot  it replaces the whole log, which goes on at its end offset; load it
 *     discard-snapshot  delete the unfinished file
 *     send              encode in a version >= minVersion that both know, send to the destination; then call response or failed with its correlationId
 *     answer            encode, with `records` read from the log now (whole batches, at least one, within the bounds) or `snapshot` bytes where asked for, and send
 *     high-watermark    all below is committed: publish, answer; once the work on the log before it is done, which it may run ahead of
 *     leader            who leads which epoch now; -1 for nobody known
 *     lead              this node leads: `append` may be called. The controller should wait until the high watermark is past `epochStartOffset`: then all that came
 *                       before is committed and can be replayed
 *     stop-leading      it does no more; what was appended in that epoch and is above the high watermark may be lost
 *     warn              a line for the log
 *     fatal             the machine has stopped for good: committed data was or would be lost. Stop the node and say why.
 *
 * A node that restarts is a new machine made of what its files say (`RaftStart`); what was not durable may or may not be there.
 */
export class RaftMachine {
  readonly #quorum: Quorum;

  constructor(options: RaftOptions, start: RaftStart, nowMs: number) {
    this.#quorum = new Quorum(options, start, nowMs);
    this.#settle();
  }

  get role(): RoleName {
    return this.#quorum.role.name;
  }

  get epoch(): number {
    return this.#quorum.epoch;
  }

  /** Leader of the epoch; -1 while it is not known. */
  get leaderId(): number {
    return this.#quorum.leaderId;
  }

  /** End of what is known to be committed; -1 while nothing is. */
  get highWatermark(): number {
    return this.#quorum.highWatermark;
  }

  /** End of the log as it will be. */
  get logEndOffset(): number {
    return this.#quorum.log.endOffset;
  }

  /** Where the newest snapshot ends; 0 while there is none. */
  get latestSnapshotEndOffset(): number {
    return this.#quorum.log.latestSnapshot?.endOffset ?? 0;
  }

  get logStartOffset(): number {
    return this.#quorum.log.startOffset;
  }

  /** Epoch of the record at an offset in the log. */
  epochAt(offset: number): number {
    return this.#quorum.log.epochAt(offset);
  }

  get isVoter(): boolean {
    return this.#quorum.isVoter;
  }

  /** The latest voters and kraft.version, committed or not. */
  get voters(): VoterSet {
    return this.#quorum.voters;
  }

  get kraftVersion(): number {
    return this.#quorum.history.kraftVersion;
  }

  /** What a snapshot that ends at `endOffset` must say in its header. */
  quorumAt(endOffset: number): QuorumFacts {
    return this.#quorum.history.at(endOffset - 1);
  }

  /** Why it stopped; null while it runs. */
  get failure(): string | null {
    return this.#quorum.failure;
  }

  /** After `shutdown`: true when the node may stop without leaving the quorum waiting for it. */
  get isShutDown(): boolean {
    const { role, leaderId, options, isShuttingDown } = this.#quorum;
    if (!isShuttingDown) return false;
    if (!this.isVoter || this.#quorum.voters.isOnlyVoter(this.#quorum.key)) return role.name !== 'leader';
    if (role.name === 'resigned') return role.unacknowledged.size === 0;
    return role.name === 'follower' || (leaderId >= 0 && leaderId !== options.nodeId);
  }

  /** When `tick` is next needed; Infinity for never. */
  get nextDeadlineMs(): number {
    const { role, nowMs, requests, failure } = this.#quorum;
    if (failure !== null) return Infinity;
    let deadlineMs = requests.nextDeadlineMs(nowMs);
    const next = (atMs: number): void => {
      deadlineMs = Math.min(deadlineMs, Math.max(atMs, nowMs));
    };
    switch (role.name) {
      case 'leader':
        next(role.checkQuorumDeadlineMs);
        next(role.beginQuorumDeadlineMs);
        next(role.change?.deadlineMs ?? Infinity);
        for (const waiter of role.waiting) next(waiter.deadlineMs);
        break;
      case 'follower':
        if (this.#quorum.isShuttingDown) break;
        if (this.#quorum.mayStand) next(role.fetchDeadlineMs);
        if (role.updateVoterDeadlineMs > nowMs) next(role.updateVoterDeadlineMs);
        break;
      default:
        if (!this.#quorum.isShuttingDown) next(role.electionDeadlineMs);
    }
    return deadlineMs;
  }

  takeEffects(): RaftEffect[] {
    return this.#quorum.takeEffects();
  }

  tick(nowMs: number): void {
    this.#on(nowMs, () => undefined);
  }

  /** @param wallClockAheadMs what to add to the machine's times for those of the wall clock; DescribeQuorum tells them */
  request(request: RaftRequest, nowMs: number, wallClockAheadMs = 0): void {
    this.#on(nowMs, () => this.#handle(request, wallClockAheadMs));
  }

  response(
    correlationId: number,
    body: RaftApis[keyof RaftApis]['response'],
    batches: readonly FetchedBatch[],
    nowMs: number,
  ): void {
    this.#on(nowMs, () => {
      const sent = this.#quorum.requests.take(correlationId);
      if (sent === null) return;
      const reading = this.#read(sent, body, batches);
      // A bootstrap server that does not help is not asked again at once: while nobody leads, none does.
      const isNoHelp = sent.destination.kind === 'bootstrap' && this.#quorum.role === sent.role;
      if (reading === 'failed' || isNoHelp) this.#quorum.requests.failed(sent.destination, nowMs);
    });
  }

  failed(correlationId: number, errorCode: ErrorCode, nowMs: number): void {
    this.#on(nowMs, () => {
      const quorum = this.#quorum;
      const sent = quorum.requests.take(correlationId);
      if (sent === null) return;
      if (sent.apiKey === 18) readVersionsAnswer(quorum, correlationId, null);
      if (errorCode === ErrorCode.UNSUPPORTED_VERSION) {
        // A voter older than KIP-996 is in the quorum: elections go without pre-votes, as it knows them.
        if (sent.apiKey === 52 && quorum.role === sent.role && quorum.role.name === 'prospective') {
          return quorum.becomeCandidate();
        }
        if (sent.apiKey === 82 && quorum.role.name === 'follower') {
          quorum.role.hasUpdatedLeader = true;
          return;
        }
      }
      quorum.requests.failed(sent.destination, nowMs);
    });
  }

  /** Reserves offsets for records that the controller appends now; all of one epoch. @returns the first one */
  append(count: number, nowMs: number): number {
    let baseOffset = -1;
    this.#on(nowMs, () => {
      assert(this.#quorum.leading !== null, 'only a leader appends');
      baseOffset = this.#quorum.log.append(this.#quorum.epoch, count);
    });
    return baseOffset;
  }

  flushed(ticket: number, nowMs: number): void {
    this.#on(nowMs, () => this.#quorum.flushed(ticket));
  }

  electionPersisted(ticket: number, nowMs: number): void {
    this.#on(nowMs, () => this.#quorum.electionPersisted(ticket));
  }

  writeFailed(endOffset: number, nowMs: number): void {
    this.#on(nowMs, () => {
      const { log, role } = this.#quorum;
      if (endOffset >= log.endOffset) return;
      if (!this.#quorum.truncate(endOffset)) return;
      if (role.name === 'leader') role.resignRequested = true;
    });
  }

  snapshotFrozen(frozen: FrozenSnapshot | null, nowMs: number): void {
    this.#on(nowMs, () => snapshotFrozen(this.#quorum, frozen));
  }

  snapshotWritten(fact: SnapshotFact, nowMs: number): void {
    this.#on(nowMs, () => {
      assert(fact.id.endOffset <= this.#quorum.highWatermark, 'a snapshot holds what is committed');
      this.#quorum.log.addSnapshot(fact);
      this.#quorum.history.prune(fact.id.endOffset);
    });
  }

  logStartMoved(startOffset: number, nowMs: number): void {
    this.#on(nowMs, () => this.#quorum.log.startAt(startOffset));
  }

  /** Gives up the lead of an epoch, if it still has it. */
  resign(epoch: number, nowMs: number): void {
    this.#on(nowMs, () => {
      const { leading } = this.#quorum;
      if (leading !== null && this.#quorum.epoch === epoch) leading.resignRequested = true;
    });
  }

  /** Takes no part any more but to hand over the lead; see `isShutDown`. */
  shutdown(nowMs: number): void {
    this.#on(nowMs, () => {
      this.#quorum.isShuttingDown = true;
    });
  }

  /** Raises kraft.version (KIP-853); appends unless `validateOnly`. */
  upgradeKraftVersion(kraftVersion: number, validateOnly: boolean, nowMs: number): UpgradeOutcome {
    let outcome: UpgradeOutcome = { errorCode: ErrorCode.NOT_CONTROLLER, errorMessage: null };
    this.#on(nowMs, () => {
      outcome = upgradeKraftVersion(this.#quorum, kraftVersion, validateOnly);
    });
    return outcome;
  }

  /** Asserts what must hold between two events. */
  checkInvariants(): void {
    this.#quorum.checkInvariants();
  }

  #on(nowMs: number, event: () => void): void {
    const quorum = this.#quorum;
    if (quorum.failure !== null) return;
    assert(nowMs >= quorum.nowMs, 'time never falls');
    quorum.nowMs = nowMs;
    event();
    this.#settle();
  }

  /** Lets the role do what is due, until nothing is. */
  #settle(): void {
    const quorum = this.#quorum;
    for (let i = 0; quorum.failure === null; i++) {
      assert(i < MAX_ROLES_PER_EVENT, 'an event ends in a role');
      const { role } = quorum;
      this.#poll();
      for (const state of quorum.abandoned.splice(0)) {
        refuseWaiting(quorum, state);
        refuseChange(quorum, state);
      }
      if (quorum.role === role) break;
    }
    if (quorum.failure === null) quorum.requestFlush();
  }

  #poll(): void {
    const quorum = this.#quorum;
    switch (quorum.role.name) {
      case 'leader':
        // A leader that was removed resigns when that is committed; who asked for it is told so first.
        if (quorum.leading !== null) settleChange(quorum, quorum.leading);
        pollLeader(quorum);
        if (quorum.leading !== null) {
          settleChange(quorum, quorum.leading);
          serveWaiting(quorum, quorum.leading);
        }
        return;
      case 'follower':
        return pollFollower(quorum);
      case 'candidate':
        return pollCandidate(quorum);
      case 'prospective':
        return pollProspective(quorum);
      case 'unattached':
        return pollUnattached(quorum);
      case 'resigned':
        return pollResigned(quorum);
    }
  }

  #handle(request: RaftRequest, wallClockAheadMs: number): void {
    const quorum = this.#quorum;
    switch (request.apiKey) {
      case 1:
        return handleFetch(quorum, request as RaftRequest<1>);
      case 52:
        return handleVote(quorum, request as RaftRequest<52>);
      case 53:
        return handleBeginQuorumEpoch(quorum, request as RaftRequest<53>);
      case 54:
        return handleEndQuorumEpoch(quorum, request as RaftRequest<54>);
      case 55:
        return handleDescribeQuorum(quorum, request as RaftRequest<55>, wallClockAheadMs);
      case 59:
        return handleFetchSnapshot(quorum, request as RaftRequest<59>);
      case 80:
        return handleAddVoter(quorum, request as RaftRequest<80>);
      case 81:
        return handleRemoveVoter(quorum, request as RaftRequest<81>);
      case 82:
        return handleUpdateVoter(quorum, request as RaftRequest<82>);
    }
  }

  #read(
    sent: SentRequest,
    body: RaftApis[keyof RaftApis]['response'],
    batches: readonly FetchedBatch[],
  ): Reading {
    const quorum = this.#quorum;
    switch (sent.apiKey) {
      case 1:
        return readFetchAnswer(quorum, sent, body as RaftApis[1]['response'], batches);
      case 18:
        readVersionsAnswer(quorum, sent.correlationId, body as RaftApis[18]['response']);
        return 'done';
      case 52:
        return readVoteAnswer(quorum, sent, body as RaftApis[52]['response']);
      case 53:
      case 54:
        return readEpochAnswer(quorum, sent, body as RaftApis[53]['response']);
      case 59:
        return readSnapshotAnswer(quorum, sent, body as RaftApis[59]['response']);
      case 80:
      case 81:
        return readJoinAnswer((body as RaftApis[80]['response']).errorCode);
      case 82:
        return readUpdateAnswer(quorum, body as RaftApis[82]['response']);
      case 55:
        return 'done';
    }
  }
}
