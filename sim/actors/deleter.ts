import { ErrorCode, errorName } from '../../src/base/errors.ts';
import { DELETE_RECORDS, LIST_OFFSETS } from '../../src/client/apis.ts';
import type { World } from '../world.ts';
import { Peer, type PeerPorts } from './peer.ts';
import type { TopicFacts } from './topic-facts.ts';

const LATEST = -1;

/** Where a deleter deletes. */
export interface DeleterPlan {
  readonly topic: string;
  readonly partition: number;
  /** Mean pause between two deletions, ms. */
  readonly everyMs: number;
}

/** Deletes records at the start of one partition, now and then: up to some offset below its high watermark, mostly a little, at times all, and at times beyond. */
export class DeleterActor {
  readonly #plan: DeleterPlan;
  readonly #world: World;
  readonly #peer: Peer;
  readonly #topic: TopicFacts;
  #start = 0;

  constructor(plan: DeleterPlan, world: World, ports: PeerPorts, topic: TopicFacts) {
    this.#plan = plan;
    this.#world = world;
    this.#topic = topic;
    this.#peer = new Peer('deleter', ports, () => undefined);
  }

  /** Begins. */
  start(): void {
    this.#peer.start();
    this.#again();
  }

  /** Ends it as it is. */
  stop(): void {
    this.#peer.stop();
  }

  /** Name of the host it runs on. */
  get host(): string {
    return this.#peer.ports.host;
  }

  /** Loses the connection. */
  dropConnection(): void {
    this.#peer.drop();
  }

  #again(): void {
    this.#peer.later(this.#plan.everyMs, () => this.#look());
  }

  #look(): void {
    const { topic, partition } = this.#plan;
    const request = {
      replicaId: -1,
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: LATEST }] }],
    };
    const sent = this.#peer.send(
      LIST_OFFSETS,
      () => request,
      {},
      (response) => {
        const found = response?.topics[0]?.partitions[0];
        if (found?.errorCode !== ErrorCode.NONE) return this.#again();
        return this.#delete(this.#choose(found.offset), found.offset);
      },
    );
    if (!sent) this.#again();
  }

  #choose(end: number): number {
    const { random } = this.#peer.ports;
    const start = Math.min(this.#start, end);
    const way = random.below(10);
    if (way === 0) return end;
    if (way === 1) return end + random.between(1, 50);
    return random.between(start, way < 6 ? Math.min(end, start + 10) : end);
  }

  #delete(offset: number, end: number): void {
    const partition = `${this.#topic.label}-${this.#plan.partition}`;
    this.#world.emit({ kind: 'asked-to-delete', partition, offset });
    const request = {
      timeoutMs: 1_000,
      topics: [{ name: this.#plan.topic, partitions: [{ partitionIndex: this.#plan.partition, offset }] }],
    };
    const sent = this.#peer.send(
      DELETE_RECORDS,
      () => request,
      {},
      (response) => {
        const found = response?.topics[0]?.partitions[0];
        if (found?.errorCode === ErrorCode.NONE) {
          this.#start = found.lowWatermark;
          const atMs = this.#peer.ports.clock.monotonicMs();
          this.#world.emit({ kind: 'deleted', partition, lowWatermark: found.lowWatermark, atMs });
        } else {
          const what = found === undefined ? 'connection lost' : errorName(found.errorCode);
          this.#world.note(`deleter: ${partition} below ${offset} of ${end}: ${what}`);
        }
        this.#again();
      },
    );
    if (!sent) this.#again();
  }
}
