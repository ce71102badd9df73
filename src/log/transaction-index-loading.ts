import type { DirectoryEntry, Disk, DiskError } from '../io/disk.ts';
import { offsetFileName, TXN_INDEX_SUFFIX } from './file-names.ts';
import { applyScanned, type ReplaySource, replayProducers } from './producer-replay.ts';
import { ProducerState } from './producer-state.ts';
import type { Segment } from './segment.ts';
import { awaitDisk, type Steps } from './steps.ts';
import { TransactionIndex } from './transaction-index.ts';

/** The files of one partition. */
export interface PartitionFiles {
  readonly disk: Disk;
  /** The partition's directory. */
  readonly path: string;
  readonly files: ReadonlyMap<string, DirectoryEntry>;
}

/**
 * The index of a segment that is trusted. `onLost` is called if it cannot be right: the index then is empty and to be rebuilt.
 * @throws DiskError
 */
export function openTransactionIndex(
  { disk, path, files }: PartitionFiles,
  baseOffset: number,
  onLost: () => void,
): TransactionIndex {
  const name = offsetFileName(baseOffset, TXN_INDEX_SUFFIX);
  const file = `${path}/${name}`;
  const entry = files.get(name);
  if (entry === undefined) return TransactionIndex.none(disk, file);
  const index = TransactionIndex.open(disk, file, baseOffset, entry.sizeBytes);
  if (index !== null) return index;
  onLost();
  return TransactionIndex.rebuilt(disk, file);
}

/** An empty index for a segment that is recovered; its file is removed. @throws DiskError */
export function resetTransactionIndex(
  { disk, path, files }: PartitionFiles,
  baseOffset: number,
): TransactionIndex {
  const name = offsetFileName(baseOffset, TXN_INDEX_SUFFIX);
  const file = `${path}/${name}`;
  if (files.has(name) && disk.exists(file)) disk.remove(file);
  return TransactionIndex.none(disk, file);
}

/**
 * Fills the empty transaction index of segment `i` from its batches, which are right. Which transactions are open where it begins is found in the segments before it.
 * @throws DiskError
 */
export function* rebuildTransactionIndex(
  source: Omit<ReplaySource, 'producers' | 'highWatermark'>,
  segments: readonly Segment[],
  i: number,
): Steps<DiskError | null> {
  const { scanner } = source;
  const segment = segments[i] as Segment;
  const producers = new ProducerState<never>(Number.POSITIVE_INFINITY);
  yield* replayProducers(
    { ...source, producers, highWatermark: Number.POSITIVE_INFINITY },
    segments.slice(0, i),
    segment.baseOffset,
  );
  scanner.over(segment.file, 0, segment.sizeBytes);
  while (scanner.next()) {
    const aborted = applyScanned(producers, scanner);
    if (aborted !== null) segment.addAborted(aborted);
    yield;
  }
  if (segment.txnIndex.count > 0) return yield* awaitDisk((done) => segment.txnIndex.replace(done));
  segment.txnIndex.remove();
  return null;
}
