import { assert } from '../../src/base/assert.ts';
import type { Random } from '../../src/base/random.ts';
import { compareSnapshots, type SnapshotId } from '../../src/raft/log-state.ts';
import type {
  AnswerToSend,
  LeaderRecord,
  RaftEffect,
  RaftOptions,
  RequestToSend,
} from '../../src/raft/raft-api.ts';
import { RaftMachine } from '../../src/raft/raft-machine.ts';
import { VoterSet } from '../../src/raft/voter-set.ts';
import { type Batch, EMPTY_IMAGE, replayed, type Snapshot } from './batch.ts';
import type { Disk } from './disk.ts';
import type { LogCopy } from './log-copy.ts';
import type { NodeClock } from './node-clock.ts';
import { type DiskSpeed, ElectionLane, LogLane } from './lanes.ts';

/** A vote, or a pre-vote, that was told to somebody. */
export interface CastVote {
  readonly epoch: number;
  readonly candidateId: number;
  readonly preVote: boolean;
}

/** What may be listened to: each is called when what it is named for happens. */
export interface Hooks {
  /** A process has read its disk. */
  started?(node: SimNode): void;
  /** An event is over, and its effects are given out. */
  after?(node: SimNode): void;
  leads?(node: SimNode, epoch: number): void;
  /** A leader appended. */
  appended?(node: SimNode, batch: Batch): void;
  /** A follower takes a batch from its leader. */
  fetched?(node: SimNode, batch: Batch): void;
  truncates?(node: SimNode, endOffset: number): void;
  /** The high watermark rose. */
  committed?(node: SimNode, offset: number): void;
  voted?(node: SimNode, vote: CastVote): void;
  /** A message of this epoch left the node. */
  told?(node: SimNode, epoch: number): void;
  installs?(node: SimNode, snapshot: Snapshot): void;
  /** The node wrote a snapshot of its own. */
  snapshotted?(node: SimNode, snapshot: Snapshot): void;
  /** The node shows the image of all before an offset. */
  published?(node: SimNode, offset: number, image: number): void;
}

/** What a process needs of the world around it. */
export interface Surroundings {
  readonly nowMs: number;
  readonly random: Random;
  /** Runs it later as an event of this process, unless that is gone by then. */
  later(member: SimProcess, delayMs: number, run: () => void): void;
  send(member: SimProcess, effect: RequestToSend): void;
  answer(member: SimProcess, effect: AnswerToSend): void;
  /** Tells the invariants. */
  tell(call: (hooks: Hooks) => void): void;
  note(nodeId: number, what: string): void;
  nextValue(): number;
  fatal(member: SimProcess, message: string): void;
}

/** A node: what outlives its processes. */
export interface SimNode {
  readonly id: number;
  disk: Disk;
  clock: NodeClock;
  speed: DiskSpeed;
  /** Null while it is down. */
  member: SimProcess | null;
  isPaused: boolean;
  /** What would have happened to the process while it was paused. */
  deferred: (() => void)[];
}

/** What an answer brought: the batches of a Fetch, the snapshot whose piece it is. */
export interface Received {
  readonly correlationId: number;
  readonly batches: readonly Batch[];
  readonly snapshot: Snapshot | null;
}

/** When a follower last had an answer to Fetch that its leader gave to it as it still is: such a leader lives. */
export class Heard {
  /** Of the leader; -1 when it has not been heard of in the present role. */
  epoch = -1;
  /** By the node's clock. */
  atMs = -Infinity;
  #role = '';
  #roles = 0;
  #sent = { correlationId: -1, roles: -1, endOffset: -1, untilMs: -Infinity };

  after(machine: RaftMachine): void {
    const role = `${machine.role} ${machine.epoch} ${machine.leaderId}`;
    if (role === this.#role) return;
    this.#role = role;
    this.#roles++;
    this.epoch = -1;
  }

  /** A Fetch is sent, with the log's end; after `untilMs` its answer is not waited for any more. */
  fetching(correlationId: number, endOffset: number, untilMs: number): void {
    this.#sent = { correlationId, roles: this.#roles, endOffset, untilMs };
  }

  /** True if the answer to this Fetch is one the follower still waits for. */
  isAwaited(correlationId: number, endOffset: number, nowMs: number): boolean {
    const sent = this.#sent;
    if (sent.correlationId !== correlationId || nowMs >= sent.untilMs) return false;
    return sent.roles === this.#roles && sent.endOffset === endOffset;
  }
}

/** A process: a machine with its driver, and a stand-in for the controller. Gone with a crash. */
export class SimProcess {
  readonly node: SimNode;
  readonly disk: Disk;
  readonly machine: RaftMachine;
  readonly options: RaftOptions;
  /** The log as the machine knows it: what the disk will hold once all that was asked for is done. */
  readonly view: LogCopy;
  isLeading = false;
  /** What the controller shows: all before this offset. */
  publishedOffset: number;
  image: number;
  /** What it has heard of its leader. */
  readonly heard = new Heard();
  /** An injected failure of a write: the machine may stop for it. */
  hasFailedWrite = false;
  /** It was told to shut down, and will be gone soon. */
  isShuttingDown = false;
  /** Virtual time of the next tick that is scheduled. */
  wakeAtMs = Infinity;
  readonly #world: Surroundings;
  readonly #log: LogLane;
  readonly #elections: ElectionLane;
  #received: Received | null = null;
  #downloaded: Snapshot | null = null;
  #isWritingSnapshot = false;
  #ticksAtOnce = 0;
  #lastTickMs = -1;

  constructor(node: SimNode, options: RaftOptions, world: Surroundings) {
    this.node = node;
    this.disk = node.disk;
    this.options = options;
    this.#world = world;
    const start = this.disk.open();
    this.view = this.disk.written.copy();
    const snapshot = this.disk.latestSnapshot;
    this.publishedOffset = snapshot?.id.endOffset ?? 0;
    this.image = snapshot?.image ?? EMPTY_IMAGE;
    const later = (delayMs: number, run: () => void): void => world.later(this, delayMs, run);
    this.#log = new LogLane(this, world.random, later);
    this.#elections = new ElectionLane(this, world.random, later);
    this.machine = new RaftMachine(options, start, this.localMs);
  }

  get id(): number {
    return this.node.id;
  }

  get localMs(): number {
    return this.node.clock.local(this.#world.nowMs);
  }

  /** Everything the machine has asked of the disk is done. */
  get isDiskIdle(): boolean {
    return this.#log.isIdle;
  }

  /** Does something with the machine, then all it asks for. */
  on(event: (machine: RaftMachine, localMs: number) => void, received: Received | null = null): void {
    this.#received = received;
    event(this.machine, this.localMs);
    this.heard.after(this.machine);
    for (const effect of this.machine.takeEffects()) this.#carryOut(effect);
    this.#received = null;
    this.machine.checkInvariants();
    this.#world.tell((one) => one.after?.(this.node));
  }

  tick(): void {
    const { localMs } = this;
    this.#ticksAtOnce = localMs === this.#lastTickMs ? this.#ticksAtOnce + 1 : 0;
    this.#lastTickMs = localMs;
    assert(this.#ticksAtOnce < 50, 'a tick moves the deadline');
    this.on((machine, nowMs) => machine.tick(nowMs));
  }

  /** The controller appends `count` records. */
  append(count: number): void {
    this.on((machine, nowMs) => {
      const { epoch } = machine;
      const baseOffset = machine.append(count, nowMs);
      const value = this.#world.nextValue();
      this.#appendOwn({ baseOffset, endOffset: baseOffset + count, epoch, controlRecords: [], value });
    });
  }

  /** Begins a snapshot of what is published. False when there is nothing new, or one is being written. */
  beginSnapshot(): boolean {
    const { publishedOffset: endOffset, disk, image, machine } = this;
    const latest = disk.latestSnapshot?.id.endOffset ?? 0;
    if (this.#isWritingSnapshot || endOffset <= latest || this.hasInstallUnderWay) return false;
    const epoch = disk.written.batches[disk.written.indexAfter(endOffset - 1)]?.epoch;
    if (epoch === undefined) return false;
    const id = { endOffset, epoch };
    const snapshot: Snapshot = {
      id,
      sizeBytes: 30 + (endOffset % 30),
      facts: machine.quorumAt(endOffset),
      image,
    };
    this.#isWritingSnapshot = true;
    this.#world.later(this, this.node.speed.flushMs(this.#world.random), () => {
      this.#isWritingSnapshot = false;
      // What was fetched meanwhile may be newer.
      const isOld = disk.snapshots.some((one) => compareSnapshots(one.id, id) >= 0);
      if (isOld || this.hasInstallUnderWay) return;
      disk.addSnapshot(snapshot);
      this.#world.note(this.id, `wrote snapshot ${endOffset}-${epoch}`);
      this.#world.tell((one) => one.snapshotted?.(this.node, snapshot));
      this.on((_, nowMs) => machine.snapshotWritten({ id, sizeBytes: snapshot.sizeBytes }, nowMs));
    });
    return true;
  }

  /** Drops the log before the latest snapshot, if all of that is durable. */
  dropStart(): boolean {
    const startOffset = this.disk.latestSnapshot?.id.endOffset ?? 0;
    if (!this.isDiskIdle || startOffset <= this.view.startOffset) return false;
    if (this.disk.durable.endOffset < startOffset || this.publishedOffset < startOffset) return false;
    this.view.startAt(startOffset);
    this.disk.apply({ kind: 'drop', startOffset });
    this.#world.note(this.id, `drops the log before ${startOffset}`);
    this.on((machine, nowMs) => machine.logStartMoved(startOffset, nowMs));
    return true;
  }

  get hasInstallUnderWay(): boolean {
    return this.#log.hasInstall;
  }

  /** Shows what is committed and written, up to an offset. */
  publish(offset: number): void {
    const { written } = this.disk;
    for (let i = written.indexAfter(this.publishedOffset); i < written.batches.length; i++) {
      const batch = written.batches[i] as Batch;
      if (batch.endOffset > offset) break;
      assert(batch.baseOffset === this.publishedOffset, 'what is published has no gap');
      this.image = replayed(this.image, batch);
      this.publishedOffset = batch.endOffset;
      this.#world.tell((one) => one.published?.(this.node, this.publishedOffset, this.image));
    }
  }

  /** The log was replaced by a snapshot. */
  load(snapshot: Snapshot): void {
    this.publishedOffset = snapshot.id.endOffset;
    this.image = snapshot.image;
  }

  /** A write failed, with `hasEnd` the log's end. */
  writeFailed(): void {
    this.hasFailedWrite = true;
    const { endOffset } = this.disk.written;
    this.#world.note(this.id, `a write failed at ${endOffset}`);
    this.on((machine, nowMs) => machine.writeFailed(endOffset, nowMs));
  }

  /** The process dies in the middle of its work: what it was writing may be there or not. */
  die(): void {
    this.#log.die();
    this.#elections.die();
  }

  #appendOwn(batch: Batch): void {
    assert(batch.baseOffset === this.view.endOffset, 'a log has no gap');
    this.view.batches.push(batch);
    this.#world.tell((one) => one.appended?.(this.node, batch));
    this.#log.push({ kind: 'append', batch });
  }

  #appendControl(baseOffset: number, epoch: number, records: readonly LeaderRecord[]): void {
    const controlRecords = records.flatMap((record, i) =>
      record.type === 'LEADER_CHANGE' ? [] : [{ offset: baseOffset + i, record }],
    );
    for (const { record } of controlRecords) {
      const what =
        record.type === 'KRAFT_VOTERS' ? new VoterSet(record.voters).toString() : record.kraftVersion;
      this.#world.note(this.id, `appends ${record.type} ${what}`);
    }
    const value = this.#world.nextValue();
    this.#appendOwn({ baseOffset, endOffset: baseOffset + records.length, epoch, controlRecords, value });
  }

  #appendFetched(endOffset: number): void {
    for (const batch of this.#received?.batches ?? []) {
      if (batch.endOffset > endOffset || batch.baseOffset < this.view.endOffset) continue;
      this.#world.tell((one) => one.fetched?.(this.node, batch));
      this.view.batches.push(batch);
      this.#log.push({ kind: 'append', batch });
    }
    assert(this.view.endOffset === endOffset, 'a log has no gap');
  }

  #freeze(id: SnapshotId): void {
    const snapshot = this.#downloaded;
    this.#log.push({
      kind: 'freeze',
      done: (isUsable) => {
        const found =
          isUsable && snapshot !== null && compareSnapshots(snapshot.id, id) === 0 ? snapshot : null;
        this.#frozen = found;
        this.on((machine, nowMs) =>
          machine.snapshotFrozen(found && { fact: found, facts: found.facts }, nowMs),
        );
      },
    });
  }

  #frozen: Snapshot | null = null;

  #install(id: SnapshotId): void {
    const snapshot = this.#frozen;
    assert(snapshot !== null && compareSnapshots(snapshot.id, id) === 0, 'what is installed was frozen');
    this.#world.tell((one) => one.installs?.(this.node, snapshot));
    this.view.replaceBy(id.endOffset);
    this.#log.push({ kind: 'install', snapshot });
  }

  #carryOut(effect: RaftEffect): void {
    const world = this.#world;
    switch (effect.type) {
      case 'send':
        if (effect.apiKey === 1) {
          const untilMs = this.localMs + this.options.timeouts.requestTimeoutMs;
          this.heard.fetching(effect.correlationId, this.view.endOffset, untilMs);
        }
        return world.send(this, effect);
      case 'answer':
        return world.answer(this, effect);
      case 'persist-election':
        return this.#elections.push(effect.ticket, effect.state);
      case 'append-control':
        return this.#appendControl(effect.baseOffset, effect.epoch, effect.records);
      case 'append-fetched':
        return this.#appendFetched(effect.endOffset);
      case 'flush':
        return this.#log.push({ kind: 'flush', ticket: effect.ticket });
      case 'truncate':
        world.note(this.id, `truncates to ${effect.endOffset}`);
        world.tell((one) => one.truncates?.(this.node, effect.endOffset));
        this.view.truncate(effect.endOffset);
        return this.#log.push({ kind: 'truncate', endOffset: effect.endOffset });
      case 'begin-snapshot':
      case 'discard-snapshot':
        this.#downloaded = null;
        return;
      case 'write-snapshot':
        this.#downloaded = this.#received?.snapshot ?? null;
        return;
      case 'freeze-snapshot':
        return this.#freeze(effect.id);
      case 'install-snapshot':
        world.note(this.id, `installs snapshot ${effect.id.endOffset}-${effect.id.epoch}`);
        return this.#install(effect.id);
      case 'high-watermark':
        world.tell((one) => one.committed?.(this.node, effect.offset));
        return this.#log.push({ kind: 'publish', offset: effect.offset });
      case 'leader':
        return world.note(this.id, `knows leader ${effect.leaderId} of epoch ${effect.epoch}`);
      case 'lead':
        this.isLeading = true;
        world.note(this.id, `leads epoch ${effect.epoch} from ${effect.epochStartOffset}`);
        return world.tell((one) => one.leads?.(this.node, effect.epoch));
      case 'stop-leading':
        this.isLeading = false;
        return world.note(this.id, `leads epoch ${effect.epoch} no more`);
      case 'warn':
        return world.note(this.id, `warns: ${effect.message}`);
      case 'fatal':
        return world.fatal(this, effect.message);
    }
  }
}
