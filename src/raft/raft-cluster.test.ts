import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import type { AnswerToSend, RaftEffect, RaftOptions, RequestToSend, ServedApiKey } from './raft-api.ts';
import {
  directoryOf,
  emptyDisk,
  endpointsOf,
  HarnessNode,
  type HarnessBatch,
  type HarnessDisk,
  optionsOf,
  overTheWire,
  VERSIONS_ANSWER,
  versionOf,
  voterOf,
} from './raft-harness.test.ts';

/** Bytes of a snapshot in one answer. */
const PIECE_BYTES = 16;
/** Histories of each kind of cluster; the simulator runs many more. */
const SEEDS = 40;

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Several machines with disks and a network, all of them bad; checks after every event what must never be otherwise. */
class Cluster {
  readonly #random: Random;
  readonly #isDynamic: boolean;
  readonly #initial: readonly number[];
  readonly #nodes = new Map<number, HarnessNode>();
  readonly #down = new Map<number, HarnessDisk>();
  readonly #cut = new Set<string>();
  readonly #leaders = new Map<number, number>();
  readonly #committed = new Map<number, string>();
  readonly #votes = new Map<string, number>();
  readonly #requests = new Map<number, { readonly from: HarnessNode; readonly correlationId: number }>();
  #due: Due[] = [];
  #order = 0;
  #requestId = 0;
  #value = 0;
  nowMs = 0;
  dropChance = 0.1;

  constructor(seed: number, nodes: number, observers: number, isDynamic: boolean) {
    this.#random = new Random(seed, 4711);
    this.#isDynamic = isDynamic;
    this.#initial = Array.from({ length: nodes }, (_, i) => i + 1);
    for (let id = 1; id <= nodes + observers; id++) {
      this.#down.set(id, emptyDisk(isDynamic ? this.#initial.map((one) => voterOf(one)) : null));
      this.start(id);
    }
  }

  /** Highest end that any node knows to be committed. */
  get committedEnd(): number {
    return Math.max(...[...this.#nodes.values()].map(({ machine }) => machine.highWatermark));
  }

  start(id: number): void {
    const disk = this.#down.get(id);
    if (disk === undefined) return;
    this.#down.delete(id);
    const over: Partial<RaftOptions> = {
      autoJoin: this.#isDynamic && id > this.#initial.length && this.#random.chance(0.5),
      bootstrapServers: this.#initial.flatMap((one) => endpointsOf(one)),
    };
    const configured = this.#isDynamic
      ? []
      : this.#initial.map((one) => ({ ...voterOf(one), voterDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA' }));
    const options = optionsOf(id, this.#random.fork(), { configured, over });
    const node = new HarnessNode(options, disk, this.nowMs, (one, effect) => this.#sent(one, effect));
    this.#nodes.set(id, node);
    this.#after(node);
  }

  crash(id: number): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    this.#nodes.delete(id);
    this.#down.set(id, node.afterPowerLoss(this.#random));
  }

  /** One thing happens: mostly time or a message, sometimes a mishap. */
  step(): void {
    const random = this.#random;
    const ids = [...this.#nodes.keys(), ...this.#down.keys()];
    const roll = random.below(1000);
    if (roll < 6) this.#mishap(ids);
    else if (roll < 14) this.start(random.pick(ids));
    else if (roll < 18) this.#cut.add(`${random.pick(ids)}-${random.pick(ids)}`);
    else if (roll < 24) this.#cut.clear();
    else if (roll < 100) this.#appendSomewhere();
    else if (roll < 104) this.#onNode(random.pick(ids), (node) => void node.snapshot());
    else if (roll < 106)
      this.#onNode(random.pick(ids), (node) => node.machine.resign(node.machine.epoch, this.nowMs));
    else if (roll < 112 && this.#isDynamic) this.#changeVoters(random.pick(ids));
    else this.#progress();
  }

  /** A node loses its power: mostly one that has something to write, now or after the others have heard of it. */
  #mishap(ids: readonly number[]): void {
    const random = this.#random;
    const busy = [...this.#nodes.values()].filter(({ hasDiskWork }) => hasDiskWork);
    if (busy.length === 0 || random.chance(0.3)) return this.crash(random.pick(ids));
    const node = random.pick(busy);
    node.stalledUntilMs = this.nowMs + random.below(60);
    return this.#schedule(random.below(60), () => {
      if (this.#nodes.get(node.nodeId) === node) this.crash(node.nodeId);
    });
  }

  /** Everything works from here on, and is given time. */
  heal(): void {
    this.#cut.clear();
    this.dropChance = 0;
    for (const id of this.#down.keys()) this.start(id);
  }

  runUntil(condition: () => boolean, maxSteps: number): boolean {
    for (let i = 0; i < maxSteps && !condition(); i++) this.#progress();
    return condition();
  }

  get leader(): HarnessNode | null {
    const leading = [...this.#nodes.values()].filter(({ isLeading }) => isLeading);
    return (
      leading.find(({ machine }) => machine.epoch === Math.max(...leading.map((one) => one.machine.epoch))) ??
      null
    );
  }

  get nodes(): readonly HarnessNode[] {
    return [...this.#nodes.values()];
  }

  append(node: HarnessNode): void {
    node.append(this.#random.between(1, 3), `value ${++this.#value} by ${node.nodeId}`);
    this.#after(node);
  }

  #appendSomewhere(): void {
    const leading = [...this.#nodes.values()].filter(({ isLeading }) => isLeading);
    if (leading.length > 0) this.append(this.#random.pick(leading));
  }

  #changeVoters(id: number): void {
    const { leader } = this;
    if (leader === null) return;
    const isVoter = leader.machine.voters.get(id) !== null;
    if (isVoter && leader.machine.voters.size <= 2) return;
    const common = { clusterId: null, voterId: id, voterDirectoryId: directoryOf(id) };
    if (isVoter) this.#request(leader, 81, common);
    else
      this.#request(leader, 80, {
        ...common,
        timeoutMs: 1000,
        listeners: endpointsOf(id),
        ackWhenCommitted: true,
      });
  }

  #request(node: HarnessNode, apiKey: ServedApiKey, body: object): void {
    const requestId = ++this.#requestId;
    node.machine.request(
      { requestId, apiKey, apiVersion: versionOf(apiKey), body: overTheWire(apiKey, true, body) },
      this.nowMs,
    );
    this.#after(node);
  }

  #progress(): void {
    const random = this.#random;
    const busy = [...this.#nodes.values()].filter(
      ({ hasDiskWork, stalledUntilMs }) => hasDiskWork && stalledUntilMs <= this.nowMs,
    );
    if (busy.length > 0 && random.chance(0.5)) {
      const node = random.pick(busy);
      node.nowMs = this.nowMs;
      node.work();
      return this.#after(node);
    }
    const deadlines = [...this.#nodes.values()].map(({ machine }) => machine.nextDeadlineMs);
    const [first] = this.#due;
    const nextMs = Math.min(...deadlines, first?.atMs ?? Infinity);
    if (nextMs === Infinity) return;
    this.nowMs = Math.max(this.nowMs, nextMs);
    if (first !== undefined && first.atMs <= this.nowMs && random.chance(0.7)) {
      this.#due.shift();
      return first.run();
    }
    const due = [...this.#nodes.values()].filter(({ machine }) => machine.nextDeadlineMs <= this.nowMs);
    if (due.length === 0) return;
    this.#onNode(random.pick(due).nodeId, (node) => node.machine.tick(this.nowMs));
  }

  #onNode(id: number, event: (node: HarnessNode) => void): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    node.nowMs = this.nowMs;
    event(node);
    this.#after(node);
  }

  #schedule(delayMs: number, run: () => void): void {
    this.#due.push({ atMs: this.nowMs + delayMs, order: ++this.#order, run });
    this.#due.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
  }

  #deliver(from: number, to: number, run: () => void): void {
    const random = this.#random;
    if (this.#cut.has(`${from}-${to}`) || random.chance(this.dropChance)) return;
    const delayMs = random.chance(0.05) ? random.between(0, 3000) : random.between(0, 20);
    this.#schedule(delayMs, run);
    if (this.dropChance > 0 && random.chance(0.03)) this.#schedule(random.between(0, 3000), run);
  }

  #sent(node: HarnessNode, effect: RaftEffect): void {
    if (effect.type === 'send') this.#send(node, effect);
    else if (effect.type === 'answer') this.#answer(node, effect);
    else if (effect.type === 'lead') {
      const other = this.#leaders.get(effect.epoch);
      assert.equal(other ?? node.nodeId, node.nodeId, `two leaders in epoch ${effect.epoch}`);
      this.#leaders.set(effect.epoch, node.nodeId);
    } else if (effect.type === 'fatal') assert.fail(effect.message);
  }

  #send(from: HarnessNode, effect: RequestToSend): void {
    const to = Number(effect.destination.host.slice('node'.length));
    this.#deliver(from.nodeId, to, () => {
      const node = this.#nodes.get(to);
      if (node === undefined) return this.#fail(from, effect.correlationId);
      node.nowMs = this.nowMs;
      if (effect.apiKey === 18) {
        return this.#deliver(to, from.nodeId, () => {
          if (this.#nodes.get(from.nodeId) !== from) return;
          from.machine.response(effect.correlationId, VERSIONS_ANSWER, [], this.nowMs);
          this.#after(from);
        });
      }
      this.#requests.set(this.#requestId + 1, { from, correlationId: effect.correlationId });
      this.#request(node, effect.apiKey, effect.body);
    });
  }

  #fail(from: HarnessNode, correlationId: number): void {
    if (this.#nodes.get(from.nodeId) !== from) return;
    from.machine.failed(correlationId, ErrorCode.NETWORK_EXCEPTION, this.nowMs);
    this.#after(from);
  }

  #answer(node: HarnessNode, effect: AnswerToSend): void {
    this.#checkVote(node, effect);
    const origin = this.#requests.get(effect.requestId);
    if (origin === undefined) return;
    const { from, correlationId } = origin;
    const batches =
      effect.records === null
        ? []
        : node.batchesFrom(effect.records.fromOffset, effect.records.endOffset, this.#random.between(1, 4));
    const body = this.#withPiece(effect);
    const snapshot =
      node.disk.snapshots.find((one) => one.id.endOffset === effect.snapshot?.id.endOffset) ?? null;
    this.#deliver(node.nodeId, from.nodeId, () => {
      if (this.#nodes.get(from.nodeId) !== from) return;
      from.nowMs = this.nowMs;
      from.incoming.set(correlationId, batches);
      if (snapshot !== null) from.incomingSnapshot = snapshot;
      from.machine.response(correlationId, overTheWire(effect.apiKey, false, body), batches, this.nowMs);
      this.#after(from);
      from.incoming.delete(correlationId);
    });
  }

  #withPiece(effect: AnswerToSend): object {
    if (effect.apiKey !== 59 || effect.snapshot === null) return effect.body;
    const unalignedRecords = Buffer.alloc(Math.min(effect.snapshot.maxBytes, PIECE_BYTES));
    return {
      ...effect.body,
      topics: effect.body.topics.map((topic) => ({
        ...topic,
        partitions: topic.partitions.map((partition) => ({ ...partition, unalignedRecords })),
      })),
    };
  }

  #checkVote(node: HarnessNode, effect: AnswerToSend): void {
    if (effect.apiKey !== 52) return;
    const partition = effect.body.topics[0]?.partitions[0];
    const vote = node.durable.election;
    if (partition?.voteGranted !== true || vote === null || vote.votedId < 0) return;
    const key = `${node.nodeId} in ${vote.epoch}`;
    assert.equal(this.#votes.get(key) ?? vote.votedId, vote.votedId, `${key} voted twice`);
    this.#votes.set(key, vote.votedId);
  }

  #after(node: HarnessNode): void {
    node.nowMs = this.nowMs;
    node.carryOut();
    node.machine.checkInvariants();
    // What is still to be cut may lie in the log a little longer.
    if (node.hasDiskWork) return;
    for (const batch of node.disk.batches) {
      if (batch.endOffset > node.machine.highWatermark) break;
      const text = describe(batch);
      const known = this.#committed.get(batch.baseOffset);
      assert.equal(
        text,
        known ?? text,
        `node ${node.nodeId} has something else committed at ${batch.baseOffset}`,
      );
      this.#committed.set(batch.baseOffset, text);
    }
  }
}

function describe(batch: HarnessBatch): string {
  return `${batch.baseOffset}..${batch.endOffset} of ${batch.epoch}: ${batch.value}`;
}

function run(seed: number, nodes: number, observers: number, isDynamic: boolean): void {
  const cluster = new Cluster(seed, nodes, observers, isDynamic);
  for (let i = 0; i < 1500; i++) cluster.step();
  cluster.heal();
  const hasLeader = (): boolean => cluster.leader !== null;
  assert.ok(cluster.runUntil(hasLeader, 20_000), `seed ${seed}: no leader after all was healed`);
  let wanted = Infinity;
  const isCommitted = (): boolean => {
    const { leader } = cluster;
    if (leader === null) return false;
    if (leader.machine.highWatermark < leader.machine.logEndOffset) return false;
    if (wanted === Infinity) {
      cluster.append(leader);
      wanted = leader.machine.logEndOffset;
    }
    return cluster.nodes.every(({ machine }) => machine.highWatermark >= wanted);
  };
  assert.ok(cluster.runUntil(isCommitted, 40_000), `seed ${seed}: not every node catches up`);
}

for (const [name, nodes, observers, isDynamic] of [
  ['three voters and an observer', 3, 1, false],
  ['five voters', 5, 0, false],
  ['one voter and an observer', 1, 1, false],
  ['three voters and two more nodes that come and go', 3, 2, true],
] as const) {
  test(`a bad network, crashes and lost writes never make ${name} disagree, and healed they all catch up`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        run(seed, nodes, observers, isDynamic);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
  });
}
