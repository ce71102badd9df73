/** Bytes that are read from a file and written to a socket in one piece. */
const CHUNK_BYTES = 128 * 1024;
/** Chunks kept for the next use; more are left to the garbage collector. */
const MAX_KEPT = 16;

/** Buffers between files and sockets, used again and again. */
export class ChunkPool {
  readonly chunkBytes = CHUNK_BYTES;
  readonly #kept: Buffer[] = [];

  take(): Buffer {
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  /** Gives a chunk back that nobody reads any more. */
  give(chunk: Buffer): void {
    if (this.#kept.length < MAX_KEPT) this.#kept.push(chunk);
  }
}
