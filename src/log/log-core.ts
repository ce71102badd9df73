import { DiskError } from '../io/disk.ts';
import type { Logger } from '../base/logger.ts';
import type { Uuid } from '../base/uuid.ts';
import type { ProduceRules } from '../records/validate.ts';
import { BackgroundWork } from './background-work.ts';
import type { IndexOwner } from './entry-table.ts';
import type { LaneEntry } from './lane-entry.ts';
import type { LeaderEpochCache } from './leader-epoch-cache.ts';
import type { LogConfig } from './log-config.ts';
import type { LogDirectory } from './log-directory.ts';
import type { LogOffsets } from './log-offsets.ts';
import type { LogPlace } from './log-place.ts';
import type { LogResources } from './log-resources.ts';
import type { ProducerState } from './producer-state.ts';
import { produceRules } from './produce-rules.ts';
import type { SegmentList } from './segment-list.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import { rebuildIndexes } from './index-rebuild.ts';
import type { Segment } from './segment.ts';
import { runSteps } from './steps.ts';
import { TailPositions } from './tail-positions.ts';

/** What the loader found in a partition's directory, or the manager made there. */
export interface LogParts {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: Uuid;
  readonly directory: LogDirectory;
  readonly place: LogPlace;
  readonly config: LogConfig;
  readonly segments: SegmentList;
  readonly epochs: LeaderEpochCache;
  readonly producers: ProducerState<LaneEntry>;
  readonly snapshots: SnapshotStore;
  readonly offsets: LogOffsets;
  /** True if the leader epoch checkpoint does not say what `epochs` says. */
  readonly epochsDirty: boolean;
  /** True if `partition.metadata` is to be written. */
  readonly writeMetadata: boolean;
  /** True if directory entries of the log, and of its directory, may not be durable yet. */
  readonly entriesDirty: boolean;
}

/** The state of one log, shared by the parts that work on it: `PartitionLog` owns it. */
export class LogCore implements IndexOwner {
  readonly topic: string;
  readonly partition: number;
  topicId: Uuid;
  readonly directory: LogDirectory;
  readonly place: LogPlace;
  readonly resources: LogResources;
  #logger: Logger | null = null;
  readonly segments: SegmentList;
  readonly tail = new TailPositions();
  readonly epochs: LeaderEpochCache;
  readonly producers: ProducerState<LaneEntry>;
  readonly snapshots: SnapshotStore;
  readonly offsets: LogOffsets;
  readonly background = new BackgroundWork();
  /** Segments whose indexes are being rebuilt, or could not be. */
  readonly #rebuilding = new WeakSet<Segment>();
  /** Segments that were found to end too early. */
  readonly #holed = new WeakSet<Segment>();
  config: LogConfig;
  rules: ProduceRules;
  /** Entries of the partition's directory, or its own entry, are not durable. */
  directoryDirty = false;
  parentDirty = false;
  #isUnnamed: boolean;
  /** The files are not what they should be, or are closed. */
  broken = false;
  closed = false;

  constructor(resources: LogResources, parts: LogParts) {
    this.resources = resources;
    this.topic = parts.topic;
    this.partition = parts.partition;
    this.topicId = parts.topicId;
    this.directory = parts.directory;
    this.place = parts.place;
    this.segments = parts.segments;
    this.epochs = parts.epochs;
    this.producers = parts.producers;
    this.snapshots = parts.snapshots;
    this.offsets = parts.offsets;
    this.config = parts.config;
    this.rules = produceRules(parts.topic, parts.partition, parts.config);
    this.#isUnnamed = parts.entriesDirty;
    this.takeName();
    this.producers.transactions.setHighWatermark(parts.offsets.highWatermark);
    for (const segment of this.segments.all()) this.adopt(segment);
  }

  /** Of a log that never had a record nothing is lost with its names: they begin to count with the first one. */
  takeName(): void {
    if (!this.#isUnnamed || this.offsets.end === 0) return;
    this.#isUnnamed = false;
    this.directoryDirty = true;
    this.parentDirty = true;
  }

  /** The segment is the log's now. */
  adopt(segment: Segment): void {
    segment.attachIndexes(this.resources.indexMemory, this);
  }

  spillBegan(): void {
    this.background.begin();
  }

  spillEnded(error: DiskError | null): void {
    if (error !== null && !this.offline) this.logger.warn('An index could not be written', { error });
    this.background.end();
  }

  /** Made for the first line. */
  get logger(): Logger {
    const { logger } = this.resources.environment;
    return (this.#logger ??= logger.child({ topic: this.topic, partition: this.partition }));
  }

  get offline(): boolean {
    return this.broken || this.closed || this.directory.offline;
  }

  // What readers ask for.

  recordsMissing(segment: Segment, offset: number): void {
    if (this.#holed.has(segment) || this.config.cleanupPolicy.includes('compact')) return;
    this.#holed.add(segment);
    this.logger.error('Records are missing before the next segment', { segment: segment.file.path, offset });
  }

  indexSuspect(segment: Segment): void {
    if (this.#rebuilding.has(segment) || this.offline) return;
    const isSealed = (): boolean => segment !== this.segments.active;
    this.#rebuilding.add(segment);
    this.logger.warn('An index does not fit its log and is rebuilt', { segment: segment.file.path });
    const { clock } = this.resources.environment;
    this.background.begin();
    runSteps(clock, rebuildIndexes(segment, this.config.indexIntervalBytes, isSealed), (error, isRebuilt) => {
      // A segment that could not be gone through stays among them: it is told of and tried once.
      if (error === null && isRebuilt === true) this.#rebuilding.delete(segment);
      else this.logger.error('An index could not be rebuilt', { segment: segment.file.path, error });
      this.background.end();
      if (error !== null && !(error instanceof DiskError)) throw error;
    });
  }

  get scanner(): LogResources['scanner'] {
    return this.resources.scanner;
  }

  get logStartOffset(): number {
    return this.offsets.start;
  }

  get logEndOffset(): number {
    return this.offsets.end;
  }

  /** Below it every transaction is decided, on all replicas. */
  get lastStableOffset(): number {
    const { highWatermark, start } = this.offsets;
    const unstable = this.producers.transactions.firstUnstableOffset;
    return unstable >= 0 && unstable < highWatermark ? Math.max(unstable, start) : highWatermark;
  }
}
