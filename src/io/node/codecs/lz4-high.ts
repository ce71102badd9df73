// The slower, denser compression of one LZ4 block (the LZ4 block format), for the levels that Apache Kafka hands to its library's "high" compressor. No
// package of prebuilt code has these levels.
//
//     block := sequences; sequence := token | [literal length] | literals | offset LE16 | [match length]
//     token: literal length (bits 7-4), match length - 4 (bits 3-0); 15 means that bytes to add follow, of which 255 means one more
//     The last sequence is literals only; the last 5 bytes are literals; no match begins in the last 12 bytes.

const MIN_MATCH_BYTES = 4;
const LAST_LITERAL_BYTES = 5;
const MATCH_LIMIT_BYTES = 12;
const HASH_BITS = 15;
const NONE = -1;
/** A candidate that is looked at takes some 10 ns: after so many others should have a turn. */
const CANDIDATES_PER_STEP = 150_000;
/** Longest chain that is followed: beyond it hardly anything is found in a block of 64 KiB. */
const MAX_ATTEMPTS = 4096;

/**
 * Compresses one block of at most 64 KiB; yields where others may have their turn. `level` 1..17: each doubles the candidates that are tried at a position. The result may be longer than
 * the input.
 */
export function* compressBlockHigh(plain: Buffer, level: number): Generator<void, Buffer> {
  const search = new MatchSearch(plain, Math.min(2 ** (level - 1), MAX_ATTEMPTS));
  const out = new SequenceWriter(plain);
  const matchEnd = plain.length - MATCH_LIMIT_BYTES;
  for (let at = 0; at < matchEnd; ) {
    if (search.tried >= CANDIDATES_PER_STEP) {
      search.tried = 0;
      yield;
    }
    if (!search.find(at)) {
      at++;
      continue;
    }
    let { start, length } = search;
    // A longer match that begins one byte later is worth the literal.
    if (at + 1 < matchEnd && search.find(at + 1) && search.length > length + 1) {
      at++;
      ({ start, length } = search);
    }
    out.match(at, at - start, length);
    at += length;
  }
  return out.finish();
}

/** Chains of the positions that begin with the same four bytes, as far as their hash tells. */
class MatchSearch {
  /** The longest match found. */
  start = NONE;
  length = 0;
  /** Candidates looked at since it was set to 0. */
  tried = 0;
  readonly #plain: Buffer;
  readonly #attempts: number;
  readonly #heads = new Int32Array(1 << HASH_BITS).fill(NONE);
  readonly #previous: Int32Array;
  #inserted = 0;

  constructor(plain: Buffer, attempts: number) {
    this.#plain = plain;
    this.#attempts = attempts;
    this.#previous = new Int32Array(plain.length);
  }

  /** Looks for the longest match of what begins at `at`; earlier positions become candidates. */
  find(at: number): boolean {
    this.#insertBefore(at);
    const plain = this.#plain;
    const limit = plain.length - LAST_LITERAL_BYTES;
    this.length = MIN_MATCH_BYTES - 1;
    let candidate = this.#heads[this.#hash(at)] as number;
    for (let left = this.#attempts; left > 0 && candidate !== NONE; left--) {
      this.tried++;
      if (plain[candidate + this.length] === plain[at + this.length]) {
        let length = 0;
        while (at + length < limit && plain[candidate + length] === plain[at + length]) length++;
        if (length > this.length) {
          this.length = length;
          this.start = candidate;
          if (at + length === limit) break;
        }
      }
      candidate = this.#previous[candidate] as number;
    }
    return this.length >= MIN_MATCH_BYTES;
  }

  #insertBefore(end: number): void {
    for (; this.#inserted < end; this.#inserted++) {
      const hash = this.#hash(this.#inserted);
      this.#previous[this.#inserted] = this.#heads[hash] as number;
      this.#heads[hash] = this.#inserted;
    }
  }

  #hash(at: number): number {
    return Math.imul(this.#plain.readInt32LE(at), 0x9e3779b1) >>> (32 - HASH_BITS);
  }
}

class SequenceWriter {
  readonly #plain: Buffer;
  readonly #out: Buffer;
  #size = 0;
  #literalStart = 0;

  constructor(plain: Buffer) {
    this.#plain = plain;
    this.#out = Buffer.allocUnsafe(plain.length + Math.ceil(plain.length / 255) + 16);
  }

  /** A match of `length` at `at`; what lies between the last one and it are literals. */
  match(at: number, offset: number, length: number): void {
    const extra = length - MIN_MATCH_BYTES;
    this.#literals(at, Math.min(extra, 15));
    this.#size = this.#out.writeUInt16LE(offset, this.#size);
    if (extra >= 15) this.#length(extra - 15);
    this.#literalStart = at + length;
  }

  finish(): Buffer {
    this.#literals(this.#plain.length, 0);
    return this.#out.subarray(0, this.#size);
  }

  #literals(end: number, matchToken: number): void {
    const count = end - this.#literalStart;
    this.#out[this.#size++] = (Math.min(count, 15) << 4) | matchToken;
    if (count >= 15) this.#length(count - 15);
    this.#plain.copy(this.#out, this.#size, this.#literalStart, end);
    this.#size += count;
  }

  #length(rest: number): void {
    let left = rest;
    for (; left >= 255; left -= 255) this.#out[this.#size++] = 255;
    this.#out[this.#size++] = left;
  }
}
