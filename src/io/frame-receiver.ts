import { assert } from '../base/assert.ts';
import type { FrameBatch } from './frame-batch.ts';
import type { ConnectionId } from './network.ts';

/** What a frame's own buffer has at least, so that small frames are received without growing. */
const FIRST_CAPACITY_BYTES = 64 * 1024;
const PREFIX_BYTES = 4;

/**
 * Splits the bytes of one connection into frames. A frame that lies whole in a chunk is handed over as a view of it; one that spans chunks is
 * collected in a buffer of its own, which grows with what has arrived: never more than twice that, or 64 KiB. Without credits bytes stay unparsed.
 *
 *     [size: int32 big-endian][frame: size bytes] …
 */
export class FrameReceiver {
  readonly #connection: ConnectionId;
  readonly #maxFrameBytes: number;
  /** Bytes that have arrived and are not parsed yet. */
  #chunks: Buffer[] = [];
  #at = 0;
  /** Bytes of a size prefix that came apart, and their value so far. */
  #prefixBytes = 0;
  #prefix = 0;
  /** The frame that is being collected; null between frames. */
  #frame: Buffer | null = null;
  #frameBytes = 0;
  #arrivedBytes = 0;
  #framesBegun = 0;
  #credits = 0;
  #badSize: number | null = null;

  constructor(connection: ConnectionId, maxFrameBytes: number) {
    this.#connection = connection;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Frames that may still be handed over. */
  get credits(): number {
    return this.#credits;
  }

  set credits(credits: number) {
    assert(Number.isSafeInteger(credits) && credits >= 0, 'credits are a whole number');
    this.#credits = credits;
  }

  /** True while there are bytes that were not parsed for lack of credits. */
  get hasBacklog(): boolean {
    return this.#chunks.length > 0;
  }

  /** True while a frame has begun and is not whole, as far as the bytes are parsed. */
  get incomplete(): boolean {
    return this.#prefixBytes > 0 || this.#frame !== null;
  }

  /** Counts the frames that came apart: a change means that another one is incomplete now. */
  get framesBegun(): number {
    return this.#framesBegun;
  }

  /** Memory it holds. */
  get heldBytes(): number {
    let heldBytes = this.#frame?.length ?? 0;
    for (const chunk of this.#chunks) heldBytes += chunk.length;
    return heldBytes - this.#at;
  }

  /** The size prefix that ended this connection, null while all were right. */
  get badSize(): number | null {
    return this.#badSize;
  }

  /** Bytes arrived; the chunk belongs to the receiver. */
  push(chunk: Buffer): void {
    if (chunk.length > 0 && this.#badSize === null) this.#chunks.push(chunk);
  }

  /** Moves whole frames into the batch, one per credit. What the batch then shows is overwritten by later pushes, not before. */
  take(batch: FrameBatch): void {
    while (this.#credits > 0 && this.#badSize === null) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) return;
      if (this.#frame !== null) this.#collect(this.#frame, chunk, batch);
      else if (this.#prefixBytes > 0 || chunk.length - this.#at < PREFIX_BYTES)
        this.#collectPrefix(chunk, batch);
      else this.#takeFrom(chunk, batch);
    }
  }

  /** Drops everything: the connection is gone. */
  clear(): void {
    this.#chunks = [];
    this.#at = 0;
    this.#frame = null;
    this.#prefixBytes = 0;
  }

  /** A size prefix lies in the chunk, and perhaps the frame too. */
  #takeFrom(chunk: Buffer, batch: FrameBatch): void {
    const sizeBytes = chunk.readInt32BE(this.#at);
    if (!this.#checkSize(sizeBytes)) return;
    const start = this.#at + PREFIX_BYTES;
    const end = start + sizeBytes;
    if (end <= chunk.length) {
      this.#credits--;
      batch.add(this.#connection, chunk, start, end, false);
      this.#advance(chunk, end);
    } else {
      this.#framesBegun++;
      this.#begin(sizeBytes, chunk.length - start);
      this.#advance(chunk, start);
    }
  }

  #collectPrefix(chunk: Buffer, batch: FrameBatch): void {
    const byte = chunk[this.#at] as number;
    this.#advance(chunk, this.#at + 1);
    if (this.#prefixBytes === 0) this.#framesBegun++;
    this.#prefix = (this.#prefix << 8) | byte;
    if (++this.#prefixBytes < PREFIX_BYTES) return;
    const sizeBytes = this.#prefix;
    this.#prefixBytes = 0;
    this.#prefix = 0;
    if (!this.#checkSize(sizeBytes)) return;
    const frame = this.#begin(sizeBytes, 0);
    if (sizeBytes === 0) this.#finish(frame, batch);
  }

  #begin(sizeBytes: number, expectedBytes: number): Buffer {
    this.#frameBytes = sizeBytes;
    this.#arrivedBytes = 0;
    const capacityBytes = Math.min(sizeBytes, Math.max(FIRST_CAPACITY_BYTES, expectedBytes));
    this.#frame = Buffer.allocUnsafeSlow(capacityBytes);
    return this.#frame;
  }

  /** Adds to the frame that is being collected; hands it over when it is whole. */
  #collect(frame: Buffer, chunk: Buffer, batch: FrameBatch): void {
    const count = Math.min(this.#frameBytes - this.#arrivedBytes, chunk.length - this.#at);
    const buffer = this.#reserve(frame, this.#arrivedBytes + count);
    chunk.copy(buffer, this.#arrivedBytes, this.#at, this.#at + count);
    this.#arrivedBytes += count;
    this.#advance(chunk, this.#at + count);
    if (this.#arrivedBytes === this.#frameBytes) this.#finish(buffer, batch);
  }

  #finish(frame: Buffer, batch: FrameBatch): void {
    assert(frame.length === this.#frameBytes, 'a collected frame fills its buffer');
    this.#frame = null;
    this.#credits--;
    batch.add(this.#connection, frame, 0, frame.length, true);
  }

  #reserve(frame: Buffer, neededBytes: number): Buffer {
    if (neededBytes <= frame.length) return frame;
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#frameBytes, Math.max(neededBytes, frame.length * 2)));
    frame.copy(grown, 0, 0, this.#arrivedBytes);
    this.#frame = grown;
    return grown;
  }

  #checkSize(sizeBytes: number): boolean {
    if (sizeBytes >= 0 && sizeBytes <= this.#maxFrameBytes) return true;
    this.#badSize = sizeBytes;
    this.#chunks = [];
    this.#at = 0;
    return false;
  }

  #advance(chunk: Buffer, to: number): void {
    this.#at = to;
    if (to < chunk.length) return;
    this.#chunks.shift();
    this.#at = 0;
  }
}
