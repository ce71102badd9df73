import type { DirectoryEntry } from '../io/disk.ts';
import { LOG_SUFFIX, offsetOfFileName } from './file-names.ts';

/**
 * Index of the first segment that may not be durable. One that ends at the recovery point itself may have been sealed after the flush, so that its indexes are not.
 * @param bases base offsets of the segments, ascending
 */
export function suspectFrom(bases: readonly number[], recoveryPoint: number): number {
  const after = bases.findIndex((base) => base >= recoveryPoint);
  return Math.max((after < 0 ? bases.length : after) - 1, 0);
}

/** Bytes of the segments that a recovery from `recoveryPoint` goes through, by the files in a partition's directory. */
export function suspectBytes(entries: readonly DirectoryEntry[], recoveryPoint: number): number {
  const segments: { readonly base: number; readonly sizeBytes: number }[] = [];
  for (const { name, sizeBytes } of entries) {
    const base = offsetOfFileName(name, LOG_SUFFIX);
    if (base !== null) segments.push({ base, sizeBytes });
  }
  segments.sort((a, b) => a.base - b.base);
  const bases = segments.map(({ base }) => base);
  return segments
    .slice(suspectFrom(bases, recoveryPoint))
    .reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
}
