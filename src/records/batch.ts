import type { Compute, CompressionCodec } from '../io/compute.ts';
import { numberOfHalves, readInt64, writeInt64 } from './int64.ts';

/**
 * Record batch, magic 2. Header of 61 bytes, big-endian (formats §5):
 *
 * ```
 *  0 baseOffset           int64   21 attributes      int16   43 producerId     int64
 *  8 batchLength          int32   23 lastOffsetDelta int32   51 producerEpoch  int16
 * 12 partitionLeaderEpoch int32   27 baseTimestamp   int64   53 baseSequence   int32
 * 16 magic                int8    35 maxTimestamp    int64   57 recordCount    int32
 * 17 crc                  uint32                             61 records
 * ```
 *
 * The crc (CRC-32C) covers everything from `attributes` on, so offset and epoch can be patched without it.
 */

/** Bytes of the header of a batch with magic 2. */
export const BATCH_HEADER_BYTES = 61;
/** Bytes before the part that `batchLength` counts. */
export const BATCH_OVERHEAD_BYTES = 12;
/** Bytes from the start of a batch, of any magic, to the end of its magic byte. */
export const HEADER_BYTES_TO_MAGIC = 17;
/** The magic of batches that are accepted and written. */
export const CURRENT_MAGIC = 2;
/** Least `batchLength` of anything with a magic: a record of magic 0. */
export const MIN_LEGACY_LENGTH = 14;

/** Where the fields lie, in bytes from the start of the batch. */
export const BatchField = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const;

/** Bits of `attributes`. */
export const BatchAttribute = {
  codecMask: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
} as const;

/** "No producer id", epoch, sequence or timestamp. */
export const NONE = -1;
/** The sequence after 2147483647 is 0. */
const SEQUENCES = 0x8000_0000;

/** `sequence + increment` in the ring of sequence numbers, 0..2147483647. */
export function addToSequence(sequence: number, increment: number): number {
  const sum = sequence + increment;
  return sum < SEQUENCES ? sum : sum - SEQUENCES;
}

/**
 * A view of one batch's header. It holds no copy: getters read the bytes, so it is valid as long as they are. One view is
 * moved from batch to batch (`at`), nothing is allocated.
 */
export class BatchView {
  buffer: Buffer = EMPTY;
  /** First byte of the batch in `buffer`. */
  start = 0;

  /** Points the view at the batch that starts at `start`; at least the header must be there. */
  at(buffer: Buffer, start: number): this {
    this.buffer = buffer;
    this.start = start;
    return this;
  }

  /** Lets go of the bytes: a view that lives long must not keep a large buffer alive. */
  release(): void {
    this.buffer = EMPTY;
    this.start = 0;
  }

  get baseOffset(): number {
    return readInt64(this.buffer, this.start + BatchField.baseOffset);
  }

  /** Bytes of the whole batch, header included. */
  get sizeBytes(): number {
    return this.buffer.readInt32BE(this.start + BatchField.batchLength) + BATCH_OVERHEAD_BYTES;
  }

  get partitionLeaderEpoch(): number {
    return this.buffer.readInt32BE(this.start + BatchField.partitionLeaderEpoch);
  }

  get magic(): number {
    return this.buffer.readInt8(this.start + BatchField.magic);
  }

  /** The stored crc, unsigned. */
  get crc(): number {
    return this.buffer.readUInt32BE(this.start + BatchField.crc);
  }

  get attributes(): number {
    return this.buffer.readInt16BE(this.start + BatchField.attributes);
  }

  get lastOffsetDelta(): number {
    return this.buffer.readInt32BE(this.start + BatchField.lastOffsetDelta);
  }

  /** Offset of the last record the batch had when it was written; compaction keeps it. */
  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta;
  }

  /** Offset after the batch. */
  get endOffset(): number {
    return this.lastOffset + 1;
  }

  /** Nearest double; see `readInt64`. */
  get baseTimestamp(): number {
    return readInt64(this.buffer, this.start + BatchField.baseTimestamp);
  }

  /** Nearest double; exact as `maxTimestampHigh` and `maxTimestampLow`. */
  get maxTimestamp(): number {
    return numberOfHalves(this.maxTimestampHigh, this.maxTimestampLow);
  }

  get maxTimestampHigh(): number {
    return this.buffer.readInt32BE(this.start + BatchField.maxTimestamp);
  }

  get maxTimestampLow(): number {
    return this.buffer.readUInt32BE(this.start + BatchField.maxTimestamp + 4);
  }

  /** -1 for none. */
  get producerId(): number {
    return readInt64(this.buffer, this.start + BatchField.producerId);
  }

  get producerEpoch(): number {
    return this.buffer.readInt16BE(this.start + BatchField.producerEpoch);
  }

  get baseSequence(): number {
    return this.buffer.readInt32BE(this.start + BatchField.baseSequence);
  }

  /** Sequence of the last record, wrapped; -1 without sequences. */
  get lastSequence(): number {
    const first = this.baseSequence;
    return first < 0 ? NONE : addToSequence(first, this.lastOffsetDelta);
  }

  get recordCount(): number {
    return this.buffer.readInt32BE(this.start + BatchField.recordCount);
  }

  /** Codec id 0..7; only 0..4 exist. */
  get codec(): number {
    return this.attributes & BatchAttribute.codecMask;
  }

  get isTransactional(): boolean {
    return (this.attributes & BatchAttribute.transactional) !== 0;
  }

  get isControl(): boolean {
    return (this.attributes & BatchAttribute.control) !== 0;
  }

  /** True if readers take `maxTimestamp` as the timestamp of every record. */
  get isLogAppendTime(): boolean {
    return (this.attributes & BatchAttribute.logAppendTime) !== 0;
  }

  get hasProducerId(): boolean {
    return (
      this.buffer.readInt32BE(this.start + BatchField.producerId) !== NONE ||
      this.buffer.readUInt32BE(this.start + BatchField.producerId + 4) !== 0xffffffff
    );
  }
}

const EMPTY = Buffer.alloc(0);

/** CRC-32C of the batch that lies in `[start, start + sizeBytes)`, unsigned. */
export function computeBatchCrc(compute: Compute, buffer: Buffer, start: number, sizeBytes: number): number {
  return compute.crc32c(buffer, start + BatchField.attributes, start + sizeBytes);
}

/** True if the stored crc fits the bytes. The whole batch must be in the buffer. */
export function isCrcValid(compute: Compute, buffer: Buffer, start: number, sizeBytes: number): boolean {
  return computeBatchCrc(compute, buffer, start, sizeBytes) === buffer.readUInt32BE(start + BatchField.crc);
}

/** Patches what a leader assigns, in place; outside the crc. */
export function assignOffsetAndEpoch(buffer: Buffer, start: number, baseOffset: number, epoch: number): void {
  writeInt64(buffer, start + BatchField.baseOffset, baseOffset);
  buffer.writeInt32BE(epoch, start + BatchField.partitionLeaderEpoch);
}

/**
 * Sets timestamp type and max timestamp in place and brings the crc up to date; touches nothing if they are so already.
 * @returns true if something was changed.
 */
export function assignMaxTimestamp(
  compute: Compute,
  view: BatchView,
  timestamp: { readonly logAppendTime: boolean; readonly high: number; readonly low: number },
): boolean {
  if (
    view.isLogAppendTime === timestamp.logAppendTime &&
    view.maxTimestampHigh === timestamp.high &&
    view.maxTimestampLow === timestamp.low
  ) {
    return false;
  }
  const { buffer, start } = view;
  const attributes = timestamp.logAppendTime
    ? view.attributes | BatchAttribute.logAppendTime
    : view.attributes & ~BatchAttribute.logAppendTime;
  buffer.writeInt16BE(attributes, start + BatchField.attributes);
  buffer.writeInt32BE(timestamp.high, start + BatchField.maxTimestamp);
  buffer.writeUInt32BE(timestamp.low, start + BatchField.maxTimestamp + 4);
  buffer.writeUInt32BE(computeBatchCrc(compute, buffer, start, view.sizeBytes), start + BatchField.crc);
  return true;
}

/** True for the codec ids that exist. */
export function isKnownCodec(codec: number): codec is CompressionCodec {
  return codec >= 0 && codec <= 4;
}
