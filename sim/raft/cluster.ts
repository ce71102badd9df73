import { ErrorCode } from '../../src/base/errors.ts';
import { Random } from '../../src/base/random.ts';
import { type Uuid, ZERO_UUID } from '../../src/base/uuid.ts';
import type {
  AnswerToSend,
  RaftApis,
  RaftOptions,
  RequestToSend,
  ServedApiKey,
} from '../../src/raft/raft-api.ts';
import {
  directoryOf,
  endpointsOf,
  optionsOf,
  overTheWire,
  TIMEOUTS,
  VERSIONS_ANSWER,
  versionOf,
  voterOf,
} from '../../src/raft/raft-harness.test.ts';
import { VoterSet, type Voter } from '../../src/raft/voter-set.ts';
import type { RoleName } from '../../src/raft/role-states.ts';
import { Violation } from '../checkers/checker.ts';
import type { Trace } from '../trace.ts';
import { type Batch, EMPTY_IMAGE, type Snapshot } from './batch.ts';
import { Committed } from './committed.ts';
import { Disk } from './disk.ts';
import { EventQueue } from './event-queue.ts';
import { allInvariants } from './invariants/all.ts';
import type { Facts, Invariant } from './invariants/invariant.ts';
import { DiskSpeed } from './lanes.ts';
import { castVote, isFetched, toldEpoch } from './messages.ts';
import { Network } from './network.ts';
import { NodeClock } from './node-clock.ts';
import { type Received, type SimNode, SimProcess, type Surroundings } from './node.ts';

/** Bytes of a snapshot in one answer. */
const PIECE_BYTES = 16;

/** What a cluster is made of. */
export interface ClusterPlan {
  /** Nodes 1..voters are the first voters. */
  readonly voters: number;
  /** Controllers that are no voters at first; they follow the voters' ids. */
  readonly spares: number;
  /** Brokers, which can never be voters; they come last. */
  readonly observers: number;
  /** 0: the voters are configured. 1: they are in the log. */
  readonly kraftVersion: 0 | 1;
  /** The controllers add themselves to the voters. */
  readonly autoJoin: boolean;
  /** `controller.quorum.retry.backoff.ms`: the longer, the fewer events go into asking around while nobody leads. */
  readonly retryBackoffMs: number;
}

/** A request under way to a node, and who waits for its answer. */
interface Waiting {
  readonly body: object;
  readonly answered: (effect: AnswerToSend, server: SimProcess) => void;
}

/** Several machines with disks, clocks and a network, in virtual time. */
export class Cluster implements Facts, Surroundings {
  readonly plan: ClusterPlan;
  readonly random: Random;
  readonly network: Network;
  readonly nodes = new Map<number, SimNode>();
  readonly disks = new Map<Uuid, Disk>();
  readonly committed: Committed;
  nowMs = 0;
  /** The next node in this role loses power after so long, and is back at once. */
  trap: { readonly role: RoleName; readonly delayMs: number } | null = null;
  /** Events so far. */
  events = 0;
  readonly #invariants: readonly Invariant[];
  readonly #trace: Trace;
  readonly #queue = new EventQueue();
  readonly #waiting = new Map<number, Waiting>();
  readonly #disksOf = new Map<number, number>();
  readonly #ports = new Map<number, number>();
  #requestId = 0;
  #value = 0;

  constructor(seed: number, plan: ClusterPlan, trace: Trace) {
    this.plan = plan;
    this.#trace = trace;
    this.random = new Random(seed, 4711);
    this.network = new Network(this.random.fork());
    const isDynamic = plan.kraftVersion === 1;
    const voters = isDynamic ? new VoterSet(this.firstVoterIds.map((id) => voterOf(id))) : null;
    const facts = { kraftVersion: plan.kraftVersion, voters };
    this.committed = new Committed(facts);
    this.#invariants = allInvariants(this);
    for (let id = 1; id <= plan.voters + plan.spares + plan.observers; id++) {
      const disk = this.#newDisk(id);
      if (isDynamic && id <= plan.voters) {
        disk.snapshots = [{ id: { endOffset: 0, epoch: 0 }, sizeBytes: 10, facts, image: EMPTY_IMAGE }];
      }
      const clock = new NodeClock(0);
      this.nodes.set(id, {
        id,
        disk,
        clock,
        speed: new DiskSpeed(),
        member: null,
        isPaused: false,
        deferred: [],
      });
    }
    for (const id of this.nodes.keys()) this.start(id);
  }

  get firstVoterIds(): readonly number[] {
    return Array.from({ length: this.plan.voters }, (_, i) => i + 1);
  }

  /** Every process that runs, paused or not. */
  get processes(): readonly SimProcess[] {
    return [...this.nodes.values()].flatMap(({ member }) => member ?? []);
  }

  /** The process that leads the latest epoch anybody leads; null when nobody does. */
  get leader(): SimProcess | null {
    let latest: SimProcess | null = null;
    for (const member of this.processes) {
      if (member.isLeading && member.machine.epoch > (latest?.machine.epoch ?? -1)) latest = member;
    }
    return latest;
  }

  /** Voters of the nodes' configs, which name no directories; none with kraft.version 1. */
  get configuredVoters(): VoterSet {
    if (this.plan.kraftVersion === 1) return new VoterSet([]);
    return new VoterSet(this.firstVoterIds.map((id) => ({ ...voterOf(id), voterDirectoryId: ZERO_UUID })));
  }

  canBecomeVoter(id: number): boolean {
    return id <= this.plan.voters + this.plan.spares;
  }

  // Time.

  /** The next thing happens. False when nothing ever will. */
  step(): boolean {
    const due = this.#queue.pop();
    if (due === null) return false;
    this.nowMs = due.atMs;
    due.run();
    return true;
  }

  /** Something that is no node's happens later. */
  schedule(delayMs: number, run: () => void): void {
    this.#queue.push(this.nowMs + delayMs, run);
  }

  later(member: SimProcess, delayMs: number, run: () => void): void {
    this.#queue.push(this.nowMs + delayMs, () => this.#happens(member, run));
  }

  #happens(member: SimProcess, run: () => void): void {
    const { node } = member;
    if (node.member !== member) return;
    if (node.isPaused) {
      node.deferred.push(() => this.#happens(member, run));
      return;
    }
    this.events++;
    run();
    if (this.trap?.role === member.machine.role) this.#springTrap(member, this.trap.delayMs);
    this.#wake(member);
  }

  #springTrap(member: SimProcess, delayMs: number): void {
    this.trap = null;
    this.schedule(delayMs, () => {
      if (member.node.member !== member) return;
      this.crash(member.id, true);
      this.start(member.id);
    });
  }

  /** Sees to it that the machine is ticked in time. */
  #wake(member: SimProcess): void {
    if (member.node.member !== member) return;
    const { nextDeadlineMs } = member.machine;
    if (nextDeadlineMs === Infinity) return;
    const atMs = Math.max(member.node.clock.virtualAt(nextDeadlineMs), this.nowMs);
    if (atMs >= member.wakeAtMs) return;
    member.wakeAtMs = atMs;
    this.#queue.push(atMs, () => this.#tick(member, atMs));
  }

  #tick(member: SimProcess, atMs: number): void {
    if (member.wakeAtMs !== atMs) return;
    member.wakeAtMs = Infinity;
    if (member.node.member !== member) return;
    if (member.node.isPaused || member.machine.nextDeadlineMs <= member.localMs) {
      return this.#happens(member, () => member.tick());
    }
    this.#wake(member);
  }

  // Lives of nodes.

  /** Starts a node that is down. */
  start(id: number): void {
    const node = this.nodes.get(id);
    if (node === undefined || node.member !== null) return;
    node.clock = new NodeClock(this.nowMs);
    const member = new SimProcess(node, this.#optionsOf(id), this);
    node.member = member;
    this.note(
      id,
      `starts with ${member.disk.directoryId}, log ${member.view.startOffset}..${member.view.endOffset}`,
    );
    this.tell((one) => one.started?.(node));
    member.on(() => undefined);
    this.#wake(member);
  }

  /** The process dies; with `power`, what its disk had not made durable is in danger too. */
  crash(id: number, power: boolean): void {
    const node = this.nodes.get(id);
    if (node?.member === null || node === undefined) return;
    node.member.die();
    node.member = null;
    node.isPaused = false;
    node.deferred = [];
    if (power) node.disk.losePower(this.random);
    this.note(id, power ? 'loses power' : 'crashes');
  }

  /** A node that is down comes back with an empty disk. */
  loseDisk(id: number): void {
    const node = this.nodes.get(id);
    if (node === undefined || node.member !== null) return;
    node.disk = this.#newDisk(id);
    this.note(id, 'loses its disk');
  }

  pause(id: number): void {
    const node = this.nodes.get(id);
    if (node?.member === null || node === undefined) return;
    node.isPaused = true;
    this.note(id, 'is paused');
  }

  resume(id: number): void {
    const node = this.nodes.get(id);
    if (node === undefined || !node.isPaused) return;
    node.isPaused = false;
    this.note(id, 'goes on');
    for (const event of node.deferred.splice(0)) event();
    if (node.member !== null) this.#wake(node.member);
  }

  /** The node listens elsewhere from its next start on. */
  moveListener(id: number): void {
    this.#ports.set(id, (this.#ports.get(id) ?? 9093) + 1);
  }

  /** Does something with a process as an event of its own, now. */
  act(member: SimProcess, event: () => void): void {
    this.#happens(member, event);
  }

  fatal(member: SimProcess, message: string): void {
    // A write that failed below the high watermark: the node rightly stops.
    if (!member.hasFailedWrite) throw new Violation('no node loses what is committed', message);
    this.note(member.id, `stops: ${message}`);
    this.schedule(0, () => {
      if (member.node.member === member) this.crash(member.id, false);
    });
  }

  // Messages.

  /** Somebody outside asks a node. */
  ask(member: SimProcess, apiKey: ServedApiKey, body: object, answered: (body: object) => void): void {
    this.act(member, () => this.#request(member, apiKey, body, (effect) => answered(effect.body)));
  }

  send(from: SimProcess, effect: RequestToSend): void {
    const to = Number(effect.destination.host.slice('node'.length));
    const { apiKey, correlationId, body } = effect;
    const epoch = toldEpoch(apiKey, body);
    if (epoch !== null) this.tell((one) => one.told?.(from.node, epoch));
    const vote = castVote(apiKey, body);
    if (vote !== null && !vote.preVote) this.tell((one) => one.voted?.(from.node, vote));
    const delays = this.network.delays(from.id, to);
    // Whoever loses a request hears of it, or does not.
    if (delays.length === 0 && this.random.chance(0.3)) this.#fail(from, correlationId);
    for (const delayMs of delays) {
      this.schedule(delayMs, () => {
        const server = this.nodes.get(to)?.member ?? null;
        if (server === null) return this.#fail(from, correlationId);
        this.#happens(server, () => {
          if (apiKey === 18) return this.#respond(server, from, correlationId, VERSIONS_ANSWER);
          this.#request(server, apiKey, body, (answer) =>
            this.#answerTo(server, from, correlationId, answer),
          );
        });
      });
    }
  }

  answer(member: SimProcess, effect: AnswerToSend): void {
    const waiting = this.#waiting.get(effect.requestId);
    if (waiting === undefined) return;
    this.#waiting.delete(effect.requestId);
    const epoch = toldEpoch(effect.apiKey, effect.body);
    if (epoch !== null) this.tell((one) => one.told?.(member.node, epoch));
    if (effect.apiKey === 52 && effect.body.topics[0]?.partitions[0]?.voteGranted === true) {
      const vote = castVote(52, waiting.body);
      if (vote !== null) this.tell((one) => one.voted?.(member.node, vote));
    }
    waiting.answered(effect, member);
  }

  #request(
    server: SimProcess,
    apiKey: ServedApiKey,
    body: object,
    answered: (effect: AnswerToSend, server: SimProcess) => void,
  ): void {
    const requestId = ++this.#requestId;
    this.#waiting.set(requestId, { body, answered });
    const request = {
      requestId,
      apiKey,
      apiVersion: versionOf(apiKey),
      body: overTheWire(apiKey, true, body),
    };
    server.on((machine, nowMs) => machine.request(request, nowMs));
  }

  #answerTo(server: SimProcess, from: SimProcess, correlationId: number, effect: AnswerToSend): void {
    const { apiKey } = effect;
    let batches: readonly Batch[] = [];
    let snapshot: Snapshot | null = null;
    let { body }: { body: object } = effect;
    if (effect.records !== null) {
      const { view } = server;
      const first = view.indexAfter(effect.records.fromOffset);
      const { endOffset } = effect.records;
      batches = view.batches
        .slice(first, first + this.random.between(1, 6))
        .filter((batch) => batch.endOffset <= endOffset);
    } else if (effect.snapshot !== null && apiKey === 59) {
      const { id, maxBytes } = effect.snapshot;
      snapshot =
        server.disk.snapshots.find((one) => one.id.endOffset === id.endOffset && one.id.epoch === id.epoch) ??
        null;
      const unalignedRecords = Buffer.alloc(Math.min(maxBytes, PIECE_BYTES));
      const topics = effect.body.topics.map((topic) => ({
        ...topic,
        partitions: topic.partitions.map((partition) => ({ ...partition, unalignedRecords })),
      }));
      body = { ...effect.body, topics };
    }
    const answer: RaftApis[keyof RaftApis]['response'] = overTheWire(apiKey, false, body);
    this.#respond(server, from, correlationId, answer, { correlationId, batches, snapshot });
  }

  #respond(
    server: SimProcess,
    from: SimProcess,
    correlationId: number,
    body: RaftApis[keyof RaftApis]['response'],
    received: Received | null = null,
  ): void {
    for (const delayMs of this.network.delays(server.id, from.id)) {
      this.later(from, delayMs, () => {
        const isAwaited = from.heard.isAwaited(correlationId, from.view.endOffset, from.localMs);
        from.on(
          (machine, nowMs) => machine.response(correlationId, body, received?.batches ?? [], nowMs),
          received,
        );
        const { machine, heard } = from;
        if (!isAwaited || machine.role !== 'follower' || machine.leaderId !== server.id) return;
        if (!isFetched(body)) return;
        heard.epoch = machine.epoch;
        heard.atMs = from.localMs;
      });
    }
  }

  #fail(from: SimProcess, correlationId: number): void {
    this.later(from, this.random.between(1, 40), () =>
      from.on((machine, nowMs) => machine.failed(correlationId, ErrorCode.NETWORK_EXCEPTION, nowMs)),
    );
  }

  // Odds and ends.

  tell(call: (invariant: Invariant) => void): void {
    for (const invariant of this.#invariants) call(invariant);
  }

  note(nodeId: number, what: string): void {
    this.#trace.add(this.nowMs, `n${nodeId} ${what}`);
  }

  nextValue(): number {
    return ++this.#value;
  }

  /** A voter's entry as the node would have it now. */
  voterNow(id: number): Voter {
    const disk = this.nodes.get(id)?.disk;
    return {
      ...voterOf(id),
      voterDirectoryId: disk?.directoryId ?? ZERO_UUID,
      endpoints: this.#endpointsOf(id),
    };
  }

  #endpointsOf(id: number) {
    const port = this.#ports.get(id);
    return endpointsOf(id).map((endpoint) => (port === undefined ? endpoint : { ...endpoint, port }));
  }

  #newDisk(id: number): Disk {
    const nth = this.#disksOf.get(id) ?? 0;
    this.#disksOf.set(id, nth + 1);
    const disk = new Disk(directoryOf(id, nth));
    this.disks.set(disk.directoryId, disk);
    return disk;
  }

  #optionsOf(id: number): RaftOptions {
    const { plan } = this;
    return {
      ...optionsOf(id, this.random.fork(), { configured: this.configuredVoters.voters }),
      timeouts: { ...TIMEOUTS, retryBackoffMs: plan.retryBackoffMs },
      directoryId: (this.nodes.get(id) as SimNode).disk.directoryId,
      canBecomeVoter: this.canBecomeVoter(id),
      autoJoin: plan.autoJoin && this.canBecomeVoter(id),
      endpoints: this.#endpointsOf(id),
      // Whoever may lead is among them: nobody else tells observers of a leader they have not heard of.
      bootstrapServers: [...this.nodes.keys()]
        .filter((one) => this.canBecomeVoter(one))
        .flatMap((one) => endpointsOf(one)),
    };
  }
}
