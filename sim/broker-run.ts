import type { Random } from '../src/base/random.ts';
import { AdminActor } from './actors/admin.ts';
import type { PeerPorts } from './actors/peer.ts';
import { ProducerActor } from './actors/producer.ts';
import { ReaderActor } from './actors/reader.ts';
import type { FoundRecord } from './actors/batches.ts';
import { AuditActor } from './actors/audit.ts';
import { BROKER_ADDRESS, SimulatedNode, type StopKind } from './node.ts';
import type { Scenario, TopicPlan } from './scenario.ts';
import { VirtualCompute } from './virtual/compute.ts';
import { VirtualInternet } from './virtual/network.ts';
import type { World } from './world.ts';

const DOWN_MS = 60;
const DISK_TROUBLE_MS = 40;
/** Virtual time after which a healed broker must have served everybody. */
const HEAL_LIMIT_MS = 600_000;

/** A run of the whole broker: trouble for some events, then everything heals, the producers finish and every partition is read from its start. */
export class BrokerRun {
  readonly #world: World;
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #internet: VirtualInternet;
  readonly #node: SimulatedNode;
  readonly #admin: AdminActor;
  readonly #producers: ProducerActor[] = [];
  readonly #readers: ReaderActor[] = [];
  /** True while what a loss of power left is looked at: nobody but the admin may talk to the broker. */
  #surveying = false;
  #healing = false;
  #topicsLeft: number;

  constructor(world: World, scenario: Scenario) {
    this.#world = world;
    this.#scenario = scenario;
    this.#random = world.random.fork();
    this.#internet = new VirtualInternet({ clock: world.clock, random: world.random.fork() });
    this.#node = new SimulatedNode(world, this.#internet, scenario.faults, world.random.fork());
    this.#topicsLeft = scenario.topics.length;
    this.#admin = new AdminActor(
      world,
      this.#portsFor('admin', () => false),
    );
  }

  /** Runs until `events` have happened and everything has healed. What is broken is in `world.failure`. */
  async run(events: number): Promise<void> {
    const { clock } = this.#world;
    this.#startNode(null);
    for (const topic of this.#scenario.topics)
      this.#admin.createTopic(topic, (id) => this.#populate(topic, id));
    this.#planFaults();
    await clock.driveUntilTrue(() => this.#failed || clock.eventsRun >= events, HEAL_LIMIT_MS);
    if (this.#failed) return;
    await this.#heal();
    if (!this.#failed) await this.#audit();
  }

  get #failed(): boolean {
    return this.#world.failure !== null;
  }

  #portsFor(host: string, paused: () => boolean): PeerPorts {
    const clock = this.#world.clock.forHost();
    return {
      clock,
      network: this.#internet.find(host) ?? this.#internet.host(host),
      compute: new VirtualCompute(clock),
      random: this.#world.random.fork(),
      address: BROKER_ADDRESS,
      paused,
    };
  }

  #populate(topic: TopicPlan, topicId: string): void {
    const paused = (): boolean => this.#surveying;
    this.#topicsLeft--;
    const facts = { durable: topic.durable, topicId };
    for (const plan of this.#scenario.producers.filter((producer) => producer.topic === topic.name)) {
      const producer = new ProducerActor(
        plan,
        this.#world,
        this.#portsFor(`producer-${plan.id}`, paused),
        facts,
      );
      this.#producers.push(producer);
      if (this.#healing) producer.drain();
      producer.start();
    }
    for (const plan of this.#scenario.readers.filter((reader) => reader.topic === topic.name)) {
      const reader = new ReaderActor(plan, this.#world, this.#portsFor(`reader-${plan.id}`, paused), facts);
      this.#readers.push(reader);
      reader.start();
    }
  }

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
    this.#every(faults.stopEveryMs, () => this.#stopNode());
    this.#every(faults.diskTroubleEveryMs, () => this.#troubleDisk());
    this.#every(faults.dropConnectionEveryMs, () =>
      this.#random.pick([...this.#producers, ...this.#readers, null])?.dropConnection(),
    );
  }

  #stopNode(): void {
    const { faults } = this.#scenario;
    const dice = this.#random.below(1000) / 1000;
    const kind: StopKind =
      dice < faults.powerShare ? 'power' : dice < faults.powerShare + faults.killShare ? 'kill' : 'clean';
    if (this.#node.state === 'up' && kind === 'clean') return this.#node.stop(() => this.#restartLater(null));
    // A crash may also hit a broker that is starting or stopping.
    if (this.#node.state === 'down') return;
    this.#node.crash(kind === 'power' ? 'power' : 'kill');
    this.#restartLater(kind);
  }

  #restartLater(after: StopKind | null): void {
    if (after === 'power') this.#surveying = true;
    const { clock } = this.#world;
    clock.schedule(clock.monotonicMs() + this.#random.below(DOWN_MS), () => this.#startNode(after));
  }

  #startNode(after: StopKind | null): void {
    if (this.#node.state !== 'down') return;
    this.#node.start((error) => {
      if (error !== null) return this.#restartLater(after);
      if (this.#surveying) this.#survey();
    });
  }

  /** Finds where each partition ends now, tells the checkers and lets the actors go on. */
  #survey(): void {
    const left = this.#scenario.topics.flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ name, partition })),
    );
    const next = (): void => {
      const at = left.pop();
      if (at === undefined) {
        this.#surveying = false;
        return;
      }
      const partition = `${at.name}-${at.partition}`;
      if (this.#topicsLeft > 0 && !this.#producers.some(({ plan }) => plan.topic === at.name)) return next();
      this.#admin.endOffset(at.name, at.partition, (end) => {
        this.#world.emit({ kind: 'cut', partition, end, cause: 'power' });
        for (const reader of this.#readers)
          if (reader.plan.topic === at.name && reader.plan.partition === at.partition) reader.rewind(end);
        next();
      });
    };
    next();
  }

  #troubleDisk(): void {
    const { disk } = this.#node;
    const { clock } = this.#world;
    const random = this.#random;
    const trouble = random.pick(['append', 'full', 'short'] as const);
    this.#world.note(`disk trouble: ${trouble}`);
    if (trouble === 'full') {
      const capacity = disk.capacityBytes;
      disk.capacityBytes = 0;
      clock.schedule(clock.monotonicMs() + random.below(DISK_TROUBLE_MS), () => {
        disk.capacityBytes = capacity;
      });
      return;
    }
    const lift = disk.faults.add({
      operation: 'append',
      pathPrefix: '/data/topic-',
      code: trouble === 'append' ? 'ENOSPC' : 'EDQUOT',
      probability: trouble === 'append' ? 1 : 0.3,
    });
    clock.schedule(clock.monotonicMs() + random.below(DISK_TROUBLE_MS), lift);
  }

  async #heal(): Promise<void> {
    const { clock } = this.#world;
    this.#healing = true;
    this.#world.note('heal');
    this.#node.disk.faults.clear();
    this.#node.disk.capacityBytes = Number.MAX_SAFE_INTEGER;
    for (const producer of this.#producers) producer.drain();
    if (this.#node.state === 'down') this.#startNode(this.#surveying ? 'power' : null);
    const healed = (): boolean =>
      this.#node.state === 'up' &&
      !this.#surveying &&
      this.#topicsLeft === 0 &&
      this.#producers.every(({ drained }) => drained);
    const done = await clock.driveUntilTrue(() => this.#failed || healed(), HEAL_LIMIT_MS);
    if (!done)
      this.#world.failure = new Error(
        'a healed broker did not serve everybody: producers or topics are stuck',
      );
    for (const producer of this.#producers) producer.stop();
    for (const reader of this.#readers) reader.stop();
  }

  async #audit(): Promise<void> {
    const { clock } = this.#world;
    for (const { name, partitions } of this.#scenario.topics) {
      for (let partition = 0; partition < partitions; partition++) {
        let found: readonly FoundRecord[] | null = null;
        const auditor = new AuditActor(
          this.#world,
          this.#portsFor('auditor', () => false),
          { topic: name, partition },
          (records) => {
            found = records;
          },
        );
        const done = await clock.driveUntilTrue(() => this.#failed || found !== null, HEAL_LIMIT_MS);
        auditor.stop();
        if (this.#failed) return;
        if (!done || found === null) {
          this.#world.failure = new Error(`${name}-${partition} could not be read to its end`);
          return;
        }
        this.#world.emit({ kind: 'audit', partition: `${name}-${partition}`, records: found });
      }
    }
  }
}
