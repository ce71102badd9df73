import { ErrorCode } from '../base/errors.ts';
import { assert } from '../base/assert.ts';
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
import type { BlockBudget } from './block-budget.ts';
import { MAX_WALK_BYTES, walkLargeBlock } from './block-walk.ts';
import { replaceBlock } from './builder.ts';
import { frameProblem } from './framing.ts';
import { highHalf, lowHalf } from './int64.ts';
import type { RecordError } from './record-error.ts';
import { inspectRecords, resequence } from './record-inspection.ts';
import { type Defer, type RecordSteps, runInTurns } from './turns.ts';

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
/** What is asked of the budget at first for a block of unknown size: the larger of this and so many times its input. Hardly a batch of records is denser; one that is is begun anew. */
const USUAL_BLOCK_BYTES = 1024 * 1024;
const USUAL_EXPANSION = 8;

/** What the validators of one broker share. */
export interface ValidationResources {
  readonly compute: Compute;
  /** At least `MAX_PRODUCED_BLOCK_BYTES`. */
  readonly budget: BlockBudget;
  readonly defer: Defer;
}

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
  readonly #budget: BlockBudget;
  readonly #defer: Defer;
  readonly #view = new BatchView();
  /** Bytes of the budget that are held. */
  #heldBytes = 0;
  #rules: ProduceRules | null = null;
  #nowMs = 0;
  #done: () => void = nothing;

  constructor({ compute, budget, defer }: ValidationResources) {
    this.#compute = compute;
    this.#budget = budget;
    this.#defer = defer;
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
    return this.#checkRecords();
  }

  /** Lets go of the batch. @returns the bytes of the budget that a rebuilt batch holds: the caller gives them back when it is done with it */
  release(): number {
    const heldBytes = this.#heldBytes;
    this.#heldBytes = 0;
    this.buffer = EMPTY;
    this.#block = EMPTY;
    this.#view.release();
    return heldBytes;
  }

  /** Keeps at most `bytes` of what is held. */
  #keep(bytes: number): void {
    const heldBytes = this.#heldBytes;
    this.#heldBytes = Math.min(heldBytes, bytes);
    if (heldBytes > bytes) this.#budget.release(heldBytes - bytes);
  }

  #hold(bytes: number, held: () => void): void {
    assert(this.#heldBytes === 0, 'a validator asks the budget for one block at a time');
    this.#budget.acquire(bytes, () => {
      this.#heldBytes = bytes;
      held();
    });
  }

  /** The batch is refused: nothing of it is held any more. */
  #refused(): void {
    this.#block = EMPTY;
    this.#keep(0);
    this.#done();
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

  #checkRecords(): void {
    const { buffer, start, end } = this;
    if (this.#view.codec === 0) return this.#look(buffer, start + BATCH_HEADER_BYTES, end);
    const inputBytes = end - start - BATCH_HEADER_BYTES;
    const usualBytes = Math.max(USUAL_BLOCK_BYTES, USUAL_EXPANSION * inputBytes);
    return this.#decompress(Math.min(usualBytes, MAX_PRODUCED_BLOCK_BYTES));
  }

  #boundBytes = 0;

  #decompress(boundBytes: number): void {
    this.#boundBytes = boundBytes;
    this.#hold(boundBytes, this.#onHeld);
  }

  readonly #onHeld = (): void => {
    const { buffer, start, end } = this;
    this.#compute.decompress(
      this.#view.codec as CompressionCodec,
      buffer,
      start + BATCH_HEADER_BYTES,
      end,
      this.#boundBytes,
      this.#onDecompressed,
    );
  };

  readonly #onDecompressed = (error: ComputeError | null, block: Buffer | null): void => {
    if (block !== null) return this.#look(block, 0, block.length);
    if (error?.reason === 'bounded' && this.#boundBytes < MAX_PRODUCED_BLOCK_BYTES) {
      this.#keep(0);
      return this.#decompress(MAX_PRODUCED_BLOCK_BYTES);
    }
    this.#refuseDecompression(error);
    return this.#refused();
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

  /** The uncompressed records. */
  #block: Buffer = EMPTY;
  #sequential = true;
  #maxHigh = NONE;
  #maxLow = 0xffffffff;

  /** Walks the uncompressed records: at once where they are few and right, as they are in general, else in turns. */
  #look(buffer: Buffer, start: number, end: number): void {
    const rules = this.#rules as ProduceRules;
    if (end - start <= MAX_WALK_BYTES) {
      const walk = this.#compute.walkRecords(buffer, start, end, this.#view.recordCount);
      if (this.#isPlain(rules, walk)) {
        this.#takePlain(walk);
        return this.#store(rules, buffer, start, end);
      }
      if (walk.status === 'corrupt') return this.#refuseMalformed(rules);
    }
    this.#block = start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end);
    return runInTurns(this.#inspect(rules, this.#block), this.#defer, this.#onInspected);
  }

  readonly #onInspected = (isRight: boolean): void => {
    if (!isRight) return this.#refused();
    const block = this.#block;
    return this.#store(this.#rules as ProduceRules, block, 0, block.length);
  };

  #refuseMalformed(rules: ProduceRules): void {
    this.#refuse(ErrorCode.INVALID_RECORD, `The batch for ${rules.name} holds malformed records`);
    this.#refused();
  }

  #takePlain(walk: RecordWalk): void {
    const maxTimestamp = Math.max(this.#view.baseTimestamp + walk.maxTimestampDelta, NONE);
    this.#sequential = walk.sequentialOffsets;
    this.#maxHigh = highHalf(maxTimestamp);
    this.#maxLow = lowHalf(maxTimestamp);
  }

  /** False if the batch is refused. */
  *#inspect(rules: ProduceRules, block: Buffer): RecordSteps<boolean> {
    const view = this.#view;
    if (block.length > MAX_WALK_BYTES) {
      const range = { start: 0, end: block.length };
      const walk = yield* walkLargeBlock(this.#compute, block, range, view.recordCount);
      if (walk.status === 'corrupt')
        return this.#refuse(ErrorCode.INVALID_RECORD, `The batch for ${rules.name} holds malformed records`);
      if (this.#isPlain(rules, walk)) {
        this.#takePlain(walk);
        return true;
      }
    }
    const found = yield* inspectRecords(view, block, rules, this.#nowMs);
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

  /** The records are right: the batch is kept as it is, or rebuilt of them where its codec or its offset deltas must change. */
  #store(rules: ProduceRules, buffer: Buffer, start: number, end: number): void {
    const source = this.#view.codec as CompressionCodec;
    const target = rules.targetCodec ?? source;
    // As in Apache Kafka, deltas of what stays uncompressed are the producer's own affair.
    if (target === source && (source === 0 || this.#sequential)) {
      this.#block = EMPTY;
      this.#keep(0);
      return this.#finish(rules);
    }
    this.#block = buffer.subarray(start, end);
    if (source !== 0) return this.#rebuildAs(target);
    return this.#hold(Math.min(end - start, MAX_PRODUCED_BLOCK_BYTES), () => this.#rebuildAs(target));
  }

  #rebuildAs(target: CompressionCodec): void {
    if (this.#sequential) return this.#recompress(target, this.#block);
    return runInTurns(resequence(this.#block, this.#view.recordCount), this.#defer, (records) => {
      this.#block = records;
      this.#recompress(target, records);
    });
  }

  #recompress(codec: CompressionCodec, block: Buffer): void {
    const rules = this.#rules as ProduceRules;
    if (codec === 0) return this.#rebuild(rules, 0, block);
    return this.#compute.compress(codec, block, rules.targetLevel, (error, output) => {
      if (output !== null) return this.#rebuild(rules, codec, output);
      this.#refuse(ErrorCode.UNKNOWN_SERVER_ERROR, `The records cannot be compressed: ${error?.message}`);
      return this.#refused();
    });
  }

  #rebuild(rules: ProduceRules, codec: CompressionCodec, block: Buffer): void {
    const sizeBytes = BATCH_HEADER_BYTES + block.length;
    if (sizeBytes > rules.maxMessageBytes) {
      this.#refuse(
        ErrorCode.MESSAGE_TOO_LARGE,
        `The rebuilt batch for ${rules.name} is ${sizeBytes} bytes, more than the allowed ${rules.maxMessageBytes}`,
      );
      return this.#refused();
    }
    const batch = replaceBlock(this.buffer, this.start, block, codec, this.#compute);
    this.#block = EMPTY;
    this.#keep(batch.length);
    this.buffer = batch;
    this.start = 0;
    this.end = batch.length;
    this.#view.at(batch, 0);
    return this.#finish(rules);
  }

  #finish(rules: ProduceRules): void {
    const sizeBytes = this.end - this.start;
    if (sizeBytes > rules.segmentBytes) {
      this.#refuse(
        ErrorCode.RECORD_LIST_TOO_LARGE,
        `The batch for ${rules.name} is ${sizeBytes} bytes, more than a segment of ${rules.segmentBytes}`,
      );
      return this.#refused();
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
