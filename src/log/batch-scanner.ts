import type { Compute } from '../io/compute.ts';
import type { DiskFile } from '../io/disk.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  BatchField,
  BatchView,
  CURRENT_MAGIC,
  isCrcValid,
  MIN_LEGACY_LENGTH,
} from '../records/batch.ts';
import { highHalf, lowHalf } from '../records/int64.ts';
import { isLegacyCrcValid, legacyEntryAt } from '../records/legacy.ts';

/** Least bytes of anything that can stand in a log: an entry of magic 0 without key and value. */
const MIN_ENTRY_BYTES = MIN_LEGACY_LENGTH + BATCH_OVERHEAD_BYTES;

/**
 * Walks the batches of a segment file by their headers, reading in chunks into a buffer that is used again and again. Fields hold the current batch until the next
 * move. Entries of the old magics 0 and 1 are stepped over like batches without producer and epoch.
 */
export class BatchScanner {
  /** First byte of the current batch in the file. */
  position = 0;
  /** Bytes of the current batch. */
  sizeBytes = 0;
  magic = CURRENT_MAGIC;
  /** The header, if `magic` is 2. */
  readonly view = new BatchView();
  /** For magic 0 and 1 the same as `lastOffset`. */
  baseOffset = 0;
  lastOffset = 0;
  maxTimestampHigh = 0;
  maxTimestampLow = 0;
  /** -1 with magic 0 and 1. */
  leaderEpoch = -1;
  /** Why `next` answered false: the end was reached, or what stands there is no whole batch. */
  stopped: 'end' | 'malformed' = 'end';

  readonly #chunk: Buffer;
  #file: DiskFile | null = null;
  #end = 0;
  /** `[chunkStart, chunkEnd)` of the file is in the chunk. */
  #chunkStart = 0;
  #chunkEnd = 0;
  #following = 0;
  #readBytes = 0;

  /** @param chunk the buffer to read into, at least 64 bytes; shared by scanners that are not used at the same time */
  constructor(chunk: Buffer) {
    this.#chunk = chunk;
  }

  /** Begins before the batch at `position`; scans up to `end`. One read brings `readBytes` (as much as the chunk holds when left out). */
  over(file: DiskFile, position: number, end: number, readBytes = this.#chunk.length): this {
    this.#file = file;
    this.#end = end;
    this.#following = position;
    this.#chunkStart = 0;
    this.#chunkEnd = 0;
    this.#readBytes = Math.min(Math.max(readBytes, BATCH_HEADER_BYTES), this.#chunk.length);
    return this;
  }

  /** Position after the current batch. */
  get endPosition(): number {
    return this.position + this.sizeBytes;
  }

  /** Moves to the next batch; false at the end or where no whole batch stands. @throws DiskError */
  next(): boolean {
    const position = this.#following;
    const available = this.#end - position;
    this.stopped = available === 0 ? 'end' : 'malformed';
    if (available < MIN_ENTRY_BYTES) return false;
    const at = this.#bring(position, Math.min(available, BATCH_HEADER_BYTES));
    if (at < 0) return false;
    const chunk = this.#chunk;
    const length = chunk.readInt32BE(at + BatchField.batchLength);
    const magic = chunk.readInt8(at + BatchField.magic);
    const least = magic === CURRENT_MAGIC ? BATCH_HEADER_BYTES : MIN_ENTRY_BYTES;
    if (magic < 0 || magic > CURRENT_MAGIC || length + BATCH_OVERHEAD_BYTES < least) return false;
    if (length + BATCH_OVERHEAD_BYTES > available) return false;
    this.position = position;
    this.sizeBytes = length + BATCH_OVERHEAD_BYTES;
    this.magic = magic;
    this.#following = position + this.sizeBytes;
    this.#take(at);
    return true;
  }

  /**
   * Position of the current batch in the returned chunk if it is there whole (it is read again from its start if need be); -1 if it is larger than the chunk.
   * @throws DiskError
   */
  whole(): number {
    if (this.sizeBytes > this.#chunk.length) return -1;
    const at = this.#bring(this.position, this.sizeBytes);
    if (at >= 0 && this.magic === CURRENT_MAGIC) this.view.at(this.#chunk, at);
    return at;
  }

  /** The buffer that positions speak of. */
  get chunk(): Buffer {
    return this.#chunk;
  }

  /** The whole current batch, in the chunk or, if it is too large for that, in a new buffer. @throws DiskError */
  readWhole(): { readonly buffer: Buffer; readonly start: number } | null {
    const start = this.whole();
    if (start >= 0) return { buffer: this.#chunk, start };
    const buffer = Buffer.allocUnsafe(this.sizeBytes);
    const read = (this.#file as DiskFile).read(this.position, buffer, 0, this.sizeBytes);
    return read === this.sizeBytes ? { buffer, start: 0 } : null;
  }

  /** True if the crc of the current batch fits. A batch larger than the chunk is read in pieces; the header is then read again. @throws DiskError */
  isValid(compute: Compute): boolean {
    const at = this.whole();
    if (this.magic !== CURRENT_MAGIC) return this.#isLegacyValid(at);
    if (at >= 0) return isCrcValid(compute, this.#chunk, at, this.sizeBytes);
    const stored = this.view.crc;
    let crc = 0;
    let position = this.position + BatchField.attributes;
    const end = this.endPosition;
    while (position < end) {
      const wanted = Math.min(this.#chunk.length, end - position);
      const read = (this.#file as DiskFile).read(position, this.#chunk, 0, wanted);
      if (read !== wanted) return false;
      crc = compute.crc32c(this.#chunk, 0, wanted, crc);
      position += wanted;
    }
    this.#chunkEnd = 0;
    const header = this.#bring(this.position, BATCH_HEADER_BYTES);
    if (header >= 0) this.#take(header);
    return header >= 0 && crc === stored;
  }

  #isLegacyValid(at: number): boolean {
    if (at >= 0) return isLegacyCrcValid(this.#chunk, at);
    const whole = this.readWhole();
    return whole !== null && isLegacyCrcValid(whole.buffer, whole.start);
  }

  #take(at: number): void {
    const view = this.view.at(this.#chunk, at);
    if (this.magic === CURRENT_MAGIC) {
      this.baseOffset = view.baseOffset;
      this.lastOffset = view.lastOffset;
      this.maxTimestampHigh = view.maxTimestampHigh;
      this.maxTimestampLow = view.maxTimestampLow;
      this.leaderEpoch = view.partitionLeaderEpoch;
      return;
    }
    const entry = legacyEntryAt(this.#chunk, at);
    this.baseOffset = entry.lastOffset;
    this.lastOffset = entry.lastOffset;
    this.maxTimestampHigh = highHalf(entry.maxTimestampMs);
    this.maxTimestampLow = lowHalf(entry.maxTimestampMs);
    this.leaderEpoch = -1;
  }

  /** Has `[position, position + lengthBytes)` in the chunk; returns where, or -1 if the file does not have so much. */
  #bring(position: number, lengthBytes: number): number {
    if (position < this.#chunkStart || position + lengthBytes > this.#chunkEnd) {
      const wanted = Math.min(Math.max(this.#readBytes, lengthBytes), this.#end - position);
      this.#chunkStart = position;
      this.#chunkEnd = position + (this.#file as DiskFile).read(position, this.#chunk, 0, wanted);
      if (this.#chunkEnd < position + lengthBytes) return -1;
    }
    return position - this.#chunkStart;
  }
}
