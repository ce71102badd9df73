import type { DirectoryEntry, Disk } from '../io/disk.ts';
import { BATCH_HEADER_BYTES } from '../records/batch.ts';
import type { BatchScanner } from './batch-scanner.ts';
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  offsetOfFileName,
  SWAP_SUFFIX,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from './file-names.ts';
import type { Steps } from './steps.ts';

/** Files of a segment beside its log. */
const INDEX_SUFFIXES = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX] as const;
const SEGMENT_SUFFIXES = [LOG_SUFFIX, ...INDEX_SUFFIXES] as const;
/** Names of files that were on their way in or out. */
const UNFINISHED = /\.(deleted|tmp|cleaned|swap)$/;

/**
 * Finishes or undoes what was under way in a partition's directory when its broker stopped (formats §14, steps 1 to 3), and returns what is there then, by name. Only deletions that
 * were decided on and replacements that were complete are carried out. @param entries what is in the directory now @throws DiskError
 */
export function* clearLeftovers(
  disk: Disk,
  path: string,
  scanner: BatchScanner,
  entries: readonly DirectoryEntry[],
): Steps<Map<string, DirectoryEntry>> {
  const names = entries.filter((entry) => entry.kind === 'file').map((entry) => entry.name);
  const isClear = !names.some((name) => UNFINISHED.test(name));
  if (isClear) return withoutOrphans(disk, path, entries);
  for (const name of names) {
    const isSnapshotOfState = name.endsWith(`.checkpoint${DELETED_SUFFIX}`);
    if ((name.endsWith(DELETED_SUFFIX) && !isSnapshotOfState) || name.endsWith('.tmp'))
      disk.remove(`${path}/${name}`);
  }
  yield;
  removeUnfinished(disk, path, names);
  yield* finishSwaps(disk, path, scanner);
  return withoutOrphans(disk, path, disk.list(path));
}

/** Removes indexes without their log, and returns what else there is. */
function withoutOrphans(
  disk: Disk,
  path: string,
  entries: readonly DirectoryEntry[],
): Map<string, DirectoryEntry> {
  const left = new Map(entries.map((entry) => [entry.name, entry]));
  for (const name of left.keys()) {
    const suffix = INDEX_SUFFIXES.find((one) => offsetOfFileName(name, one) !== null);
    if (suffix === undefined || left.has(name.slice(0, -suffix.length) + LOG_SUFFIX)) continue;
    disk.remove(`${path}/${name}`);
    left.delete(name);
  }
  return left;
}

/** Output of a cleaner that did not come to its end, with what was built on it. */
function removeUnfinished(disk: Disk, path: string, names: readonly string[]): void {
  let least = Number.POSITIVE_INFINITY;
  for (const name of names) {
    if (!name.endsWith(CLEANED_SUFFIX)) continue;
    least = Math.min(least, segmentOffset(name.slice(0, -CLEANED_SUFFIX.length)) ?? Number.POSITIVE_INFINITY);
  }
  for (const name of names) {
    const isLaterSwap =
      name.endsWith(SWAP_SUFFIX) && (segmentOffset(name.slice(0, -SWAP_SUFFIX.length)) ?? -1) >= least;
    if (isLaterSwap || name.endsWith(CLEANED_SUFFIX)) disk.remove(`${path}/${name}`);
  }
}

/** Puts complete replacements in the place of the segments they stand for. */
function* finishSwaps(disk: Disk, path: string, scanner: BatchScanner): Steps<void> {
  const swaps = disk.list(path).filter((entry) => entry.name.endsWith(SWAP_SUFFIX));
  let start = Number.POSITIVE_INFINITY;
  let end = -1;
  for (const { name } of swaps) {
    const offset = offsetOfFileName(name.slice(0, -SWAP_SUFFIX.length), LOG_SUFFIX);
    if (offset === null) continue;
    start = Math.min(start, offset);
    end = Math.max(end, yield* endOffsetOf(disk, `${path}/${name}`, offset, scanner));
  }
  for (const { name } of disk.list(path)) {
    const offset = segmentOffset(name);
    if (offset !== null && offset >= start && offset < end) disk.remove(`${path}/${name}`);
  }
  for (const { name } of swaps)
    disk.rename(`${path}/${name}`, `${path}/${name.slice(0, -SWAP_SUFFIX.length)}`);
}

function* endOffsetOf(disk: Disk, path: string, baseOffset: number, scanner: BatchScanner): Steps<number> {
  const file = disk.open(path, 'read');
  let end = baseOffset;
  scanner.over(file, 0, file.sizeBytes, BATCH_HEADER_BYTES);
  while (scanner.next()) {
    end = scanner.lastOffset + 1;
    yield;
  }
  file.close();
  return end;
}

/** Base offset in the name of any file of a segment, null if it is none. */
function segmentOffset(name: string): number | null {
  for (const suffix of SEGMENT_SUFFIXES) {
    const offset = offsetOfFileName(name, suffix);
    if (offset !== null) return offset;
  }
  return null;
}

/** Removes all files of the segment at `baseOffset`. @throws DiskError */
export function removeSegmentFiles(disk: Disk, path: string, baseOffset: number): void {
  for (const suffix of SEGMENT_SUFFIXES) {
    const file = `${path}/${offsetFileName(baseOffset, suffix)}`;
    if (disk.exists(file)) disk.remove(file);
  }
}
