import { BrokerError } from '../../base/broker-error.ts';
import { ErrorCode } from '../../base/errors.ts';
import type { Coordinator } from '../../coordinator/runtime/coordinator.ts';
import type { RecordTypes } from '../../coordinator/runtime/coordinator-record.ts';
import type { Shard } from '../../coordinator/runtime/shard.ts';
import type { Compute } from '../../io/compute.ts';
import type { PartitionLog } from '../../log/partition-log.ts';
import type { Steps } from '../../log/steps.ts';
import { ProtocolError } from '../../protocol/protocol-error.ts';
import { BATCH_HEADER_BYTES, BatchView } from '../../records/batch.ts';
import { decodeControlRecord } from '../../records/control-records.ts';
import {
  openBlock,
  readBlock,
  type RecordBlock,
  RecordFormatError,
  type RecordView,
} from '../../records/reader.ts';

/** Records replayed between two points where the loop may have its turn. */
const RECORDS_A_STEP = 128;

/** What a load needs. */
export interface ShardLoad<C extends Coordinator> {
  readonly shard: Shard<C>;
  readonly log: PartitionLog;
  readonly types: RecordTypes;
  readonly compute: Compute;
  /** Bytes read at a time: `offsets.load.buffer.size`. */
  readonly readBytes: number;
}

/** How far a load got. */
export interface LoadProgress {
  records: number;
  /** Kinds that this version does not know; skipped. */
  unknownRecords: number;
}

/**
 * Replays a partition's log into a shard, in steps, up to its end. Returns the offset it got to. It stops early when the shard is closed.
 * @throws BrokerError when the log cannot be read or holds what this version cannot apply
 */
export function* loadShard<C extends Coordinator>(load: ShardLoad<C>, progress: LoadProgress): Steps<number> {
  const { shard, log, readBytes } = load;
  const view = new BatchView();
  let offset = log.logStartOffset;
  while (offset < log.logEndOffset && shard.state === 'loading') {
    offset = Math.max(offset, log.logStartOffset);
    const buffer = readChunk(log, offset, readBytes);
    for (let at = 0; buffer.length - at >= BATCH_HEADER_BYTES; at += view.sizeBytes) {
      view.at(buffer, at);
      if (at + view.sizeBytes > buffer.length) break;
      if (view.lastOffset < offset) continue;
      yield* loadBatch(load, progress, buffer, at);
      if (shard.state !== 'loading') return offset;
      offset = view.at(buffer, at).endOffset;
      yield;
    }
  }
  return offset;
}

function* loadBatch<C extends Coordinator>(
  { shard, log, types, compute }: ShardLoad<C>,
  progress: LoadProgress,
  buffer: Buffer,
  at: number,
): Steps<void> {
  const view = new BatchView().at(buffer, at);
  const block = yield* open(log, compute, buffer, at);
  const producerId = view.isTransactional ? view.producerId : -1;
  let count = 0;
  for (const record of attempt(log, () => readBlock(view, block.buffer, block.start, block.end))) {
    if (shard.state !== 'loading') return;
    progress.records++;
    if (view.isControl) replayMarker(shard, log, view.producerId, record);
    else if (record.key !== null) {
      const { key, value, offset } = record;
      const decoded = attempt(log, () => types.decode(key, value));
      if (decoded === null) progress.unknownRecords++;
      else shard.replay(decoded, offset, producerId);
    }
    if (++count % RECORDS_A_STEP === 0) yield;
  }
}

function replayMarker<C extends Coordinator>(
  shard: Shard<C>,
  log: PartitionLog,
  producerId: number,
  { key, value }: RecordView,
): void {
  const { type } = attempt(log, () => decodeControlRecord(key, value));
  if (type === 'COMMIT' || type === 'ABORT') shard.replayTransactionEnd(producerId, type === 'COMMIT');
}

function* open(log: PartitionLog, compute: Compute, buffer: Buffer, at: number): Steps<RecordBlock> {
  let problem: Error | null = null;
  let opened: RecordBlock | null = null;
  yield (resume) =>
    openBlock(buffer, at, compute, (error, block) => {
      problem = error;
      opened = block;
      resume();
    });
  if (opened === null) throw damaged(log, problem);
  return opened;
}

/** Whole batches from the one that holds `offset` on, and perhaps a part of one more. */
function readChunk(log: PartitionLog, offset: number, maxBytes: number): Buffer {
  const { errorCode, range, lengthBytes } = log.read(offset, {
    maxBytes,
    upperBoundOffset: log.logEndOffset,
    minOneBatch: true,
  });
  if (errorCode !== ErrorCode.NONE || range === null) {
    throw new BrokerError('COORDINATOR_LOG_UNREADABLE', `${log.path} cannot be read at offset ${offset}`);
  }
  try {
    const buffer = Buffer.allocUnsafe(lengthBytes);
    range.read(buffer, 0, 0, lengthBytes);
    return buffer;
  } finally {
    range.release();
  }
}

/** Bytes that do not have the form they should are the log's damage. */
function attempt<T>(log: PartitionLog, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof RecordFormatError || cause instanceof ProtocolError) throw damaged(log, cause);
    throw cause;
  }
}

function damaged(log: PartitionLog, cause: Error | null): BrokerError {
  return new BrokerError(
    'COORDINATOR_LOG_DAMAGED',
    `${log.path} is damaged: ${cause?.message ?? 'no records'}`,
    {
      cause,
    },
  );
}
