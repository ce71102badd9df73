import { ErrorCode } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { BrokerConfig } from '../../config/broker-config.ts';
import type { GroupConfig } from '../../coordinator/group/group-config.ts';
import { GROUP_RECORD_TYPES } from '../../coordinator/group/group-records.ts';
import { GroupShard } from '../../coordinator/group/group-shard.ts';
import type { CoordinatorResult } from '../../coordinator/runtime/coordinator-result.ts';
import { partitionFor } from '../../coordinator/runtime/partition-for.ts';
import type { OperationCallback } from '../../coordinator/runtime/shard.ts';
import type { CompressionCodec, Compute } from '../../io/compute.ts';
import type { MetadataDelta } from '../../metadata/metadata-delta.ts';
import type { MetadataPublisher } from '../../metadata/metadata-publisher.ts';
import { GROUP_METADATA_TOPIC } from '../internal-topics.ts';
import type { Services } from '../services.ts';
import { CoordinatorHost } from './coordinator-host.ts';

const MINUTE_MS = 60_000;

/** Finds the shard of a group, and runs operations on it. */
export class GroupCoordinator implements MetadataPublisher {
  readonly #host: CoordinatorHost<GroupShard>;

  constructor(services: Services, compute: Compute, random: Random, config: BrokerConfig) {
    const groupConfig = groupConfigOf(config);
    this.#host = new CoordinatorHost<GroupShard>({
      ...services,
      topic: GROUP_METADATA_TOPIC,
      types: GROUP_RECORD_TYPES,
      create: (context) => new GroupShard(context, groupConfig),
      lingerMs: config.get('group.coordinator.append.linger.ms'),
      writeTimeoutMs: config.get('offsets.commit.timeout.ms'),
      loadBufferBytes: config.get('offsets.load.buffer.size'),
      compression: config.get('offsets.topic.compression.codec') as CompressionCodec,
      compute,
      random,
    });
  }

  /** The partition of `__consumer_offsets` that a group belongs to; -1 while the topic is not there. */
  partitionFor(groupId: string): number {
    const { partitionCount } = this.#host;
    return partitionCount === 0 ? -1 : partitionFor(groupId, partitionCount);
  }

  /** Runs an operation on the shard of a group. */
  write<R>(
    groupId: string,
    operation: (shard: GroupShard) => CoordinatorResult<R>,
    done: OperationCallback<R>,
  ): void {
    this.#host.write(this.partitionFor(groupId), operation, done);
  }

  /** Looks at what is committed of a group. */
  read<R>(groupId: string, look: (shard: GroupShard) => R, done: OperationCallback<R>): void {
    this.#host.read(this.partitionFor(groupId), look, done);
  }

  /** Runs an operation on a shard by its partition. */
  writeTo<R>(
    partition: number,
    operation: (shard: GroupShard) => CoordinatorResult<R>,
    done: OperationCallback<R>,
  ): void {
    this.#host.write(partition, operation, done);
  }

  /** Looks at what is committed on each shard that this broker leads; `done` gets what was found, and the first error that is not `NOT_COORDINATOR`. */
  readAll<R>(look: (shard: GroupShard) => R): { readonly errorCode: ErrorCode; readonly found: R[] } {
    let failed: ErrorCode = ErrorCode.NONE;
    const found: R[] = [];
    for (const partition of this.#host.led()) {
      this.#host.read(partition, look, (errorCode, result) => {
        if (result !== null) found.push(result);
        else if (failed === ErrorCode.NONE && errorCode !== ErrorCode.NOT_COORDINATOR) failed = errorCode;
      });
    }
    return { errorCode: failed, found };
  }

  /** See `MetadataPublisher`: offsets of deleted topics go with them. */
  onMetadata(delta: MetadataDelta): void {
    const deleted = [...(delta.topics?.deletedTopics.values() ?? [])].map(({ name }) => name);
    if (deleted.length === 0) return;
    for (const partition of this.#host.led()) {
      this.#host.write(
        partition,
        (shard) => shard.topicsDeleted(deleted),
        () => {},
      );
    }
  }

  /** What metrics tell. */
  counts(): { readonly groups: number; readonly offsets: number; readonly shards: number } {
    let groups = 0;
    let offsets = 0;
    let shards = 0;
    for (const { state } of this.#host.active()) {
      groups += state.groups.size;
      offsets += state.offsets.size;
      shards++;
    }
    return { groups, offsets, shards };
  }

  /** Ends it: parked requests are answered. */
  close(): void {
    this.#host.close();
  }

  /** Asserts what must hold between two events. */
  checkInvariants(): void {
    this.#host.checkInvariants();
  }
}

function groupConfigOf(config: BrokerConfig): GroupConfig {
  return {
    offsetMetadataMaxLength: config.get('offset.metadata.max.bytes'),
    offsetsRetentionMs: config.get('offsets.retention.minutes') * MINUTE_MS,
    offsetsRetentionCheckIntervalMs: config.get('offsets.retention.check.interval.ms'),
    minSessionTimeoutMs: config.get('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: config.get('group.max.session.timeout.ms'),
    maxGroupSize: config.get('group.max.size'),
    initialRebalanceDelayMs: config.get('group.initial.rebalance.delay.ms'),
  };
}
