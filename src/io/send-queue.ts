import type { FileRange } from './disk.ts';
import type { SendPart } from './network.ts';

/** What one connection has still to send, in order. Each file range holds the reference that was given over until its bytes were taken or the queue is cleared. */
export class SendQueue {
  readonly #revoked: (range: FileRange) => void;
  #parts: SendPart[] = [];
  #head = 0;
  /** Bytes of the first part that were taken. */
  #taken = 0;
  #unsentBytes = 0;
  #closed = false;

  /** @param revoked told when a range in the queue is revoked */
  constructor(revoked: (range: FileRange) => void) {
    this.#revoked = revoked;
  }

  /** Bytes not taken yet. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Adds parts at the end; gives them back when the queue is closed, also when a range that is revoked already closes it. */
  push(parts: readonly SendPart[]): void {
    for (const [index, part] of parts.entries()) {
      if (this.#closed) {
        releaseParts(parts.slice(index));
        return;
      }
      const partBytes = isBytes(part) ? part.length : part.lengthBytes;
      if (partBytes === 0) continue;
      this.#unsentBytes += partBytes;
      this.#parts.push(part);
      if (!isBytes(part)) part.onRevoked(() => this.#revoked(part));
    }
  }

  /**
   * Takes the next bytes, at most `maxBytes`: a view of a part that is a buffer, or bytes of a range read into what `scratch` gives for a length. Null when nothing
   * waits. @throws DiskError when a range cannot be read
   */
  take(maxBytes: number, scratch: (lengthBytes: number) => Buffer): Buffer | null {
    const part = this.#parts[this.#head];
    if (part === undefined) return null;
    const partBytes = isBytes(part) ? part.length : part.lengthBytes;
    const count = Math.min(maxBytes, partBytes - this.#taken);
    let bytes: Buffer;
    if (isBytes(part)) {
      bytes = part.subarray(this.#taken, this.#taken + count);
    } else {
      bytes = scratch(count).subarray(0, count);
      part.read(bytes, 0, this.#taken, count);
    }
    this.#taken += count;
    this.#unsentBytes -= count;
    if (this.#taken === partBytes) this.#dropHead(part);
    return bytes;
  }

  /** Drops everything, now and from now on: the connection is gone. */
  close(): void {
    this.#closed = true;
    const parts = this.#parts.slice(this.#head);
    this.#parts = [];
    this.#head = 0;
    this.#taken = 0;
    this.#unsentBytes = 0;
    releaseParts(parts);
  }

  #dropHead(part: SendPart): void {
    this.#taken = 0;
    this.#head++;
    if (this.#head === this.#parts.length) {
      this.#parts.length = 0;
      this.#head = 0;
    } else if (this.#head >= 64) {
      this.#parts.splice(0, this.#head);
      this.#head = 0;
    }
    if (isBytes(part)) return;
    part.onRevoked(null);
    part.release();
  }
}

/** Gives back the references of parts that will not be sent. */
export function releaseParts(parts: readonly SendPart[]): void {
  for (const part of parts) {
    if (isBytes(part)) continue;
    part.onRevoked(null);
    part.release();
  }
}

function isBytes(part: SendPart): part is Buffer {
  return part instanceof Uint8Array;
}
