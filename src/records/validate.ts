import { ErrorCode } from '../base/errors.ts';
import type { Compute, ComputeError, CompressionCodec, RecordWalk } from '../io/compute.ts';
import {
  assignMaxTimestamp,
  BATCH_HEADER_BYTES,
  BatchView,
  CURRENT_MAGIC,
  isCrcValid,
  isKnownCodec,
  NONE,
} from './batch.ts';
import { replaceBlock } from './builder.ts';
import { frameProblem } from './framing.ts';
import { highHalf, lowHalf } from './int64.ts';
import type { RecordError } from './record-error.ts';
import { inspectRecords, resequence } from './record-inspection.ts';

/**
 * What a leader checks before it appends a produced batch, and the edits it makes in place (formats §9). One pass over the bytes for the crc, one for the
 * records; the bytes are read again only for what is about to be refused or has timestamps past 2^53.
 */

/** A topic's rules for produced batches; made once per configuration. */
export interface ProduceRules {
  /** `topic-partition`, for messages. */
  readonly name: string;
  readonly maxMessageBytes: number;
  /** The batch must fit in a segment. */
  readonly segmentBytes: number;
  /** True if every record needs a key. */
  readonly compacted: boolean;
  /** True if the broker's clock gives the timestamps. */
  readonly logAppendTime: boolean;
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
  /** Codec the topic stores; null keeps the producer's. */
  readonly targetCodec: CompressionCodec | null;
  /** Null takes the codec's default. */
  readonly targetLevel: number | null;
}

/** The bytes of one partition in a Produce request. */
export interface ProducedBytes {
  /** `[start, end)`; edited in place. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly produceVersion: number;
  readonly nowMs: number;
}

/** Largest block of records a produced batch may decompress to. */
export const MAX_PRODUCED_BLOCK_BYTES = 128 * 1024 * 1024;

const NO_RECORD_ERRORS: readonly RecordError[] = [];

/**
 * Validates one batch at a time and holds the result until the next. Used by one lane, so that nothing is allocated for an uncompressed batch that is
 * right.
 */
export class ProduceValidator {
  /** `NONE`, or why the batch is refused. */
  errorCode: ErrorCode = ErrorCode.NONE;
  errorMessage: string | null = null;
  recordErrors: readonly RecordError[] = NO_RECORD_ERRORS;
  /** Where the batch lies now: the bytes that were given, or a new buffer if it had to be rebuilt. One whole batch, nothing after it. */
  buffer: Buffer = EMPTY;
  start = 0;
  end = 0;

  readonly #compute: Compute;
  readonly #view = new BatchView();
  #rules: ProduceRules | null = null;
  #nowMs = 0;
  #done: () => void = nothing;

  constructor(compute: Compute) {
    this.#compute = compute;
  }

  /** Calls `done` once, inline or later, when the fields above hold the result. Not to be called again before. */
  validate(bytes: ProducedBytes, rules: ProduceRules, done: () => void): void {
    this.errorCode = ErrorCode.NONE;
    this.errorMessage = null;
    this.recordErrors = NO_RECORD_ERRORS;
    this.buffer = bytes.buffer;
    this.start = bytes.start;
    this.end = bytes.end;
    this.#rules = rules;
    this.#nowMs = bytes.nowMs;
    this.#done = done;
    if (!this.#checkFrame(bytes) || !this.#checkHeader(rules)) return done();
    return this.#checkRecords(rules);
  }

  /** Lets go of the batch. */
  release(): void {
    this.buffer = EMPTY;
    this.#view.release();
  }

  #refuse(code: ErrorCode, message: string): false {
    this.errorCode = code;
    this.errorMessage = message;
    return false;
  }

  /** One whole batch, of a magic and codec that this request may bring. */
  #checkFrame(bytes: ProducedBytes): boolean {
    const problem = frameProblem(bytes.buffer, bytes.start, bytes.end);
    if (problem !== null) return this.#refuse(problem.code, problem.message);
    const view = this.#view.at(bytes.buffer, bytes.start);
    if (view.codec === ZSTD && bytes.produceVersion < 7) {
      return this.#refuse(
        ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
        `Produce requests with version ${bytes.produceVersion} are not allowed to use ZStandard compression`,
      );
    }
    this.end = bytes.start + view.sizeBytes;
    return true;
  }

  #checkHeader(rules: ProduceRules): boolean {
    const view = this.#view;
    const sizeBytes = view.sizeBytes;
    if (view.baseOffset !== 0) {
      return this.#refuse(
        ErrorCode.INVALID_RECORD,
        `The base offset of a produced batch should be 0, but it is ${view.baseOffset}`,
      );
    }
    if (sizeBytes > rules.maxMessageBytes) {
      return this.#refuse(
        ErrorCode.MESSAGE_TOO_LARGE,
        `The batch for ${rules.name} is ${sizeBytes} bytes, more than the allowed ${rules.maxMessageBytes}`,
      );
    }
    if (!isCrcValid(this.#compute, view.buffer, view.start, sizeBytes)) {
      return this.#refuse(ErrorCode.CORRUPT_MESSAGE, `The batch for ${rules.name} has a wrong CRC`);
    }
    const problem = headerProblem(view);
    if (problem !== null) return this.#refuse(ErrorCode.INVALID_RECORD, `${problem} (${rules.name})`);
    if (!isKnownCodec(view.codec)) {
      return this.#refuse(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, `Unknown compression codec ${view.codec}`);
    }
    return true;
  }

  #checkRecords(rules: ProduceRules): void {
    const { buffer, start, end } = this;
    const codec = this.#view.codec as CompressionCodec;
    if (codec !== 0) {
      return this.#compute.decompress(
        codec,
        buffer,
        start + BATCH_HEADER_BYTES,
        end,
        MAX_PRODUCED_BLOCK_BYTES,
        this.#onDecompressed,
      );
    }
    if (!this.#checkBlock(rules, buffer, start + BATCH_HEADER_BYTES, end)) return this.#done();
    const target = rules.targetCodec ?? 0;
    if (target !== 0) return this.#recompress(target, buffer.subarray(start + BATCH_HEADER_BYTES, end));
    return this.#finish(rules);
  }

  readonly #onDecompressed = (error: ComputeError | null, block: Buffer | null): void => {
    const rules = this.#rules as ProduceRules;
    if (block === null) {
      this.#refuseDecompression(error);
      return this.#done();
    }
    if (!this.#checkBlock(rules, block, 0, block.length)) return this.#done();
    const source = this.#view.codec as CompressionCodec;
    const target = rules.targetCodec ?? source;
    if (target === source && this.#sequential) return this.#finish(rules);
    const records = this.#sequential ? block : resequence(block);
    return this.#recompress(target, records);
  };

  #refuseDecompression(error: ComputeError | null): void {
    if (error?.reason === 'bounded') {
      this.#refuse(
        ErrorCode.MESSAGE_TOO_LARGE,
        `The batch decompresses to more than ${MAX_PRODUCED_BLOCK_BYTES} bytes`,
      );
    } else if (error?.reason === 'unsupported') {
      this.#refuse(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, error.message);
    } else {
      this.#refuse(
        ErrorCode.CORRUPT_MESSAGE,
        `The records cannot be decompressed: ${error?.message ?? 'no output'}`,
      );
    }
  }

  #sequential = true;
  #maxHigh = NONE;
  #maxLow = 0xffffffff;

  /** Walks the uncompressed records and leaves their largest timestamp; false if the batch is refused. */
  #checkBlock(rules: ProduceRules, block: Buffer, start: number, end: number): boolean {
    const view = this.#view;
    const walk = this.#compute.walkRecords(block, start, end, view.recordCount);
    if (walk.status === 'corrupt') {
      return this.#refuse(ErrorCode.INVALID_RECORD, `The batch for ${rules.name} holds malformed records`);
    }
    this.#sequential = walk.sequentialOffsets;
    if (this.#isPlain(rules, walk)) {
      const maxTimestamp = Math.max(view.baseTimestamp + walk.maxTimestampDelta, NONE);
      this.#maxHigh = highHalf(maxTimestamp);
      this.#maxLow = lowHalf(maxTimestamp);
      return true;
    }
    const found = inspectRecords(view, block.subarray(start, end), rules, this.#nowMs);
    this.#sequential = found.sequentialOffsets;
    this.#maxHigh = found.maxTimestampHigh;
    this.#maxLow = found.maxTimestampLow;
    if (found.recordErrors.length === 0) return true;
    this.recordErrors = found.recordErrors;
    return found.invalidTimestamp
      ? this.#refuse(
          ErrorCode.INVALID_TIMESTAMP,
          'One or more records have been rejected due to invalid timestamp',
        )
      : this.#refuse(
          ErrorCode.INVALID_RECORD,
          `One or more records have been rejected: ${found.recordErrors[0]?.message}`,
        );
  }

  /** True if what the walk found says that no record can be refused, and gives the largest timestamp exactly. */
  #isPlain(rules: ProduceRules, walk: RecordWalk): boolean {
    const view = this.#view;
    if (walk.status !== 'ok' || (rules.compacted && walk.hasNullKey) || view.isLogAppendTime) return false;
    const base = view.baseTimestamp;
    const max = base + walk.maxTimestampDelta;
    const min = base + walk.minTimestampDelta;
    if (!Number.isSafeInteger(base) || !Number.isSafeInteger(max) || !Number.isSafeInteger(min)) return false;
    if (rules.logAppendTime) return true;
    return (
      (min === NONE && max === NONE) ||
      (min >= this.#nowMs - rules.timestampBeforeMaxMs && max <= this.#nowMs + rules.timestampAfterMaxMs)
    );
  }

  #recompress(codec: CompressionCodec, block: Buffer): void {
    const rules = this.#rules as ProduceRules;
    if (codec === 0) return this.#rebuild(rules, 0, block);
    return this.#compute.compress(codec, block, rules.targetLevel, (error, output) => {
      if (output !== null) return this.#rebuild(rules, codec, output);
      this.#refuse(ErrorCode.UNKNOWN_SERVER_ERROR, `The records cannot be compressed: ${error?.message}`);
      return this.#done();
    });
  }

  #rebuild(rules: ProduceRules, codec: CompressionCodec, block: Buffer): void {
    const batch = replaceBlock(this.buffer, this.start, block, codec, this.#compute);
    this.buffer = batch;
    this.start = 0;
    this.end = batch.length;
    this.#view.at(batch, 0);
    if (batch.length > rules.maxMessageBytes) {
      this.#refuse(
        ErrorCode.MESSAGE_TOO_LARGE,
        `The rebuilt batch for ${rules.name} is ${batch.length} bytes, more than the allowed ${rules.maxMessageBytes}`,
      );
      return this.#done();
    }
    return this.#finish(rules);
  }

  #finish(rules: ProduceRules): void {
    const sizeBytes = this.end - this.start;
    if (sizeBytes > rules.segmentBytes) {
      this.#refuse(
        ErrorCode.RECORD_LIST_TOO_LARGE,
        `The batch for ${rules.name} is ${sizeBytes} bytes, more than a segment of ${rules.segmentBytes}`,
      );
      return this.#done();
    }
    const { logAppendTime } = rules;
    const high = logAppendTime ? highHalf(this.#nowMs) : this.#maxHigh;
    const low = logAppendTime ? lowHalf(this.#nowMs) : this.#maxLow;
    assignMaxTimestamp(this.#compute, this.#view, { logAppendTime, high, low });
    return this.#done();
  }
}

const EMPTY = Buffer.alloc(0);
const ZSTD = 4;

function nothing(): void {}

/** What is wrong with the numbers of a client's header, null if nothing. */
function headerProblem(view: BatchView): string | null {
  if (view.magic !== CURRENT_MAGIC) return `magic ${view.magic}`;
  const { recordCount, lastOffsetDelta } = view;
  if (recordCount <= 0) return `Invalid reported count for record batch: ${recordCount}`;
  if (lastOffsetDelta + 1 !== recordCount) {
    return `Inconsistent batch: last offset delta ${lastOffsetDelta} and ${recordCount} records`;
  }
  if (view.isControl) return 'Clients are not allowed to write control records';
  if (!view.hasProducerId) return null;
  if (view.baseSequence < 0)
    return `Invalid sequence number ${view.baseSequence} in a batch with a producer id`;
  // An id that a double cannot hold was never given out by a controller.
  if (!Number.isSafeInteger(view.producerId) || view.producerId < 0) return 'Producer id out of range';
  return view.producerEpoch < 0 ? `Invalid producer epoch ${view.producerEpoch}` : null;
}
