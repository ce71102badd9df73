import type { FileRange } from '../../disk.ts';
import type { SendPart } from '../../network.ts';
import { isSendable, partBytes, releasePart } from './connection.ts';

/** Bytes read from a range in one go. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Parts that wait behind a range without a descriptor, which is read piece by piece as the kernel takes the bytes; that range first. Only disks other than
 * the one in `io/node` give such ranges.
 */
export class PartQueue {
  readonly #parts: SendPart[] = [];
  /** Bytes of the first part that have been given on. */
  #doneBytes = 0;
  /** Bytes of all parts that are left. */
  leftBytes = 0;
  /** A call of `feed` is due. */
  scheduled = false;
  /** The connection ends after the last part. */
  closing = false;

  get empty(): boolean {
    return this.#parts.length === 0;
  }

  add(part: SendPart): void {
    this.#parts.push(part);
    this.leftBytes += partBytes(part);
  }

  /** Gives about `maxBytes` on, as bytes or as ranges that have a descriptor. False when a range could not be read. */
  feed(maxBytes: number, give: (part: SendPart) => void): boolean {
    for (let given = 0; given < maxBytes && !this.empty; ) {
      const part = this.#parts[0] as SendPart;
      if (Buffer.isBuffer(part) || isSendable(part)) {
        this.#next();
        give(part);
        given += partBytes(part);
        continue;
      }
      const chunk = this.#read(part);
      if (chunk === null) return false;
      give(chunk);
      given += chunk.length;
    }
    return true;
  }

  /** Nothing of it will be sent. */
  drop(): void {
    for (const part of this.#parts.splice(0)) releasePart(part);
    this.leftBytes = 0;
  }

  #read(range: FileRange): Buffer | null {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, range.lengthBytes - this.#doneBytes));
    if (range.revoked) return null;
    try {
      range.read(chunk, 0, this.#doneBytes, chunk.length);
    } catch {
      return null;
    }
    this.#doneBytes += chunk.length;
    this.leftBytes -= chunk.length;
    if (this.#doneBytes === range.lengthBytes) {
      this.#next();
      releasePart(range);
    }
    return chunk;
  }

  #next(): void {
    this.leftBytes -= partBytes(this.#parts.shift() as SendPart) - this.#doneBytes;
    this.#doneBytes = 0;
  }
}
