import { assert } from '../../src/base/assert.ts';
import type { Random } from '../../src/base/random.ts';

/** One change of a file that is in the page cache only, with what is needed to take it back. */
interface Change {
  /** The bytes it touched, `[position, end)`: written ones, or those that a cut took away. */
  readonly position: number;
  readonly end: number;
  /** What stood there before, as far as the file reached; zeros after that. */
  readonly before: Buffer | null;
  readonly sizeBefore: number;
  readonly sizeAfter: number;
  readonly atMs: number;
}

const NO_BYTES = Buffer.alloc(0);
const SECTOR_BYTES = 512;
const PAGE_BYTES = 4096;

/**
 * The bytes of one file: what a reader sees (the page cache), and a history of the changes that no flush has covered yet. A crash of the machine takes
 * back an arbitrary part of them, each sector or page on its own.
 */
export class FileContent {
  #bytes = NO_BYTES;
  #size = 0;
  #changes: Change[] = [];
  /** Sequence of `#changes[0]`. */
  #firstSequence = 0;

  get sizeBytes(): number {
    return this.#size;
  }

  /** True when some change would be at the mercy of a crash. */
  get unsynced(): boolean {
    return this.#changes.length > 0;
  }

  /** Copies bytes out; returns how many there were. */
  read(position: number, target: Buffer, targetStart: number, lengthBytes: number): number {
    const end = Math.min(this.#size, position + lengthBytes);
    if (end <= position) return 0;
    return this.#bytes.copy(target, targetStart, position, end);
  }

  /** Writes over and past the end. */
  write(position: number, data: Buffer, atMs: number): void {
    if (data.length === 0) return;
    assert(position <= this.#size, 'a write leaves no hole');
    const end = position + data.length;
    const sizeAfter = Math.max(this.#size, end);
    this.#remember(position, end, sizeAfter, atMs);
    this.#reserve(end);
    data.copy(this.#bytes, position);
    this.#size = sizeAfter;
  }

  /** Cuts, or grows with zeros. */
  truncate(sizeBytes: number, atMs: number): void {
    if (sizeBytes === this.#size) return;
    this.#remember(Math.min(sizeBytes, this.#size), Math.max(sizeBytes, this.#size), sizeBytes, atMs);
    this.#setSize(sizeBytes);
  }

  /** A flush begins: returns the mark to give to `flushed` when it has ended. */
  flushMark(): number {
    return this.#firstSequence + this.#changes.length;
  }

  /** The flush that began at `mark` ended well: what was written before it is durable. */
  flushed(mark: number): void {
    const covered = mark - this.#firstSequence;
    if (covered <= 0) return;
    this.#changes.splice(0, covered);
    this.#firstSequence = mark;
  }

  /** The kernel's own write-back: what was changed before `timeMs` is durable without a flush. */
  writeBack(timeMs: number): void {
    let covered = 0;
    while (covered < this.#changes.length && (this.#changes[covered] as Change).atMs < timeMs) covered++;
    if (covered > 0) this.flushed(this.#firstSequence + covered);
  }

  /** The machine loses power: takes back what `random` chooses of the changes that were not flushed. */
  crash(random: Random): void {
    const count = this.#changes.length;
    if (count === 0) return;
    const granuleBytes = random.chance(0.5) ? SECTOR_BYTES : PAGE_BYTES;
    const way = random.below(8);
    if (way === 0) this.#takeBackTo(0);
    else if (way <= 4) this.#tearOne(random, random.below(count), granuleBytes);
    else if (way <= 6) this.#scatter(random, granuleBytes);
    this.#firstSequence += count;
    this.#changes = [];
  }

  /** The changes before `torn` survive, those after it do not, and of that one the part before some boundary. */
  #tearOne(random: Random, torn: number, granuleBytes: number): void {
    const change = this.#changes[torn] as Change;
    if (change.sizeAfter < change.sizeBefore) return this.#takeBackTo(torn);
    const granules = [
      Math.floor(change.position / granuleBytes),
      Math.ceil(change.end / granuleBytes),
    ] as const;
    const boundary = granuleBytes * random.between(...granules);
    const keptEnd = Math.min(Math.max(boundary, change.position), change.end);
    this.#takeBackTo(torn + 1);
    const kept = Buffer.from(this.#bytes.subarray(change.position, keptEnd));
    this.#takeBackTo(torn);
    this.#setSize(Math.max(this.#size, keptEnd));
    kept.copy(this.#bytes, change.position);
  }

  /** Every sector or page, and the size, is left at a version of its own. */
  #scatter(random: Random, granuleBytes: number): void {
    const versions = new Map<number, number>();
    const versionOf = (granule: number): number => {
      let version = versions.get(granule);
      if (version === undefined) versions.set(granule, (version = random.between(0, this.#changes.length)));
      return version;
    };
    const sizes = [
      (this.#changes[0] as Change).sizeBefore,
      ...this.#changes.map((change) => change.sizeAfter),
    ];
    for (let i = this.#changes.length - 1; i >= 0; i--) {
      const change = this.#changes[i] as Change;
      for (let at = change.position; at < change.end; ) {
        const granule = Math.floor(at / granuleBytes);
        const end = Math.min(change.end, (granule + 1) * granuleBytes);
        if (versionOf(granule) <= i) this.#restore(change, at, end);
        at = end;
      }
    }
    this.#setSize(random.pick(sizes));
  }

  /** Takes back all but the first `version` changes. */
  #takeBackTo(version: number): void {
    const sizeNow =
      version === this.#changes.length ? this.#size : (this.#changes[version] as Change).sizeBefore;
    for (let i = this.#changes.length - 1; i >= version; i--) {
      const change = this.#changes[i] as Change;
      this.#restore(change, change.position, change.end);
    }
    this.#changes.length = version;
    this.#setSize(sizeNow);
  }

  /** Puts back what stood in `[start, end)` before the change. */
  #restore(change: Change, start: number, end: number): void {
    this.#reserve(end);
    const before = change.before ?? NO_BYTES;
    const known = Math.min(Math.max(change.position + before.length, start), end);
    if (known > start) before.copy(this.#bytes, start, start - change.position, known - change.position);
    this.#bytes.fill(0, known, end);
  }

  #remember(position: number, end: number, sizeAfter: number, atMs: number): void {
    const overlap = Math.min(this.#size, end);
    const before = overlap > position ? Buffer.from(this.#bytes.subarray(position, overlap)) : null;
    this.#changes.push({ position, end, before, sizeBefore: this.#size, sizeAfter, atMs });
  }

  /** Bytes past the size are zeros at all times, so that growing needs no filling. */
  #setSize(sizeBytes: number): void {
    this.#reserve(sizeBytes);
    this.#bytes.fill(0, sizeBytes);
    this.#size = sizeBytes;
  }

  #reserve(sizeBytes: number): void {
    if (sizeBytes <= this.#bytes.length) return;
    const grown = Buffer.alloc(Math.max(sizeBytes, this.#bytes.length * 2, 256));
    this.#bytes.copy(grown);
    this.#bytes = grown;
  }
}
