import type { Compute } from '../io/compute.ts';
import { type MetadataRecord, encodeRecord } from '../metadata/metadata-record.ts';
import { BATCH_HEADER_BYTES } from '../records/batch.ts';
import { buildBatch } from '../records/builder.ts';
import { buildControlBatch } from '../records/control-records.ts';

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
  let from = 0;
  let values: Buffer[] = [];
  let sizeBytes = BATCH_HEADER_BYTES;
  const finish = (to: number): void => {
    const inputs = values.map((value) => ({ key: null, value, timestampMs: place.timestampMs }));
    const baseOffset = place.baseOffset + from;
    const buffer = buildBatch({ records: inputs, baseOffset, partitionLeaderEpoch: place.epoch }, compute);
    batches.push({ buffer, records: records.slice(from, to) });
    from = to;
    values = [];
    sizeBytes = BATCH_HEADER_BYTES;
  };
  for (const [i, record] of records.entries()) {
    const value = encodeRecord(record);
    const addedBytes = value.length + RECORD_OVERHEAD_BYTES;
    if (sizeBytes + addedBytes > MAX_METADATA_BATCH_BYTES) {
      if (isAtomic || values.length === 0) return null;
      finish(i);
    } else if (!isAtomic && values.length === MAX_RECORDS_A_BATCH) {
      finish(i);
    }
    values.push(value);
    sizeBytes += addedBytes;
  }
  if (values.length > 0) finish(records.length);
  return batches;
}

/** The control batch that begins an epoch: who leads, who may vote, who did. One record. */
export function buildLeaderChange(leaderId: number, place: BatchPlace, compute: Compute): Buffer {
  return buildControlBatch(
    {
      records: [{ type: 'LEADER_CHANGE', leaderId, voterIds: [leaderId], grantingVoterIds: [leaderId] }],
      timestampMs: place.timestampMs,
      baseOffset: place.baseOffset,
      partitionLeaderEpoch: place.epoch,
    },
    compute,
  );
}
