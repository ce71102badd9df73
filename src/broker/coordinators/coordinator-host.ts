import { ErrorCode } from '../../base/errors.ts';
import type { Coordinator } from '../../coordinator/runtime/coordinator.ts';
import type { CoordinatorResult } from '../../coordinator/runtime/coordinator-result.ts';
import type { OperationCallback } from '../../coordinator/runtime/shard.ts';
import type { MetadataView } from '../metadata-view.ts';
import type { Partitions } from '../partitions.ts';
import { HostedShard, type ShardHostOptions } from './hosted-shard.ts';

/** What a host follows, besides what its shards are driven with. */
export interface CoordinatorHostOptions<C extends Coordinator> extends ShardHostOptions<C> {
  /** The internal topic. */
  readonly topic: string;
  readonly view: MetadataView;
  readonly partitions: Partitions;
}

/**
 * The shards of one internal topic that this broker leads. It follows the metadata: a partition that this broker begins to lead is loaded, one that it no longer leads is unloaded; a
 * shard lives for one leader epoch.
 */
export class CoordinatorHost<C extends Coordinator> {
  readonly #options: CoordinatorHostOptions<C>;
  readonly #shards = new Map<number, HostedShard<C>>();
  /** Shards that are still to be loaded: one after the other, so that a turn holds the steps of one. */
  #toLoad: HostedShard<C>[] = [];
  #loading = false;
  #closed = false;

  constructor(options: CoordinatorHostOptions<C>) {
    this.#options = options;
    options.view.wait(() => {
      if (!this.#closed) this.#follow();
      return this.#closed;
    });
  }

  /** Partitions that the topic has; 0 while it is not there. */
  get partitionCount(): number {
    return this.#options.view.image.topics.byName(this.#options.topic)?.partitionCount ?? 0;
  }

  /** Coordinators that serve. */
  *active(): IterableIterator<C> {
    for (const { shard } of this.#shards.values()) {
      if (shard.state === 'active') yield shard.coordinator;
    }
  }

  /** Partitions that this broker leads, in order. */
  led(): number[] {
    return [...this.#shards.keys()].sort((a, b) => a - b);
  }

  /** Runs an operation; see `Shard.write`. `NOT_COORDINATOR` where this broker does not lead the partition. */
  write<R>(
    partition: number,
    operation: (coordinator: C) => CoordinatorResult<R>,
    done: OperationCallback<R>,
  ): void {
    const hosted = this.#shards.get(partition);
    if (hosted === undefined) return done(ErrorCode.NOT_COORDINATOR, null);
    return hosted.shard.write(operation, hosted.now(), done);
  }

  /** Looks at what is committed; see `Shard.read`. */
  read<R>(partition: number, look: (coordinator: C) => R, done: OperationCallback<R>): void {
    const hosted = this.#shards.get(partition);
    if (hosted === undefined) return done(ErrorCode.NOT_COORDINATOR, null);
    return hosted.shard.read(look, hosted.now(), done);
  }

  /** Unloads everything, for good. */
  close(): void {
    this.#closed = true;
    for (const hosted of this.#shards.values()) hosted.close();
    this.#shards.clear();
  }

  /** Asserts what must hold between two events. */
  checkInvariants(): void {
    for (const { shard } of this.#shards.values()) shard.checkInvariants();
  }

  #follow(): void {
    const { partitions, topic } = this.#options;
    const count = this.partitionCount;
    for (const [index, hosted] of this.#shards) {
      if (index < count && hosted.isCurrent && partitions.find(topic, index) === hosted.partition) continue;
      hosted.close();
      this.#shards.delete(index);
    }
    for (let index = 0; index < count; index++) {
      if (!this.#shards.has(index)) this.#load(index);
    }
  }

  #load(index: number): void {
    const partition = this.#options.partitions.find(this.#options.topic, index);
    if (partition === null || !partition.isLeader || partition.log === null) return;
    const hosted: HostedShard<C> = new HostedShard(this.#options, partition, () => {
      hosted.close();
      if (this.#closed || this.#shards.get(index) !== hosted) return;
      this.#options.logger.warn(
        'Somebody else writes to a partition of a coordinator, which is loaded anew',
        {
          topic: this.#options.topic,
          partition: index,
        },
      );
      this.#load(index);
    });
    this.#shards.set(index, hosted);
    this.#toLoad.push(hosted);
    this.#loadNext();
  }

  #loadNext(): void {
    while (!this.#loading) {
      const hosted = this.#toLoad.shift();
      if (hosted === undefined) return;
      if (hosted.shard.state === 'closed') continue;
      this.#loading = true;
      hosted.load(() => {
        this.#loading = false;
        this.#options.clock.defer(() => this.#loadNext());
      });
    }
  }
}
