/** Batches remembered. */
const SLOTS = 16;
const NO_SLOTS = new Float64Array(0);

/**
 * Where the last few batches of a log begin in its active segment, so that readers at the tail and a high watermark just below the end need no look at
 * the disk. Parallel rings; a batch is named by its age, 1 for the last one.
 */
export class TailPositions {
  /** Made for the first batch: most logs of a large broker are idle. */
  #baseOffsets = NO_SLOTS;
  #endOffsets = NO_SLOTS;
  #positions = NO_SLOTS;
  #count = 0;
  #next = 0;

  /** A batch was published after all others. */
  push(baseOffset: number, endOffset: number, position: number): void {
    if (this.#positions === NO_SLOTS) {
      this.#baseOffsets = new Float64Array(SLOTS);
      this.#endOffsets = new Float64Array(SLOTS);
      this.#positions = new Float64Array(SLOTS);
    }
    this.#baseOffsets[this.#next] = baseOffset;
    this.#endOffsets[this.#next] = endOffset;
    this.#positions[this.#next] = position;
    this.#next = (this.#next + 1) % SLOTS;
    if (this.#count < SLOTS) this.#count++;
  }

  /** Forgets all: the log was cut, or a new segment was begun. */
  clear(): void {
    this.#count = 0;
  }

  /** Age of the first batch of the segment that ends above `offset`; 0 when it is not known. */
  ageOf(offset: number): number {
    let age = 0;
    while (age < this.#count && (this.#endOffsets[this.#slot(age + 1)] as number) > offset) age++;
    if (age === 0 || age < this.#count) return age;
    return this.baseOffsetAt(age) <= offset ? age : 0;
  }

  /** First offset of the batch. */
  baseOffsetAt(age: number): number {
    return this.#baseOffsets[this.#slot(age)] as number;
  }

  /** Where the batch begins in the active segment. */
  positionAt(age: number): number {
    return this.#positions[this.#slot(age)] as number;
  }

  #slot(age: number): number {
    return (this.#next - age + SLOTS) % SLOTS;
  }
}
