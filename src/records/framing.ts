import { ErrorCode } from '../base/errors.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  BatchField,
  CURRENT_MAGIC,
  HEADER_BYTES_TO_MAGIC,
  MIN_LEGACY_LENGTH,
} from './batch.ts';

/** Why bytes are not one batch that a Produce request may bring. */
export interface FrameProblem {
  readonly code: ErrorCode;
  readonly message: string;
}

const NO_BATCH = problem(
  ErrorCode.INVALID_RECORD,
  'There must be one record batch per partition, found none',
);
// Kafka's reader takes a batch that is cut short for none at all.
const TRUNCATED = problem(ErrorCode.INVALID_RECORD, 'The record batch is cut short');
const BAD_LENGTH = problem(ErrorCode.CORRUPT_MESSAGE, 'The record batch has an impossible length');
const BAD_MAGIC = problem(ErrorCode.CORRUPT_MESSAGE, 'The magic of the record batch is unknown');
const OTHER_MAGIC = problem(ErrorCode.INVALID_RECORD, 'Only record batches with magic 2 can be produced');
const SEVERAL = problem(
  ErrorCode.INVALID_RECORD,
  'There must be one record batch per partition, found several',
);

function problem(code: ErrorCode, message: string): FrameProblem {
  return { code, message };
}

/**
 * Null if `[start, end)` begins with one whole batch of magic 2 and no other whole batch follows. The beginning of another may follow: readers of a log drop such a tail too.
 * Codes and their order are what Apache Kafka 4.2.1 was seen to answer (`test/interop/kafka-differences.test.ts`).
 */
export function frameProblem(buffer: Buffer, start: number, end: number): FrameProblem | null {
  const available = end - start;
  if (available === 0) return NO_BATCH;
  if (available < BATCH_OVERHEAD_BYTES) return TRUNCATED;
  const length = buffer.readInt32BE(start + BatchField.batchLength);
  if (length < MIN_LEGACY_LENGTH) return BAD_LENGTH;
  if (available < HEADER_BYTES_TO_MAGIC) return TRUNCATED;
  const magic = buffer.readInt8(start + BatchField.magic);
  if (magic < 0 || magic > CURRENT_MAGIC) return BAD_MAGIC;
  if (magic !== CURRENT_MAGIC) return OTHER_MAGIC;
  if (length < BATCH_HEADER_BYTES - BATCH_OVERHEAD_BYTES) return BAD_LENGTH;
  if (length + BATCH_OVERHEAD_BYTES > available) return TRUNCATED;
  return tailProblem(buffer, start + length + BATCH_OVERHEAD_BYTES, end);
}

function tailProblem(buffer: Buffer, start: number, end: number): FrameProblem | null {
  const available = end - start;
  if (available < BATCH_OVERHEAD_BYTES) return null;
  const length = buffer.readInt32BE(start + BatchField.batchLength);
  if (length < MIN_LEGACY_LENGTH) return BAD_LENGTH;
  if (available < HEADER_BYTES_TO_MAGIC) return null;
  const magic = buffer.readInt8(start + BatchField.magic);
  if (magic < 0 || magic > CURRENT_MAGIC) return BAD_MAGIC;
  return length + BATCH_OVERHEAD_BYTES > available ? null : SEVERAL;
}
