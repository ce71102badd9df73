import type { Random } from '../src/base/random.ts';
import { AdminActor } from './actors/admin.ts';
import { AuditActor } from './actors/audit.ts';
import type { FoundRecord } from './actors/batches.ts';
import type { PeerPorts } from './actors/peer.ts';
import { Violation } from './checkers/checker.ts';
import { type CrashKind, MachineDown } from './machine-disk.ts';
import { BROKER_ADDRESS, SimulatedNode, type StopKind } from './node.ts';
import type { Scenario } from './scenario.ts';
import { TopicRun } from './topic-run.ts';
import { liftTroubles, troubleDisk, troubleNetwork } from './trouble.ts';
import { VirtualCompute } from './virtual/compute.ts';
import { VirtualInternet } from './virtual/network.ts';
import type { World } from './world.ts';

const DOWN_MS = 60;
/** How long a broker that lost a part of its disk goes on before somebody starts it anew. */
const LIMP_MS = 300;
/** Of the crashes at a disk operation, the operation is one of so many next ones. */
const OPERATIONS_AHEAD = 40;
/** How likely a machine on which nothing runs loses its power. */
const DARK_WHILE_DOWN = 0.3;
/** Of the runs: the share in which nothing happens before all topics are there. */
const CALM_BEGINNING = 0.75;
/** Of the stops that meet a broker that is not up: the share that lets it be. */
const SPARED = 0.7;
/** Virtual time after which a healed broker must have served everybody. */
const HEAL_LIMIT_MS = 120_000;

/** Where a machine goes down. */
export interface CrashPoint {
  /** The n-th operation that changes its disk, from 1. */
  readonly operation: number;
  readonly kind: CrashKind;
}

/** A run of the whole broker: trouble for some events, then everything heals, the producers finish and every partition is read from its start. */
export class BrokerRun {
  readonly #world: World;
  readonly #scenario: Scenario;
  readonly #crashAt: CrashPoint | null | undefined;
  readonly #random: Random;
  readonly #internet: VirtualInternet;
  readonly #node: SimulatedNode;
  readonly #admin: AdminActor;
  readonly #topics: TopicRun[];
  /** True while what a loss of power left is looked at: nobody but the admin may talk to the broker. */
  #surveying = false;
  #healing = false;
  /** Counts the losses of power that need a survey. */
  #survey = 0;

  /** @param crashAt see `SimulationOptions.crashAt` */
  constructor(world: World, scenario: Scenario, crashAt?: CrashPoint | null) {
    this.#world = world;
    this.#crashAt = crashAt;
    this.#scenario = scenario;
    this.#random = world.random.fork();
    const { faults } = scenario;
    const { clock } = world;
    this.#internet = new VirtualInternet({
      clock,
      random: world.random.fork(),
      windowBytes: faults.windowBytes,
    });
    this.#node = new SimulatedNode(world, this.#internet, scenario, world.random.fork());
    this.#topics = scenario.topics.map(
      (plan) => new TopicRun(plan, world, scenario, (host) => this.#portsFor(host, () => this.#surveying)),
    );
    this.#admin = new AdminActor(
      world,
      this.#portsFor('admin', () => false),
    );
  }

  /** Runs until `events` have happened and everything has healed. What is broken is in `world.failure`. */
  async run(events: number): Promise<void> {
    const { clock } = this.#world;
    const crashAt = this.#crashAt;
    if (crashAt) this.#node.disk.faults.arm(crashAt.operation, crashAt.kind);
    this.#startNode();
    for (const topic of this.#topics) this.#make(topic);
    // In most runs trouble begins when there is something to lose.
    if (crashAt === undefined && this.#random.chance(CALM_BEGINNING))
      await this.#drive(() => this.#topics.every(({ state }) => state === 'there'));
    this.#planFaults();
    const end = clock.eventsRun + events;
    await this.#drive(() => clock.eventsRun >= end);
    if (!this.#failed) await this.#heal();
    if (!this.#failed) await this.#audit();
  }

  /** Operations that changed the disk, by what they did and to which kind of file, and in order. */
  get operations(): readonly string[] {
    return this.#node.disk.faults.operations;
  }

  get #failed(): boolean {
    return this.#world.failure !== null;
  }

  #portsFor(host: string, paused: () => boolean): PeerPorts {
    const clock = this.#world.clock.forHost();
    return {
      host,
      clock,
      network: this.#internet.find(host) ?? this.#internet.host(host),
      compute: new VirtualCompute(clock),
      random: this.#world.random.fork(),
      address: BROKER_ADDRESS,
      paused,
    };
  }

  /** Runs events until `condition` holds or the run has failed; between two, a machine that fell is down, and the broker is asked for its invariants. */
  async #drive(condition: () => boolean): Promise<boolean> {
    const { clock } = this.#world;
    const endMs = clock.monotonicMs() + HEAL_LIMIT_MS;
    const look = (): boolean => {
      this.#lookAfter();
      return this.#failed || condition();
    };
    for (;;) {
      try {
        return await clock.driveUntilTrue(look, endMs - clock.monotonicMs());
      } catch (error) {
        if (!(error instanceof MachineDown)) throw error;
      }
    }
  }

  #lookAfter(): void {
    const kind = this.#node.fell;
    if (kind !== null) this.#crash(kind);
    else this.#world.inside(() => this.#node.broker?.checkInvariants());
  }

  // Topics.

  #make(topic: TopicRun): void {
    this.#admin.createTopic(topic.plan, (topicId) => topic.made(topicId));
  }

  #remakeTopic(): void {
    const topic = this.#random.pick(this.#topics);
    if (topic.state !== 'there' || this.#surveying) return;
    topic.state = 'going';
    this.#world.note(`${topic.plan.name} is to go`);
    this.#admin.deleteTopic(topic.plan.name, () => {
      topic.gone();
      const { clock } = this.#world;
      const atMs = clock.monotonicMs() + this.#random.below(this.#random.pick([1, 20, 300]));
      clock.schedule(atMs, () => this.#make(topic));
    });
  }

  // Trouble.

  #every(meanMs: number, step: () => void): void {
    if (meanMs === 0) return;
    const { clock } = this.#world;
    clock.schedule(clock.monotonicMs() + 1 + this.#random.below(2 * meanMs), () => {
      if (this.#healing) return;
      step();
      this.#every(meanMs, step);
    });
  }

  #planFaults(): void {
    const { faults } = this.#scenario;
    const random = this.#random;
    this.#every(faults.stopEveryMs, () => this.#stopNode());
    this.#every(faults.remakeTopicEveryMs, () => this.#remakeTopic());
    this.#every(faults.diskTroubleEveryMs, () => {
      if (troubleDisk(this.#world, this.#node, faults.diskTroubles, random)) this.#restartSoon();
    });
    this.#every(faults.dropConnectionEveryMs, () => random.pick([...this.#actors(), null])?.dropConnection());
    this.#every(faults.networkTroubleEveryMs, () => {
      const hosts = this.#actors().map(({ host }) => host);
      troubleNetwork(this.#world, this.#internet, hosts, random);
    });
  }

  #actors(): { readonly host: string; dropConnection(): void }[] {
    return this.#topics.flatMap(({ producers, readers, deleters }) => [
      ...producers,
      ...readers,
      ...deleters,
    ]);
  }

  #stopNode(): void {
    const { faults } = this.#scenario;
    const random = this.#random;
    if (this.#node.state !== 'up' && random.chance(SPARED)) return undefined;
    const dice = random.below(1000) / 1000;
    const kind: StopKind =
      dice < faults.powerShare ? 'power' : dice < faults.powerShare + faults.killShare ? 'kill' : 'clean';
    if (kind === 'clean') return this.#stopCleanly();
    if (random.chance(faults.atOperationShare)) {
      this.#node.disk.faults.arm(random.between(1, OPERATIONS_AHEAD), kind);
      return undefined;
    }
    // A crash may also hit a broker that is starting or stopping.
    if (this.#node.state !== 'down') this.#crash(kind);
    return undefined;
  }

  #stopCleanly(): void {
    if (this.#node.state !== 'up') return;
    this.#node.stop(() => {
      if (this.#random.chance(DARK_WHILE_DOWN)) this.#crash('power');
      else this.#restartLater();
    });
  }

  /** The broker may be offline in part: somebody notices, and starts it anew in one way or another. */
  #restartSoon(): void {
    const { clock } = this.#world;
    clock.schedule(clock.monotonicMs() + this.#random.below(LIMP_MS), () => {
      if (this.#healing) return;
      if (this.#node.state === 'up' && this.#random.chance(0.5)) this.#stopCleanly();
      else if (this.#node.state !== 'down') this.#crash(this.#random.chance(0.3) ? 'power' : 'kill');
    });
  }

  #crash(kind: CrashKind): void {
    const wasClean = this.#node.state === 'down' && this.#node.leftClean;
    this.#node.crash(kind);
    // What a stop in good order left is on the device: nothing may be missing.
    if (kind === 'power' && !wasClean) {
      this.#surveying = true;
      this.#survey++;
    }
    this.#restartLater();
  }

  #restartLater(): void {
    const { clock } = this.#world;
    clock.schedule(clock.monotonicMs() + this.#random.below(DOWN_MS), () => this.#startNode());
  }

  #startNode(): void {
    const node = this.#node;
    if (node.state !== 'down') return;
    node.spoiled = node.disk.faults.inForce || node.disk.capacityBytes === 0;
    node.start((error) => {
      if (error !== null) this.#restartLater();
      else if (this.#surveying) this.#surveyAll();
    });
  }

  /** Finds where each partition ends now, tells the checkers and lets the actors go on. Begun anew when the power is lost meanwhile. */
  #surveyAll(): void {
    const survey = ++this.#survey;
    // Of a topic that was to go, what is left is nobody's business.
    for (const topic of this.#topics) if (topic.state === 'going') topic.leave();
    const left = this.#topics
      .filter(({ state }) => state === 'there')
      .flatMap((topic) =>
        Array.from({ length: topic.plan.partitions }, (_, partition) => ({ topic, partition })),
      );
    const next = (): void => {
      const at = left.pop();
      if (at === undefined) {
        this.#surveying = false;
        return;
      }
      const { topic, partition } = at;
      this.#admin.endOffset(topic.plan.name, partition, (end) => {
        if (survey !== this.#survey) return;
        this.#world.emit({ kind: 'cut', partition: `${topic.label}-${partition}`, end, cause: 'power' });
        for (const reader of topic.readers) if (reader.plan.partition === partition) reader.rewind(end);
        next();
      });
    };
    next();
  }

  // The end.

  async #heal(): Promise<void> {
    this.#healing = true;
    this.#world.note('heal');
    liftTroubles(this.#node, this.#internet);
    for (const topic of this.#topics) topic.drain();
    if (this.#node.state === 'down') this.#startNode();
    // What the disk broke stays broken until the next start.
    else if (this.#node.spoiled) this.#crash('kill');
    const done = await this.#drive(
      () => this.#node.state === 'up' && !this.#surveying && this.#topics.every((topic) => topic.drained),
    );
    if (!done)
      this.#world.fail(new Violation('a healed broker serves everybody', 'producers or topics are stuck'));
    for (const topic of this.#topics) topic.leave();
  }

  async #audit(): Promise<void> {
    for (const topic of this.#topics) {
      for (let partition = 0; partition < topic.plan.partitions; partition++) {
        let found: readonly FoundRecord[] | null = null;
        let start = 0;
        const label = `${topic.label}-${partition}`;
        const auditor = new AuditActor(
          this.#world,
          this.#portsFor('auditor', () => false),
          { topic: topic.plan.name, partition, label },
          (records, from) => {
            found = records;
            start = from;
          },
        );
        const done = await this.#drive(() => found !== null);
        auditor.stop();
        if (this.#failed) return;
        if (!done || found === null) {
          this.#world.fail(
            new Violation('a healed broker serves everybody', `${label} could not be read to its end`),
          );
          return;
        }
        this.#world.emit({ kind: 'audit', partition: label, start, records: found });
      }
    }
  }
}
