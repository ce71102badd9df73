import type { Compute } from '../io/compute.ts';
import { type MetadataRecord, encodeRecord } from '../metadata/metadata-record.ts';
import { BATCH_HEADER_BYTES } from '../records/batch.ts';
import { buildBatch } from '../records/builder.ts';

/** Largest batch of the metadata log; followers fetch no more at a time. */
export const MAX_METADATA_BATCH_BYTES = 8_388_608;
/** Most records in a batch, where it may end anywhere. */
export const MAX_RECORDS_A_BATCH = 1000;
/** Record overhead, at most, besides key and value. */
const RECORD_OVERHEAD_BYTES = 21;

/** One batch and what is in it. */
export interface MetadataBatch {
  /** The batch, with its offsets counted from the base offset given. */
  readonly buffer: Buffer;
  readonly records: readonly MetadataRecord[];
}

/** Where batches go. */
export interface BatchPlace {
  readonly baseOffset: number;
  readonly epoch: number;
  /** Wall clock. */
  readonly timestampMs: number;
}

/** Collects metadata records for one batch after the other. */
export class MetadataBatchBuilder {
  readonly #compute: Compute;
  #values: Buffer[] = [];
  #sizeBytes = BATCH_HEADER_BYTES;

  constructor(compute: Compute) {
    this.#compute = compute;
  }

  /** Records added since the last `build`. */
  get recordCount(): number {
    return this.#values.length;
  }

  /** Adds a record; false, and nothing happened, if the batch would become too large. */
  add(record: MetadataRecord): boolean {
    const value = encodeRecord(record);
    const addedBytes = value.length + RECORD_OVERHEAD_BYTES;
    if (this.#sizeBytes + addedBytes > MAX_METADATA_BATCH_BYTES) return false;
    this.#values.push(value);
    this.#sizeBytes += addedBytes;
    return true;
  }

  /** The batch of what was added, at least one record; begins anew. */
  build(place: BatchPlace): Buffer {
    const { baseOffset, epoch, timestampMs } = place;
    const records = this.#values.map((value) => ({ key: null, value, timestampMs }));
    this.#values = [];
    this.#sizeBytes = BATCH_HEADER_BYTES;
    return buildBatch({ records, baseOffset, partitionLeaderEpoch: epoch }, this.#compute);
  }
}

/**
 * The records as batches, in order: one if `isAtomic`, else as many as the bounds ask for. Null when they may not be split and are more than a
 * batch holds.
 */
export function buildMetadataBatches(
  records: readonly MetadataRecord[],
  isAtomic: boolean,
  place: BatchPlace,
  compute: Compute,
): MetadataBatch[] | null {
  const batches: MetadataBatch[] = [];
  const builder = new MetadataBatchBuilder(compute);
  let from = 0;
  const finish = (to: number): void => {
    const buffer = builder.build({ ...place, baseOffset: place.baseOffset + from });
    batches.push({ buffer, records: records.slice(from, to) });
    from = to;
  };
  for (const [i, record] of records.entries()) {
    if (!isAtomic && builder.recordCount === MAX_RECORDS_A_BATCH) finish(i);
    if (builder.add(record)) continue;
    if (isAtomic || builder.recordCount === 0) return null;
    finish(i);
    if (!builder.add(record)) return null;
  }
  if (builder.recordCount > 0) finish(records.length);
  return batches;
}
