import { BrokerError } from '../base/broker-error.ts';
import { ErrorCode } from '../base/errors.ts';
import type { Controller } from '../controller/controller.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { Steps } from '../log/steps.ts';
import { MetadataDelta } from '../metadata/metadata-delta.ts';
import type { MetadataProvenance } from '../metadata/metadata-image.ts';
import type { MetadataPublication } from '../metadata/metadata-loader.ts';
import { decodeRecord } from '../metadata/metadata-record.ts';
import { MAX_KRAFT_VERSION } from '../raft/quorum.ts';
import type { MetadataSnapshots } from './metadata-snapshots.ts';
import { BATCH_HEADER_BYTES, BatchView } from '../records/batch.ts';
import { decodeControlRecord } from '../records/control-records.ts';
import { readRecords, RecordFormatError } from '../records/reader.ts';

/** Bytes read at a time. */
const READ_BYTES = 256 * 1024;
/** Records replayed between two points where the loop may have its turn. */
const RECORDS_A_STEP = 256;

/**
 * Brings a controller that knows nothing to where the newest snapshot is. Returns what is to be published with what follows; null if there is no snapshot and the log
 * has everything. On an error the controller must be rolled back.
 * @throws BrokerError, DiskError as `MetadataSnapshots.load`
 */
export function* replaySnapshot(
  log: PartitionLog,
  snapshots: MetadataSnapshots,
  controller: Controller,
): Steps<MetadataPublication | null> {
  const empty = controller.nextOffset - 1;
  const loaded = yield* snapshots.load({
    take: (record, offset) => controller.replay(record, offset),
    reset: () => controller.rollbackTo(empty),
  });
  if (loaded === null) return null;
  const { id, preamble } = loaded;
  if (preamble.kraftVersion > MAX_KRAFT_VERSION)
    throw unknownVersion(log, preamble.kraftVersion, id.endOffset);
  return controller.completeBatch({
    offset: id.endOffset - 1,
    epoch: id.epoch,
    timestampMs: preamble.lastContainedLogTimestampMs,
  });
}

/** What a snapshot and the log after it gave, as one step from nothing: subscribers begin with all that there is. */
export function joinPublications(
  loaded: MetadataPublication | null,
  replayed: MetadataPublication | null,
): MetadataPublication | null {
  if (loaded === null || replayed === null) return loaded ?? replayed;
  const delta = MetadataDelta.fromNothing(replayed.image);
  delta.apply(replayed.image.provenance);
  return { ...replayed, delta };
}

/**
 * Replays the log from where the controller is up to `endOffset`, the end of a batch, or the log's present end, in steps. Returns what is to be published when that is committed; null when there was
 * nothing. On an error the controller must be rolled back. `replayed` is told the size of each batch.
 * @throws BrokerError when the log cannot be read or holds what this version cannot apply
 */
export function* replayLog(
  log: PartitionLog,
  controller: Controller,
  replayed: (sizeBytes: number) => void,
  endOffset = log.logEndOffset,
): Steps<MetadataPublication | null> {
  let offset = controller.nextOffset;
  if (offset < log.logStartOffset) {
    throw new BrokerError(
      'METADATA_UNREADABLE',
      `${log.path} begins at offset ${log.logStartOffset}, after what was replayed (${offset})`,
    );
  }
  let last: MetadataProvenance | null = null;
  const view = new BatchView();
  while (offset < endOffset) {
    const buffer = readChunk(log, offset, endOffset);
    for (let at = 0; at < buffer.length; at += view.sizeBytes) {
      if (buffer.length - at < BATCH_HEADER_BYTES) break;
      view.at(buffer, at);
      if (at + view.sizeBytes > buffer.length) break;
      if (view.lastOffset < offset) continue;
      last = { offset: view.lastOffset, epoch: view.partitionLeaderEpoch, timestampMs: view.maxTimestamp };
      offset = view.endOffset;
      replayed(view.sizeBytes);
      if (view.isControl) checkControlBatch(log, buffer, at);
      else yield* replayBatch(log, controller, buffer, at);
      yield;
    }
  }
  return last === null ? null : controller.completeBatch(last);
}

function* replayBatch(log: PartitionLog, controller: Controller, buffer: Buffer, at: number): Steps<void> {
  let count = 0;
  for (const { offset, value } of recordsAt(log, buffer, at)) {
    if (value === null) throw corrupt(log, `the record at offset ${offset} has no value`);
    controller.replay(decodeRecord(value, offset), offset);
    if (++count % RECORDS_A_STEP === 0) yield;
  }
}

/** Whole batches from the one that holds `offset` on, and perhaps a part of one more. */
function readChunk(log: PartitionLog, offset: number, endOffset: number): Buffer {
  const { errorCode, range, lengthBytes } = log.read(offset, {
    maxBytes: READ_BYTES,
    upperBoundOffset: endOffset,
    minOneBatch: true,
  });
  if (errorCode !== ErrorCode.NONE || range === null) {
    throw new BrokerError('METADATA_UNREADABLE', `${log.path} cannot be read at offset ${offset}`);
  }
  try {
    const buffer = Buffer.allocUnsafe(lengthBytes);
    range.read(buffer, 0, 0, lengthBytes);
    return buffer;
  } finally {
    range.release();
  }
}

/** Control batches change no metadata; the Raft machine has read them. A kraft.version to come means a quorum we cannot be a part of. */
function checkControlBatch(log: PartitionLog, buffer: Buffer, at: number): void {
  for (const { key, value, offset } of recordsAt(log, buffer, at)) {
    const record = decodeControlRecord(key, value);
    if (record.type === 'KRAFT_VERSION' && record.kraftVersion > MAX_KRAFT_VERSION) {
      throw unknownVersion(log, record.kraftVersion, offset);
    }
  }
}

function unknownVersion(log: PartitionLog, kraftVersion: number, offset: number): BrokerError {
  return new BrokerError(
    'METADATA_UNSUPPORTED',
    `${log.path} has kraft.version ${kraftVersion} at offset ${offset}, which this version does not know`,
  );
}

function recordsAt(log: PartitionLog, buffer: Buffer, at: number): ReturnType<typeof readRecords> {
  try {
    return readRecords(buffer, at);
  } catch (cause) {
    if (cause instanceof RecordFormatError) throw corrupt(log, cause.message);
    throw cause;
  }
}

function corrupt(log: PartitionLog, what: string): BrokerError {
  return new BrokerError('METADATA_CORRUPT', `${log.path} is damaged: ${what}`);
}
