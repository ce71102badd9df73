import { ErrorCode } from '../base/errors.ts';
import type { Compute } from '../io/compute.ts';
import type { MetadataSnapshotStore } from '../log/metadata-snapshot-store.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { Steps } from '../log/steps.ts';
import type { AnswerToSend, FetchedBatch, QuorumRecord, RaftApis, ServedApiKey } from '../raft/raft-api.ts';
import { BATCH_HEADER_BYTES, BatchView, isCrcValid } from '../records/batch.ts';
import { decodeControlRecord } from '../records/control-records.ts';
import { readRecords, RecordFormatError } from '../records/reader.ts';

/** Bytes read at a time. */
const READ_BYTES = 256 * 1024;

/** The whole batches in bytes of a log, with the quorum records in them; what follows the last whole one, or a damaged one, is left out. */
export function batchesIn(bytes: Buffer, compute: Compute): FetchedBatch[] {
  const batches: FetchedBatch[] = [];
  const view = new BatchView();
  for (let at = 0; bytes.length - at >= BATCH_HEADER_BYTES; at += view.sizeBytes) {
    view.at(bytes, at);
    if (view.sizeBytes < BATCH_HEADER_BYTES || at + view.sizeBytes > bytes.length) break;
    if (!isCrcValid(compute, bytes, at, view.sizeBytes)) break;
    const { baseOffset, endOffset, partitionLeaderEpoch: epoch } = view;
    try {
      batches.push({
        baseOffset,
        endOffset,
        epoch,
        controlRecords: view.isControl ? quorumRecords(bytes, at) : [],
      });
    } catch (error) {
      if (!(error instanceof RecordFormatError)) throw error;
      break;
    }
  }
  return batches;
}

/** The bytes of the batches from `baseOffset` to `endOffset`. */
export function sliceOf(bytes: Buffer, baseOffset: number, endOffset: number): Buffer {
  const view = new BatchView();
  let start = -1;
  let at = 0;
  while (bytes.length - at >= BATCH_HEADER_BYTES) {
    view.at(bytes, at);
    if (view.baseOffset === baseOffset) start = at;
    at += view.sizeBytes;
    if (view.endOffset === endOffset) break;
  }
  return bytes.subarray(start, at);
}

function quorumRecords(bytes: Buffer, at: number): { offset: number; record: QuorumRecord }[] {
  const found: { offset: number; record: QuorumRecord }[] = [];
  for (const { key, value, offset } of readRecords(bytes, at)) {
    const record = decodeControlRecord(key, value);
    if (record.type === 'KRAFT_VERSION' || record.type === 'KRAFT_VOTERS') found.push({ offset, record });
  }
  return found;
}

/** The quorum records of a log from an offset on, in steps. */
export function* quorumRecordsOf(
  log: PartitionLog,
  fromOffset: number,
  compute: Compute,
): Steps<{ offset: number; record: QuorumRecord }[]> {
  const found: { offset: number; record: QuorumRecord }[] = [];
  let offset = fromOffset;
  while (offset < log.logEndOffset) {
    const bytes = readRange(log, offset, log.logEndOffset, READ_BYTES);
    const batches = bytes === null ? [] : batchesIn(bytes, compute);
    const last = batches.at(-1);
    // What cannot be read here is refused by name when it is replayed.
    if (last === undefined) break;
    for (const batch of batches) found.push(...batch.controlRecords);
    offset = last.endOffset;
    yield;
  }
  return found;
}

/** Batches of the log from `fromOffset` on, whole ones but for the last; null when there are none. */
function readRange(
  log: PartitionLog,
  fromOffset: number,
  endOffset: number,
  maxBytes: number,
): Buffer | null {
  if (fromOffset < log.logStartOffset || fromOffset >= Math.min(endOffset, log.logEndOffset)) return null;
  const { errorCode, range, lengthBytes } = log.read(fromOffset, {
    maxBytes: Math.max(maxBytes, 1),
    upperBoundOffset: endOffset,
    minOneBatch: true,
  });
  if (errorCode !== ErrorCode.NONE || range === null) return null;
  try {
    const bytes = Buffer.allocUnsafe(lengthBytes);
    range.read(bytes, 0, 0, lengthBytes);
    return bytes;
  } finally {
    range.release();
  }
}

/** An answer of the machine with the records or snapshot bytes that it asks for. @throws DiskError when a snapshot cannot be read */
export function filledAnswer(
  effect: AnswerToSend,
  log: PartitionLog,
  store: MetadataSnapshotStore,
): RaftApis[ServedApiKey]['responseInput'] {
  if (effect.apiKey === 1 && effect.records !== null) {
    const { fromOffset, endOffset, maxBytes } = effect.records;
    const records = readRange(log, fromOffset, endOffset, maxBytes);
    const { body } = effect;
    return {
      ...body,
      responses: body.responses.map((topic) => ({
        ...topic,
        partitions: topic.partitions.map((partition) => ({ ...partition, records })),
      })),
    };
  }
  if (effect.apiKey === 59 && effect.snapshot !== null) {
    const { id, position, maxBytes } = effect.snapshot;
    const reader = store.openReader(id);
    const target = Buffer.allocUnsafe(maxBytes);
    let unalignedRecords: Buffer;
    try {
      unalignedRecords = target.subarray(0, reader.read(position, target, maxBytes));
    } finally {
      reader.close();
    }
    const { body } = effect;
    return {
      ...body,
      topics: body.topics.map((topic) => ({
        ...topic,
        partitions: topic.partitions.map((partition) => ({ ...partition, unalignedRecords })),
      })),
    };
  }
  return effect.body;
}
