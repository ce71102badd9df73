import { DeleterActor } from './actors/deleter.ts';
import type { PeerPorts } from './actors/peer.ts';
import { ProducerActor } from './actors/producer.ts';
import { ReaderActor } from './actors/reader.ts';
import type { TopicFacts } from './actors/topic-facts.ts';
import type { Scenario, TopicPlan } from './scenario.ts';
import type { World } from './world.ts';

/** More than a scenario has producers: numbers of those of later incarnations go on above it. */
export const PRODUCERS_BETWEEN_INCARNATIONS = 1_000;

/**
 * One topic of a run with those who use it. It may be deleted and made anew under its name, with new producers and readers.
 *
 *     making ──the broker names its id──▶ there ──deletion asked for──▶ going ──the broker says it is gone──▶ making …
 */
export class TopicRun {
  readonly plan: TopicPlan;
  state: 'making' | 'there' | 'going' = 'making';
  producers: ProducerActor[] = [];
  readers: ReaderActor[] = [];
  deleters: DeleterActor[] = [];
  readonly #world: World;
  readonly #scenario: Scenario;
  readonly #portsFor: (host: string) => PeerPorts;
  #incarnation = 0;
  #draining = false;

  constructor(plan: TopicPlan, world: World, scenario: Scenario, portsFor: (host: string) => PeerPorts) {
    this.plan = plan;
    this.#world = world;
    this.#scenario = scenario;
    this.#portsFor = portsFor;
  }

  /** Its name in events. */
  get label(): string {
    return this.#incarnation === 0 ? this.plan.name : `${this.plan.name}#${this.#incarnation}`;
  }

  /** True once all its producers have finished. */
  get drained(): boolean {
    return this.state === 'there' && this.producers.every(({ drained }) => drained);
  }

  /** It exists: its producers and readers begin. */
  made(topicId: string): void {
    this.state = 'there';
    const { name, durable } = this.plan;
    const facts = { durable, topicId, label: this.label };
    const before = this.#incarnation * PRODUCERS_BETWEEN_INCARNATIONS;
    for (const plan of this.#scenario.producers.filter((producer) => producer.topic === name)) {
      const id = before + plan.id;
      const ports = this.#portsFor(`producer-${id}`);
      this.producers.push(new ProducerActor({ ...plan, id }, this.#world, ports, facts));
    }
    for (const plan of this.#scenario.readers.filter((reader) => reader.topic === name)) {
      const ports = this.#portsFor(`reader-${before + plan.id}`);
      this.readers.push(new ReaderActor(plan, this.#world, ports, facts));
    }
    if (this.#draining) this.drain();
    else this.#makeDeleters(facts);
    for (const actor of this.#actors) actor.start();
  }

  #makeDeleters(facts: TopicFacts): void {
    const { name, partitions, deleteRecordsEveryMs } = this.plan;
    if (deleteRecordsEveryMs === 0) return;
    for (let partition = 0; partition < partitions; partition++) {
      const ports = this.#portsFor(`deleter-${facts.label}-${partition}`);
      const plan = { topic: name, partition, everyMs: deleteRecordsEveryMs };
      this.deleters.push(new DeleterActor(plan, this.#world, ports, facts));
    }
  }

  get #actors(): readonly { start(): void; stop(): void }[] {
    return [...this.producers, ...this.readers, ...this.deleters];
  }

  /** It is gone; the next `made` is of another topic with the same name. */
  gone(): void {
    this.leave();
    this.state = 'making';
    this.#incarnation++;
    this.#world.note(`${this.plan.name} is gone`);
  }

  /** Nothing new is written, and nothing is deleted, now and in later incarnations. */
  drain(): void {
    this.#draining = true;
    for (const producer of this.producers) producer.drain();
    for (const deleter of this.deleters) deleter.stop();
    this.deleters = [];
  }

  /** Producers and readers end as they are. */
  leave(): void {
    for (const actor of this.#actors) actor.stop();
    this.producers = [];
    this.readers = [];
    this.deleters = [];
  }
}
