import { BrokerError } from '../base/broker-error.ts';
import { ErrorCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { type Uuid, ZERO_UUID } from '../base/uuid.ts';
import type { Clock } from '../io/clock.ts';
import type { LogConfig } from '../log/log-config.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { LogManager } from '../log/log-manager.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { ConfigResourceType, parseConfigResourceKey } from '../metadata/configurations-image.ts';
import { UNASSIGNED_DIRECTORY } from '../metadata/directory-id.ts';
import type { MetadataDelta } from '../metadata/metadata-delta.ts';
import type { MetadataImage } from '../metadata/metadata-image.ts';
import type { MetadataPublisher } from '../metadata/metadata-publisher.ts';
import { directoryOf, type PartitionRegistration } from '../metadata/partition-registration.ts';
import { Partition } from '../replication/partition.ts';
import type { ReplicaPlace } from './directory-assignments.ts';
import type { MetadataView } from './metadata-view.ts';

/** How long one turn may work on assignments before the loop gets its chance. */
const TURN_BUDGET_MS = 4;

/** What a topic's configs mean for its partitions. */
export interface TopicSettings {
  readonly log: LogConfig;
  readonly minInsyncReplicas: number;
}

/** What the partitions are made of. */
export interface PartitionsOptions {
  readonly localId: number;
  readonly logs: LogManager;
  readonly view: MetadataView;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Effective settings of a topic, from its dynamic configs in the image. */
  readonly settingsOf: (topic: string, image: MetadataImage) => TopicSettings;
  /** A replica lies in another directory than the metadata says, or the metadata does not say. */
  readonly onPlaced: (place: ReplicaPlace) => void;
}

interface TopicPartitions {
  readonly name: string;
  readonly id: Uuid;
  readonly partitions: Map<number, Partition>;
}

/** A step that follows from metadata and touches the disk. */
type Work =
  | {
      readonly kind: 'assign';
      readonly topic: TopicPartitions;
      readonly partition: Partition;
      readonly registration: PartitionRegistration;
      /** True if the topic was there before this broker started. */
      readonly atStart: boolean;
    }
  | {
      readonly kind: 'delete';
      readonly topic: string;
      readonly partition: number;
      readonly log: PartitionLog;
    };

/**
 * All replicas of this broker. Follows the metadata: makes logs for partitions that are assigned here, leads or follows as it says, and deletes
 * what is gone. Disk work is done in steps of a few milliseconds, in the order of the metadata.
 */
export class Partitions implements MetadataPublisher {
  readonly #options: PartitionsOptions;
  readonly #byId = new Map<Uuid, TopicPartitions>();
  readonly #byName = new Map<string, TopicPartitions>();
  readonly #work: Work[] = [];
  #workNext = 0;
  #running = false;
  #image: MetadataImage | null = null;

  constructor(options: PartitionsOptions) {
    this.#options = options;
  }

  /** A replica of this broker, or null. */
  find(topic: string, partition: number): Partition | null {
    return this.#byName.get(topic)?.partitions.get(partition) ?? null;
  }

  /** A replica of this broker, or null. */
  findById(topicId: Uuid, partition: number): Partition | null {
    return this.#byId.get(topicId)?.partitions.get(partition) ?? null;
  }

  /** Why `find` gave null: the partition is elsewhere, or it does not exist. */
  whyMissing(topic: string, partition: number): ErrorCode {
    return this.#options.view.hasPartition(topic, partition)
      ? ErrorCode.NOT_LEADER_OR_FOLLOWER
      : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  }

  /** Every replica of this broker. */
  *all(): IterableIterator<Partition> {
    for (const topic of this.#byId.values()) yield* topic.partitions.values();
  }

  /** Number of replicas and of those led. */
  counts(): { readonly partitions: number; readonly leaders: number } {
    let partitions = 0;
    let leaders = 0;
    for (const partition of this.all()) {
      partitions++;
      if (partition.isLeader) leaders++;
    }
    return { partitions, leaders };
  }

  /** True when everything the metadata asks for has been done. */
  get settled(): boolean {
    return this.#workNext >= this.#work.length;
  }

  /** See `MetadataPublisher`. */
  onMetadata(delta: MetadataDelta, image: MetadataImage): void {
    const atStart = this.#image === null;
    this.#image = image;
    if (delta.topics !== null) {
      for (const topicId of delta.topics.deletedTopics.keys()) this.#dropTopic(topicId);
      for (const [topicId, topic] of delta.topics.changedTopics) {
        this.#assignTopic(topic.name, topicId, topic.changedPartitions, atStart);
      }
    }
    if (delta.configs !== null) this.#applyConfigs(delta.configs.changedResources, image);
    this.#run();
  }

  /** A directory failed: everybody who waits for its partitions is told. They stay offline until the broker is started anew. */
  directoryFailed(directory: LogDirectory): void {
    for (const partition of this.all()) {
      if (partition.log?.directory === directory) partition.markOffline();
    }
  }

  /** Logs that no partition of the metadata claims: their topics are gone, or belong elsewhere now. */
  *strays(): IterableIterator<PartitionLog> {
    for (const log of this.#options.logs.all()) {
      if (this.find(log.topic, log.partition)?.log !== log) yield log;
    }
  }

  /** Takes every replica out of service; waiting clients are told. */
  stopAll(): void {
    for (const partition of this.all()) partition.stop();
    this.#byId.clear();
    this.#byName.clear();
    this.#work.length = 0;
    this.#workNext = 0;
  }

  #assignTopic(
    name: string,
    id: Uuid,
    changed: ReadonlyMap<number, PartitionRegistration>,
    atStart: boolean,
  ): void {
    const { localId } = this.#options;
    for (const [index, registration] of changed) {
      const known = this.#byId.get(id)?.partitions.get(index);
      if (!registration.replicas.includes(localId)) {
        if (known !== undefined) this.#drop(this.#byId.get(id) as TopicPartitions, known);
        continue;
      }
      const topic = this.#topic(name, id);
      const partition = known ?? this.#newPartition(topic, index);
      this.#work.push({ kind: 'assign', topic, partition, registration, atStart });
    }
  }

  #topic(name: string, id: Uuid): TopicPartitions {
    let topic = this.#byId.get(id);
    if (topic === undefined) {
      topic = { name, id, partitions: new Map() };
      this.#byId.set(id, topic);
      this.#byName.set(name, topic);
    }
    return topic;
  }

  #newPartition(topic: TopicPartitions, index: number): Partition {
    const image = this.#image as MetadataImage;
    const partition = new Partition({
      topic: topic.name,
      partition: index,
      topicId: topic.id,
      localId: this.#options.localId,
      minInsyncReplicas: this.#options.settingsOf(topic.name, image).minInsyncReplicas,
    });
    topic.partitions.set(index, partition);
    return partition;
  }

  #dropTopic(topicId: Uuid): void {
    const topic = this.#byId.get(topicId);
    if (topic === undefined) return;
    for (const partition of topic.partitions.values()) this.#drop(topic, partition);
  }

  #drop(topic: TopicPartitions, partition: Partition): void {
    const { log } = partition;
    partition.stop();
    topic.partitions.delete(partition.partition);
    if (topic.partitions.size === 0) {
      this.#byId.delete(topic.id);
      if (this.#byName.get(topic.name) === topic) this.#byName.delete(topic.name);
    }
    if (log !== null)
      this.#work.push({ kind: 'delete', topic: topic.name, partition: partition.partition, log });
  }

  #applyConfigs(changedResources: ReadonlySet<string>, image: MetadataImage): void {
    for (const key of changedResources) {
      const resource = parseConfigResourceKey(key);
      if (resource.type === ConfigResourceType.TOPIC) {
        const topic = this.#byName.get(resource.name);
        if (topic !== undefined) this.#applyTopicConfig(topic, image);
      } else if (resource.type === ConfigResourceType.BROKER) {
        for (const topic of this.#byId.values()) this.#applyTopicConfig(topic, image);
      }
    }
  }

  #applyTopicConfig(topic: TopicPartitions, image: MetadataImage): void {
    const settings = this.#options.settingsOf(topic.name, image);
    for (const partition of topic.partitions.values()) {
      partition.log?.updateConfig(settings.log);
      partition.updateMinInsyncReplicas(settings.minInsyncReplicas);
    }
  }

  /** Does work until it is done or the turn has had enough. */
  #run(): void {
    if (this.#running) return;
    const { clock, view } = this.#options;
    const endMs = clock.monotonicMs() + TURN_BUDGET_MS;
    while (this.#workNext < this.#work.length) {
      this.#step(this.#work[this.#workNext++] as Work);
      if (clock.monotonicMs() < endMs) continue;
      this.#running = true;
      clock.defer(() => {
        this.#running = false;
        this.#run();
      });
      view.changed();
      return;
    }
    this.#work.length = 0;
    this.#workNext = 0;
    view.changed();
  }

  #step(work: Work): void {
    if (work.kind === 'delete') {
      this.#deleteLog(work.topic, work.partition, work.log);
      return;
    }
    const { topic, partition, registration, atStart } = work;
    if (partition.stopped) return;
    if (partition.log === null && !this.#openLog(topic, partition, registration, atStart)) return;
    partition.assign({
      leaderId: registration.leader,
      leaderEpoch: registration.leaderEpoch,
      partitionEpoch: registration.partitionEpoch,
      replicas: registration.replicas,
      isr: registration.isr,
    });
    this.#reportPlace(partition, registration);
  }

  #reportPlace({ log, topicId, partition }: Partition, registration: PartitionRegistration): void {
    if (log === null || directoryOf(registration, this.#options.localId) === log.directoryId) return;
    this.#options.onPlaced({ topicId, partition, directoryId: log.directoryId });
  }

  #openLog(
    topic: TopicPartitions,
    partition: Partition,
    registration: PartitionRegistration,
    atStart: boolean,
  ): boolean {
    const { logs, settingsOf, logger } = this.#options;
    const index = partition.partition;
    try {
      let log = logs.get(topic.name, index);
      // A log without an identity that a later topic finds was left by a deleted one of its name.
      if (atStart && log?.topicId === ZERO_UUID) log.adoptTopicId(topic.id);
      if (log !== null && log.topicId !== topic.id) {
        logger.warn('Deleting the log of an earlier topic of the same name', { path: log.path });
        logs.delete(topic.name, index);
        log = null;
      }
      const { log: config } = settingsOf(topic.name, this.#image as MetadataImage);
      if (log === null) log = this.#createLog(topic, index, config, { registration, atStart });
      else log.updateConfig(config);
      partition.attach(log);
      return true;
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      logger.error('A partition has no log and is offline', { topic: topic.name, partition: index, error });
      partition.markOffline();
      return false;
    }
  }

  /**
   * Makes the log of a replica. One that may lie in a directory that is offline is not made anew elsewhere: an empty log would lead in the place of what was acknowledged.
   * @throws BrokerError
   */
  #createLog(
    topic: TopicPartitions,
    index: number,
    config: LogConfig,
    known: { readonly registration: PartitionRegistration; readonly atStart: boolean },
  ): PartitionLog {
    const { logs, localId } = this.#options;
    const assigned = directoryOf(known.registration, localId);
    const home = logs.directories.find(({ directoryId, offline }) => !offline && directoryId === assigned);
    if (home !== undefined)
      return logs.create(topic.name, index, topic.id, { config, directoryId: assigned });
    const isNew = assigned === UNASSIGNED_DIRECTORY && !known.atStart;
    const failed = logs.directories.filter(({ offline }) => offline).map(({ path }) => path);
    if (!isNew && failed.length > 0) {
      throw new BrokerError(
        'LOG_DIRECTORY_OFFLINE',
        `the log may be in a directory that is offline (${failed.join(', ')}): bring it back and start again, or take it out of log.dirs if it is lost`,
      );
    }
    return logs.create(topic.name, index, topic.id, { config });
  }

  #deleteLog(topic: string, partition: number, log: PartitionLog): void {
    const { logs, logger } = this.#options;
    try {
      if (logs.get(topic, partition)?.topicId === log.topicId) logs.delete(topic, partition);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      logger.error('A deleted partition leaves files behind', { path: log.path, error });
    }
  }
}
