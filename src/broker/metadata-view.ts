import type { MetadataDelta } from '../metadata/metadata-delta.ts';
import { MetadataImage } from '../metadata/metadata-image.ts';
import type { MetadataPublisher } from '../metadata/metadata-publisher.ts';

/** A broker as clients of one listener reach it. */
export interface ReachableNode {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** Leader and epoch of a partition, for error answers. -1 when unknown. */
export interface LeaderHint {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

/** Called after every change; returns true when it needs no further calls. */
export type MetadataWaiter = () => boolean;

/** The metadata as request handlers see it: the newest published image, and those who wait for a newer one. */
export class MetadataView implements MetadataPublisher {
  #image: MetadataImage = MetadataImage.EMPTY;
  #waiters: MetadataWaiter[] = [];

  /** The newest image. */
  get image(): MetadataImage {
    return this.#image;
  }

  /** See `MetadataPublisher`; registered before what follows metadata by acting on it. */
  onMetadata(_delta: MetadataDelta, image: MetadataImage): void {
    this.#image = image;
  }

  /** Has `waiter` looked at now and whenever `changed` is called, until it returns true. */
  wait(waiter: MetadataWaiter): void {
    if (!waiter()) this.#waiters.push(waiter);
  }

  /** Those who wait look again: an image was published and everything that acts on it has done so, or a partition became active. */
  changed(): void {
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    const still = waiters.filter((waiter) => !waiter());
    this.#waiters = still.concat(this.#waiters);
  }

  /** True if the topic has such a partition. */
  hasPartition(topic: string, partition: number): boolean {
    return this.#image.topics.byName(topic)?.partition(partition) !== undefined;
  }

  /** Who leads a partition. */
  leader(topic: string, partition: number): LeaderHint {
    const registration = this.#image.topics.byName(topic)?.partition(partition);
    if (registration === undefined) return { leaderId: -1, leaderEpoch: -1 };
    return { leaderId: registration.leader, leaderEpoch: registration.leaderEpoch };
  }

  /** A broker's address on a listener, null when it is not registered, fenced, or has no such listener. */
  node(brokerId: number, listener: string): ReachableNode | null {
    const broker = this.#image.cluster.broker(brokerId);
    if (broker === undefined || broker.fenced) return null;
    const endpoint = broker.endpoints.find((candidate) => candidate.name === listener);
    if (endpoint === undefined) return null;
    return { nodeId: brokerId, host: endpoint.host, port: endpoint.port, rack: broker.rack };
  }

  /** All unfenced brokers that have the listener, by id. */
  nodes(listener: string): ReachableNode[] {
    const nodes: ReachableNode[] = [];
    for (const id of [...this.#image.cluster.brokers.keys()].sort((a, b) => a - b)) {
      const node = this.node(id, listener);
      if (node !== null) nodes.push(node);
    }
    return nodes;
  }
}
