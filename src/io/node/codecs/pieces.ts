import { STEP_BYTES, tooLarge } from './steps.ts';

/** Pieces below this are copied together: a `Buffer` of its own costs more than their bytes. */
const SMALL_BYTES = 4 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** What one piece costs besides its bytes, in bytes of output: very many empty ones must end a step, too. */
const PIECE_COST_BYTES = 1024;

/** The output of a codec that works piece by piece: bounded in bytes, and in objects by the bytes. */
export class Pieces {
  readonly #maxOutputBytes: number;
  readonly #whole: Buffer[] = [];
  #chunk: Buffer | null = null;
  #chunkBytes = 0;
  #stepBytes = 0;
  sizeBytes = 0;

  constructor(maxOutputBytes: number) {
    this.#maxOutputBytes = maxOutputBytes;
  }

  /** Bytes that may still come. */
  get roomBytes(): number {
    return this.#maxOutputBytes - this.sizeBytes;
  }

  /**
   * Adds a piece, which may be kept as it is.
   * @returns true when so much has been done that others should have a turn
   * @throws ComputeError when the output is longer than allowed
   */
  add(piece: Buffer): boolean {
    this.sizeBytes += piece.length;
    if (this.sizeBytes > this.#maxOutputBytes) throw tooLarge(this.#maxOutputBytes);
    if (piece.length < SMALL_BYTES) this.#addSmall(piece);
    else {
      this.#closeChunk();
      this.#whole.push(piece);
    }
    this.#stepBytes += piece.length + PIECE_COST_BYTES;
    if (this.#stepBytes < STEP_BYTES) return false;
    this.#stepBytes = 0;
    return true;
  }

  /** All of them as one buffer; a single one is not copied. */
  joined(): Buffer {
    this.#closeChunk();
    return this.#whole.length === 1 ? (this.#whole[0] as Buffer) : Buffer.concat(this.#whole);
  }

  #addSmall(piece: Buffer): void {
    if (this.#chunk !== null && this.#chunkBytes + piece.length > CHUNK_BYTES) this.#closeChunk();
    this.#chunk ??= Buffer.allocUnsafeSlow(CHUNK_BYTES);
    piece.copy(this.#chunk, this.#chunkBytes);
    this.#chunkBytes += piece.length;
  }

  #closeChunk(): void {
    if (this.#chunk === null) return;
    if (this.#chunkBytes > 0) this.#whole.push(this.#chunk.subarray(0, this.#chunkBytes));
    this.#chunk = null;
    this.#chunkBytes = 0;
  }
}
