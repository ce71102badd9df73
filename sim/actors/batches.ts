import type { Compute } from '../../src/io/compute.ts';
import { BATCH_OVERHEAD_BYTES, BatchView, isCrcValid } from '../../src/records/batch.ts';
import { openRecords, type RecordView } from '../../src/records/reader.ts';
import { parseRecordKey, type RecordIdentity } from '../events.ts';

/** A record as a reader found it. */
export interface FoundRecord {
  readonly offset: number;
  readonly record: RecordIdentity;
}

/** What a reader makes of the bytes of one partition's answer. */
export interface ParsedBatches {
  /** From the asked offset on, in order. */
  readonly records: readonly FoundRecord[];
  /** Where to go on. */
  readonly nextOffset: number;
  /** Why the bytes are not sound, null when they are. A batch cut short at the end is sound. */
  readonly problem: string | null;
}

/** Reads whole batches, checks their checksums and that no offset is missing from `fromOffset` on. `compute` must answer inline. */
export function parseBatches(bytes: Buffer, fromOffset: number, compute: Compute): ParsedBatches {
  const view = new BatchView();
  const records: FoundRecord[] = [];
  let nextOffset = fromOffset;
  let at = 0;
  const unsound = (problem: string): ParsedBatches => ({ records, nextOffset, problem });
  while (bytes.length - at >= BATCH_OVERHEAD_BYTES) {
    const length = bytes.readInt32BE(at + 8);
    if (length < 49) return unsound(`a batch of ${length} bytes at ${at}`);
    const sizeBytes = BATCH_OVERHEAD_BYTES + length;
    if (bytes.length - at < sizeBytes) break;
    view.at(bytes, at);
    if (view.magic !== 2) return unsound(`magic ${view.magic} at ${at}`);
    if (!isCrcValid(compute, bytes, at, sizeBytes))
      return unsound(`wrong crc in the batch at offset ${view.baseOffset}`);
    const found = openInline(bytes, at, compute);
    if (found instanceof Error) return unsound(found.message);
    const lastOffset = view.baseOffset + view.lastOffsetDelta;
    if (view.baseOffset > nextOffset)
      return unsound(`offset ${nextOffset} is missing, ${view.baseOffset} follows`);
    if (lastOffset < fromOffset)
      return unsound(`asked for ${fromOffset}, got a batch that ends at ${lastOffset}`);
    for (const { offset, key } of found) {
      if (offset < nextOffset) continue;
      const record = key === null ? null : parseRecordKey(key.toString());
      if (record === null) return unsound(`offset ${offset} has a key that nobody wrote`);
      records.push({ offset, record });
    }
    nextOffset = lastOffset + 1;
    at += sizeBytes;
  }
  return { records, nextOffset, problem: null };
}

function openInline(bytes: Buffer, at: number, compute: Compute): RecordView[] | Error {
  let outcome: RecordView[] | Error | null = null;
  openRecords(bytes, at, compute, (error, records) => {
    outcome = error ?? records;
  });
  if (outcome === null) throw new Error('the virtual compute answers before it returns');
  return outcome;
}
