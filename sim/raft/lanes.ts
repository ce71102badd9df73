import type { Random } from '../../src/base/random.ts';
import type { ElectionState } from '../../src/raft/election-state.ts';
import type { Batch, Snapshot } from './batch.ts';
import type { RaftMachine } from '../../src/raft/raft-machine.ts';
import type { Disk } from './disk.ts';

/** A slow disk answers in the end. */
const MAX_FLUSH_MS = 8_000;

/** How fast a disk is, and how well it works. */
export class DiskSpeed {
  /** Times so slow. */
  slowness = 1;
  /** As slow again, for the log alone: `quorum-state` is written as before. */
  logSlowness = 1;
  failChance = 0;

  mend(): void {
    this.slowness = 1;
    this.logSlowness = 1;
    this.failChance = 0;
  }

  writeMs(random: Random): number {
    return random.chance(0.7) ? 0 : random.below(3) * this.slowness;
  }

  flushMs(random: Random): number {
    return random.between(1, 10) * this.slowness;
  }
}

type Later = (delayMs: number, run: () => void) => void;

/** Whose disk work it is. */
export interface LaneOwner {
  readonly node: { readonly speed: DiskSpeed };
  readonly disk: Disk;
  on(event: (machine: RaftMachine, localMs: number) => void): void;
  writeFailed(): void;
  load(snapshot: Snapshot): void;
  publish(offset: number): void;
}

type LogWork =
  | { readonly kind: 'append'; readonly batch: Batch }
  | { readonly kind: 'truncate'; readonly endOffset: number }
  | { readonly kind: 'install'; readonly snapshot: Snapshot }
  | { readonly kind: 'flush'; readonly ticket: number }
  | { readonly kind: 'freeze'; readonly done: (isUsable: boolean) => void }
  | { readonly kind: 'publish'; readonly offset: number };

/** The work on the log and its snapshots: one piece after the other, each taking its time. */
export class LogLane {
  readonly #owner: LaneOwner;
  readonly #random: Random;
  readonly #later: Later;
  readonly #queue: LogWork[] = [];
  #isWorking = false;

  constructor(owner: LaneOwner, random: Random, later: Later) {
    this.#owner = owner;
    this.#random = random;
    this.#later = later;
  }

  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  get hasInstall(): boolean {
    return this.#queue.some(({ kind }) => kind === 'install');
  }

  push(work: LogWork): void {
    this.#queue.push(work);
    if (!this.#isWorking) this.#begin();
  }

  /** Whether what was being written is there is left to chance. */
  die(): void {
    const [work] = this.#queue;
    if (work === undefined || this.#random.chance(0.5)) return;
    if (work.kind === 'append' || work.kind === 'truncate') this.#owner.disk.apply(work);
    else if (work.kind === 'flush') this.#owner.disk.sync();
    else if (work.kind === 'install') this.#owner.disk.install(work.snapshot);
  }

  #begin(): void {
    const [work] = this.#queue;
    if (work === undefined) return;
    const { speed } = this.#owner.node;
    const random = this.#random;
    const takesMs =
      work.kind === 'publish'
        ? 0
        : work.kind === 'append' || work.kind === 'truncate'
          ? speed.writeMs(random)
          : Math.min(speed.flushMs(random) * speed.logSlowness, MAX_FLUSH_MS);
    this.#isWorking = true;
    this.#later(takesMs, () => this.#end());
  }

  #end(): void {
    // What takes no time, or is done in one go with what is before it, goes along.
    do {
      const work = this.#queue.shift();
      if (work === undefined) break;
      this.#do(work);
    } while (
      this.#queue[0]?.kind === 'publish' ||
      (this.#queue[0]?.kind === 'append' && this.#random.chance(0.7))
    );
    this.#isWorking = false;
    this.#begin();
  }

  #do(work: LogWork): void {
    const { disk, node } = this.#owner;
    switch (work.kind) {
      case 'append':
        if (node.speed.failChance > 0 && this.#random.chance(node.speed.failChance)) {
          this.#owner.writeFailed();
        } else disk.apply(work);
        return;
      case 'truncate':
        disk.apply(work);
        return;
      case 'install':
        disk.install(work.snapshot);
        return this.#owner.load(work.snapshot);
      case 'flush':
        disk.sync();
        return this.#owner.on((machine, nowMs) => machine.flushed(work.ticket, nowMs));
      case 'freeze':
        return work.done(!this.#random.chance(0.1 + node.speed.failChance));
      case 'publish':
        return this.#owner.publish(work.offset);
    }
  }
}

/** The writes of `quorum-state`: one at a time, each whole and durable; those that wait may give way to the last of them. */
export class ElectionLane {
  readonly #owner: LaneOwner;
  readonly #random: Random;
  readonly #later: Later;
  #waiting: { readonly ticket: number; readonly state: ElectionState }[] = [];

  constructor(owner: LaneOwner, random: Random, later: Later) {
    this.#owner = owner;
    this.#random = random;
    this.#later = later;
  }

  push(ticket: number, state: ElectionState): void {
    this.#waiting.push({ ticket, state });
    if (this.#waiting.length === 1) this.#begin();
  }

  die(): void {
    const [write] = this.#waiting;
    if (write !== undefined && this.#random.chance(0.5)) this.#owner.disk.election = write.state;
  }

  #begin(): void {
    const random = this.#random;
    this.#later(this.#owner.node.speed.flushMs(random), () => this.#end());
  }

  #end(): void {
    const write = this.#waiting.shift();
    if (write === undefined) return;
    this.#owner.disk.election = write.state;
    const last = this.#waiting.at(-1);
    if (last !== undefined && this.#random.chance(0.5)) this.#waiting = [last];
    if (this.#waiting.length > 0) this.#begin();
    this.#owner.on((machine, nowMs) => machine.electionPersisted(write.ticket, nowMs));
  }
}
