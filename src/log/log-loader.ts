import type { Logger } from '../base/logger.ts';
import { ZERO_UUID, type Uuid } from '../base/uuid.ts';
import type { DirectoryEntry } from '../io/disk.ts';
import type { BatchScanner } from './batch-scanner.ts';
import { CheckpointFormatError, formatEpochCheckpoint, parseEpochCheckpoint } from './checkpoint-file.ts';
import {
  LEADER_EPOCH_FILE,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  offsetOfFileName,
  PARTITION_METADATA_FILE,
  SNAPSHOT_SUFFIX,
  TIME_INDEX_SUFFIX,
} from './file-names.ts';
import type { LaneEntry } from './lane-entry.ts';
import { LeaderEpochCache } from './leader-epoch-cache.ts';
import { clearLeftovers, removeSegmentFiles } from './leftovers.ts';
import type { LogConfig } from './log-config.ts';
import type { LogDirectory } from './log-directory.ts';
import { type CheckpointedOffsets, LogOffsets } from './log-offsets.ts';
import type { LogPlace } from './log-place.ts';
import type { LogResources } from './log-resources.ts';
import { OffsetIndex } from './offset-index.ts';
import { parsePartitionMetadata } from './partition-metadata.ts';
import { PartitionLog } from './partition-log.ts';
import { replayProducers } from './producer-replay.ts';
import { ProducerState } from './producer-state.ts';
import { createSegment, Segment } from './segment.ts';
import { SegmentList } from './segment-list.ts';
import { recoverSegment } from './segment-recovery.ts';
import { SnapshotStore } from './snapshot-store.ts';
import { awaitDisk, type Steps } from './steps.ts';
import { suspectFrom } from './suspect-segments.ts';
import { TimeIndex } from './time-index.ts';
import type { TransactionIndex } from './transaction-index.ts';
import {
  openTransactionIndex,
  rebuildTransactionIndex,
  resetTransactionIndex,
} from './transaction-index-loading.ts';

/** Which log is to be loaded, and what is known of it. */
export interface LoadRequest {
  readonly topic: string;
  readonly partition: number;
  readonly directory: LogDirectory;
  /** The partition's directory; it exists. */
  readonly place: LogPlace;
  readonly config: LogConfig;
  /** True if the last stop was clean: everything in the files is as it was left. */
  readonly trusted: boolean;
  /** From the checkpoints, 0 where they do not name the log. */
  readonly checkpointed: CheckpointedOffsets;
  /** Topic id if `partition.metadata` is missing. */
  readonly defaultTopicId?: Uuid;
  /** What is in the partition's directory, if it has been listed. */
  readonly entries?: readonly DirectoryEntry[];
  /** Told of bytes that were checked. */
  readonly onChecked?: (bytes: number) => void;
}

/** Work on one directory. */
interface Loading {
  readonly resources: LogResources;
  readonly request: LoadRequest;
  readonly path: string;
  readonly scanner: BatchScanner;
  readonly logger: Logger;
  readonly files: Map<string, DirectoryEntry>;
  /** Base offsets of the segments, ascending. */
  readonly bases: readonly number[];
  readonly epochs: LeaderEpochCache;
  readonly producers: ProducerState<LaneEntry>;
  readonly snapshots: SnapshotStore;
  /** Base offsets of trusted segments whose transaction index cannot be right. */
  readonly lostTransactions: Set<number>;
  /** The text of the leader epoch checkpoint; that of none when it is missing. */
  readonly epochText: string;
  /** True if the epochs must be found by going through all headers. */
  readonly epochsLost: boolean;
}

/**
 * Opens the log in a directory (formats §14). After a clean stop indexes are trusted and little is read; otherwise everything from the recovery point on is checked, cut at
 * the first bad byte, and what hangs on it is rebuilt. `scanner` must not be used by others meanwhile.
 * @throws DiskError
 */
export function* loadLog(
  resources: LogResources,
  scanner: BatchScanner,
  request: LoadRequest,
): Steps<PartitionLog> {
  const loading = yield* prepare(resources, scanner, request);
  const { epochs, producers, snapshots, path } = loading;
  const found = yield* loadSegments(loading);
  const { disk, clock } = resources.environment;
  let { segments, logEndOffset } = found;
  const { checkpointed } = request;
  const topicId = readTopicId(loading);
  // Whose start a log begins at that has neither identity nor records up to there: that of a deleted one of its name.
  const isInherited = topicId === ZERO_UUID && checkpointed.logStartOffset > logEndOffset;
  const logStartOffset = Math.max(
    isInherited ? 0 : checkpointed.logStartOffset,
    segments[0]?.baseOffset ?? 0,
  );
  const promised = Math.max(
    checkpointed.recoveryPoint,
    checkpointed.highWatermark,
    checkpointed.logStartOffset,
  );
  if (logEndOffset < promised)
    loading.logger.error('Records are missing at the end of the log', { path, logEndOffset, promised });
  if (segments.length === 0 || logEndOffset < logStartOffset) {
    for (const segment of segments.toReversed()) segment.discard();
    segments = [createSegment(disk, path, logStartOffset, clock.wallMs())];
    logEndOffset = logStartOffset;
    epochs.clear();
    producers.clear();
    if (logStartOffset > 0) yield* makeNamesDurable(loading);
  }
  epochs.truncateFromEnd(logEndOffset);
  epochs.truncateFromStart(logStartOffset);
  snapshots.removeAbove(logEndOffset);
  snapshots.removeStrays(new Set(segments.map((segment) => segment.baseOffset)));
  (segments.at(-1) as Segment).prepareToGrow();
  return new PartitionLog(resources, {
    topic: request.topic,
    partition: request.partition,
    topicId,
    directory: request.directory,
    place: request.place,
    config: request.config,
    segments: new SegmentList(segments),
    epochs,
    producers,
    snapshots,
    offsets: new LogOffsets(
      {
        start: logStartOffset,
        end: logEndOffset,
        // Nobody waits for what is below the start to be flushed: the high watermark is never below it.
        flushedEnd: request.trusted
          ? logEndOffset
          : Math.max(Math.min(checkpointed.recoveryPoint, logEndOffset), logStartOffset),
        highWatermark: Math.max(Math.min(checkpointed.highWatermark, logEndOffset), logStartOffset),
      },
      { ...checkpointed },
    ),
    epochsDirty: formatEpochCheckpoint(epochs.entries) !== loading.epochText,
    writeMetadata: !loading.files.has(PARTITION_METADATA_FILE) && topicId !== ZERO_UUID,
    entriesDirty: !request.trusted,
  });
}

/** A checkpoint leaves out the start of a log whose first segment is named by it. @throws DiskError */
function* makeNamesDurable({ resources, path }: Loading): Steps<void> {
  const error = yield* awaitDisk((done) => resources.environment.disk.flushDirectory(path, done));
  if (error !== null) throw error;
}

function* prepare(resources: LogResources, scanner: BatchScanner, request: LoadRequest): Steps<Loading> {
  const { disk, compute, logger } = resources.environment;
  const { path } = request.place;
  const files = yield* clearLeftovers(disk, path, scanner, request.entries ?? disk.list(path));
  const offsetsOf = (suffix: string): number[] =>
    [...files.keys()]
      .map((name) => offsetOfFileName(name, suffix))
      .filter((offset) => offset !== null)
      .sort((a, b) => a - b);
  const bases = offsetsOf(LOG_SUFFIX);
  // Segments below the log start were on their way out: some may have gone, and what is left of them is no log.
  while (bases[1] !== undefined && bases[1] <= request.checkpointed.logStartOffset) {
    removeSegmentFiles(disk, path, bases.shift() as number);
  }
  const loading = {
    resources,
    request,
    path,
    scanner,
    logger: logger.child({ topic: request.topic, partition: request.partition }),
    files,
    bases,
    producers: new ProducerState<LaneEntry>(resources.producerIdExpirationMs),
    lostTransactions: new Set<number>(),
    snapshots: new SnapshotStore(disk, compute, request.place, offsetsOf(SNAPSHOT_SUFFIX)),
  };
  const epochText = files.has(LEADER_EPOCH_FILE)
    ? disk.readFile(`${path}/${LEADER_EPOCH_FILE}`).toString()
    : null;
  const epochs = readEpochs(epochText, loading);
  return {
    ...loading,
    epochs: epochs ?? new LeaderEpochCache(),
    epochText: epochText ?? formatEpochCheckpoint([]),
    epochsLost: epochs === null,
  };
}

/**
 * The cache in the checkpoint. Null if it must be rebuilt: it is missing or cannot be read, or after a crash begins later than the log (which then has back what was deleted at
 * its start).
 */
function readEpochs(
  text: string | null,
  loading: Pick<Loading, 'logger' | 'request' | 'bases' | 'files'>,
): LeaderEpochCache | null {
  const { logger, request, bases, files } = loading;
  const isEmpty = bases.every((base) => files.get(offsetFileName(base, LOG_SUFFIX))?.sizeBytes === 0);
  if (text === null) return isEmpty ? new LeaderEpochCache() : null;
  try {
    const epochs = new LeaderEpochCache(parseEpochCheckpoint(text));
    const logStartOffset = Math.max(request.checkpointed.logStartOffset, bases[0] ?? 0);
    const isShort = !request.trusted && (epochs.entries[0]?.startOffset ?? 0) > logStartOffset;
    return isShort ? null : epochs;
  } catch (error) {
    if (!(error instanceof CheckpointFormatError)) throw error;
    logger.warn('The leader epoch checkpoint cannot be read and is rebuilt', { error });
    return null;
  }
}

function readTopicId(loading: Loading): Uuid {
  const { files, path, logger, request, resources } = loading;
  const otherwise = request.defaultTopicId ?? ZERO_UUID;
  if (!files.has(PARTITION_METADATA_FILE)) return otherwise;
  try {
    return parsePartitionMetadata(
      resources.environment.disk.readFile(`${path}/${PARTITION_METADATA_FILE}`).toString(),
    );
  } catch (error) {
    if (!(error instanceof CheckpointFormatError)) throw error;
    logger.warn('partition.metadata cannot be read', { error });
    return otherwise;
  }
}

interface Found {
  readonly segments: Segment[];
  readonly logEndOffset: number;
}

/** Opens what may be trusted, recovers the rest, and brings epochs and producers up to the end. */
function* loadSegments(loading: Loading): Steps<Found> {
  const { request, epochsLost, bases } = loading;
  const segments: Segment[] = [];
  const firstSuspect = request.trusted
    ? bases.length
    : suspectFrom(bases, request.checkpointed.recoveryPoint);
  let endOffset = bases[0] ?? 0;
  for (let i = 0; i < firstSuspect; i++) {
    const segment = openSegment(loading, bases[i] as number);
    // The next segment's base is the end of this one as far as anyone can tell without reading it.
    const isLast = i === bases.length - 1;
    const end =
      segment === null || isLast || epochsLost
        ? yield* openWhole(loading, bases[i] as number, segment, isLast)
        : null;
    if (end !== null && end.torn) {
      // Not what a clean stop leaves behind.
      loading.logger.warn(
        'A segment was not left as the clean marker says; it is cut where its batches end to be whole',
        {
          segment: end.segment.file.path,
          logEndOffset: end.endOffset,
        },
      );
      if (isLast) {
        end.segment.close();
        return yield* recoverLast(loading, bases, { segments, logEndOffset: bases[i] as number });
      }
      end.segment.file.truncate(end.segment.sizeBytes);
      end.segment.markChanged();
    }
    segments.push(end?.segment ?? (segment as Segment));
    if (!isLast)
      tellOfHole(loading, segments.at(-1) as Segment, end?.endOffset ?? null, bases[i + 1] as number);
    endOffset = end?.endOffset ?? (bases[i + 1] as number);
    yield;
  }
  yield* rebuildTransactions(loading, segments);
  return yield* recoverFrom(loading, bases, firstSuspect, { segments, logEndOffset: endOffset });
}

/** Of a trusted segment that is seen to end before the next one begins. What is sound of it and what follows is served. */
function tellOfHole(loading: Loading, segment: Segment, endOffset: number | null, nextOffset: number): void {
  const { request, logger } = loading;
  const end = segment.sizeBytes === 0 ? segment.baseOffset : endOffset;
  if (end === null || end >= nextOffset || request.config.cleanupPolicy.includes('compact')) return;
  logger.error('Records are missing before the next segment', { segment: segment.file.path, offset: end });
}

/** Checks the last segment from its start; what lies before is trusted still. */
function* recoverLast(loading: Loading, bases: readonly number[], before: Found): Steps<Found> {
  const recoveryPoint = Math.min(loading.request.checkpointed.recoveryPoint, before.logEndOffset);
  const request = { ...loading.request, checkpointed: { ...loading.request.checkpointed, recoveryPoint } };
  yield* rebuildTransactions(loading, before.segments);
  return yield* recoverFrom({ ...loading, request }, bases, bases.length - 1, before);
}

/** The segment with indexes that look right, null if they do not. @throws DiskError */
function openSegment(loading: Loading, baseOffset: number): Segment | null {
  const { files, path, resources } = loading;
  const { disk } = resources.environment;
  const offsetName = offsetFileName(baseOffset, OFFSET_INDEX_SUFFIX);
  const timeName = offsetFileName(baseOffset, TIME_INDEX_SUFFIX);
  const offsetEntry = files.get(offsetName);
  const timeEntry = files.get(timeName);
  if (offsetEntry === undefined || timeEntry === undefined) return null;
  const logName = offsetFileName(baseOffset, LOG_SUFFIX);
  const logEntry = files.get(logName) as DirectoryEntry;
  const offsetIndex = OffsetIndex.open(disk, `${path}/${offsetName}`, baseOffset, offsetEntry.sizeBytes);
  const timeIndex = TimeIndex.open(disk, `${path}/${timeName}`, baseOffset, timeEntry.sizeBytes);
  const last = (offsetIndex?.count ?? 0) - 1;
  if (offsetIndex === null || timeIndex === null) return null;
  if (last >= 0 && offsetIndex.positionAt(last) >= logEntry.sizeBytes) return null;
  // Every segment that was sealed or closed with records has an entry, if they have timestamps.
  if (timeIndex.count === 0 && logEntry.sizeBytes > 0) return null;
  const file = disk.open(`${path}/${logName}`, 'read-write');
  const createdMs = logEntry.modifiedMs;
  const txnIndex = trustedTransactions(loading, baseOffset);
  const segment = new Segment({ baseOffset, file, offsetIndex, timeIndex, txnIndex, createdMs });
  segment.restore(file.sizeBytes);
  segment.markFlushed();
  offsetIndex.table.release();
  timeIndex.table.release();
  txnIndex.release();
  return segment;
}

interface WholeSegment {
  readonly segment: Segment;
  readonly endOffset: number;
  readonly torn: boolean;
}

/** A trusted segment of which more must be known than its indexes say: its end, its epochs, or indexes that are missing. */
function* openWhole(
  loading: Loading,
  baseOffset: number,
  opened: Segment | null,
  isLast: boolean,
): Steps<WholeSegment> {
  if (opened !== null && !loading.epochsLost) return scanEnd(loading, opened);
  opened?.close();
  const segment = openUnindexed(loading, baseOffset, trustedTransactions(loading, baseOffset));
  const { endOffset, tornBytes } = yield* recoverSegment(segment, {
    ...contextOf(loading),
    producers: null,
    durableOffset: Number.POSITIVE_INFINITY,
  });
  if (!isLast) yield* replaceIndexes(loading, segment);
  return { segment, endOffset, torn: tornBytes > 0 };
}

/** Finds the end of a segment from its last index entry on. @throws DiskError */
function scanEnd(loading: Loading, segment: Segment): WholeSegment {
  const { scanner } = loading;
  segment.rescanTail(scanner);
  const { count } = segment.offsetIndex;
  const from = count === 0 ? 0 : segment.offsetIndex.positionAt(count - 1);
  scanner.over(segment.file, from, segment.sizeBytes);
  let endOffset = segment.baseOffset;
  while (scanner.next()) endOffset = scanner.lastOffset + 1;
  return { segment, endOffset, torn: scanner.stopped !== 'end' };
}

function contextOf(loading: Loading) {
  return {
    compute: loading.resources.environment.compute,
    scanner: loading.scanner,
    indexIntervalBytes: loading.request.config.indexIntervalBytes,
    epochs: loading.epochs,
  };
}

function filesOf({ resources, path, files }: Loading) {
  return { disk: resources.environment.disk, path, files };
}

function trustedTransactions(loading: Loading, baseOffset: number): TransactionIndex {
  return openTransactionIndex(filesOf(loading), baseOffset, () => loading.lostTransactions.add(baseOffset));
}

/** Fills the transaction indexes that were not what they should be. */
function* rebuildTransactions(loading: Loading, segments: readonly Segment[]): Steps<void> {
  const { lostTransactions, snapshots, scanner, logger, resources } = loading;
  for (const [i, { baseOffset, txnIndex }] of segments.entries()) {
    if (!lostTransactions.has(baseOffset)) continue;
    logger.warn('An index of aborted transactions is not sound and is rebuilt', { path: txnIndex.path });
    const source = { snapshots, scanner, nowMs: resources.environment.clock.wallMs() };
    const error = yield* rebuildTransactionIndex(source, segments, i);
    if (error !== null) logger.warn('A rebuilt index could not be written', { path: txnIndex.path, error });
  }
}

/** The segment with empty indexes of batches, to be gone through. @throws DiskError */
function openUnindexed(loading: Loading, baseOffset: number, txnIndex: TransactionIndex): Segment {
  const { path, files, resources } = loading;
  const { disk } = resources.environment;
  const logName = offsetFileName(baseOffset, LOG_SUFFIX);
  const segment = new Segment({
    baseOffset,
    file: disk.open(`${path}/${logName}`, 'read-write'),
    offsetIndex: OffsetIndex.create(
      disk,
      `${path}/${offsetFileName(baseOffset, OFFSET_INDEX_SUFFIX)}`,
      baseOffset,
    ),
    timeIndex: TimeIndex.rebuilt(
      disk,
      `${path}/${offsetFileName(baseOffset, TIME_INDEX_SUFFIX)}`,
      baseOffset,
    ),
    txnIndex,
    createdMs: files.get(logName)?.modifiedMs ?? 0,
  });
  const timeName = offsetFileName(baseOffset, TIME_INDEX_SUFFIX);
  // After a crash an empty file may have been cut by a start that did not live to make that durable.
  const isEmpty = segment.file.sizeBytes === 0 && files.get(timeName)?.sizeBytes === 0;
  if (isEmpty && loading.request.trusted) segment.markFlushed();
  return segment;
}

/** Checks the segments from `first` on, after the trusted ones in `before`, and cuts at the first bad byte. Then producers and epochs are those of the end. */
function* recoverFrom(
  loading: Loading,
  bases: readonly number[],
  first: number,
  before: Found,
): Steps<Found> {
  const { request, producers, snapshots, scanner, resources, logger, path } = loading;
  const { clock } = resources.environment;
  const { highWatermark } = request.checkpointed;
  const source = { producers, snapshots, scanner, nowMs: clock.wallMs(), highWatermark };
  const segments = [...before.segments];
  let { logEndOffset } = before;
  yield* replayProducers(source, segments, logEndOffset);
  // The checkpoint may be newer or older than what the crash left of the log: the batches say which epoch they are of.
  if (first < bases.length) loading.epochs.truncateFromEnd(bases[first] as number);
  for (let i = first; i < bases.length; i++) {
    const baseOffset = bases[i] as number;
    if (i > 0 && baseOffset < logEndOffset && isEmpty(loading, baseOffset)) {
      removeSegments(loading, [baseOffset]);
      continue;
    }
    if (i > 0 && !follows(baseOffset, logEndOffset, request.config)) {
      logger.warn('Segments that do not follow on are removed', { path, baseOffset, logEndOffset });
      removeSegments(loading, bases.slice(i));
      break;
    }
    const context = { ...contextOf(loading), producers, durableOffset: request.checkpointed.recoveryPoint };
    const segment = openUnindexed(loading, baseOffset, resetTransactionIndex(filesOf(loading), baseOffset));
    const { endOffset, tornBytes } = yield* recoverSegment(segment, context);
    segments.push(segment);
    logEndOffset = endOffset;
    request.onChecked?.(segment.file.sizeBytes);
    if (tornBytes > 0) {
      logger.warn('The log is cut where its batches end to be whole', {
        baseOffset,
        logEndOffset,
        tornBytes,
      });
      segment.file.truncate(segment.sizeBytes);
      segment.markChanged();
      // What was preallocated and not used leaves no gap.
      if (bases[i + 1] !== logEndOffset) {
        removeSegments(loading, bases.slice(i + 1));
        break;
      }
    }
    if (i < bases.length - 1) yield* settleSealed(loading, segment, logEndOffset);
  }
  if (first < bases.length)
    logger.debug('The log is recovered', { path, logEndOffset, segments: bases.length - first });
  return { segments, logEndOffset };
}

/**
 * True if a segment at `baseOffset` can stand after what ends at `logEndOffset`. One that overlaps is left over from before a cut that a crash has taken back. One that leaves a gap outlived the
 * end of the segment before it; only on a compacted topic may a gap be right.
 */
function follows(baseOffset: number, logEndOffset: number, config: LogConfig): boolean {
  return (
    baseOffset === logEndOffset || (baseOffset > logEndOffset && config.cleanupPolicy.includes('compact'))
  );
}

function isEmpty(loading: Loading, baseOffset: number): boolean {
  return loading.files.get(offsetFileName(baseOffset, LOG_SUFFIX))?.sizeBytes === 0;
}

function removeSegments(loading: Loading, bases: readonly number[]): void {
  for (const base of bases.toReversed())
    removeSegmentFiles(loading.resources.environment.disk, loading.path, base);
}

/** Leaves a recovered segment that is followed by another as a roll does: with its indexes written, and the state of producers at its end. */
function* settleSealed(loading: Loading, segment: Segment, endOffset: number): Steps<void> {
  yield* replaceIndexes(loading, segment);
  const { producers, snapshots, logger } = loading;
  const { clock } = loading.resources.environment;
  if (producers.size === 0 || snapshots.offsets.includes(endOffset)) return;
  const error = yield* awaitDisk((done) => snapshots.write(endOffset, producers, clock, done));
  if (error !== null) logger.warn('A producer snapshot could not be written', { error });
}

/** Writes the rebuilt indexes of a sealed segment, so that they need not stay in memory. */
function* replaceIndexes(loading: Loading, segment: Segment): Steps<void> {
  segment.seal();
  const error = yield* awaitDisk((done) => segment.replaceIndexes(done));
  if (error !== null) loading.logger.warn('Rebuilt indexes could not be written', { error });
}
