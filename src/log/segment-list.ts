import { assert } from '../base/assert.ts';
import type { Segment } from './segment.ts';

/** The segments of a log by base offset; never empty. The last one is active, all others are sealed. */
export class SegmentList {
  readonly #segments: Segment[];

  constructor(segments: Segment[]) {
    assert(segments.length > 0, 'a log has a segment');
    this.#segments = segments;
    this.checkInvariants();
  }

  get count(): number {
    return this.#segments.length;
  }

  get first(): Segment {
    return this.#segments[0] as Segment;
  }

  get active(): Segment {
    return this.#segments[this.#segments.length - 1] as Segment;
  }

  all(): readonly Segment[] {
    return this.#segments;
  }

  at(index: number): Segment | undefined {
    return this.#segments[index];
  }

  /** Index of the last segment with a base offset <= `offset`, -1 if there is none. */
  floor(offset: number): number {
    let low = -1;
    let high = this.#segments.length - 1;
    // Most look-ups are at the tail.
    if (this.active.baseOffset <= offset) return high;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle] as Segment).baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** `segment` becomes the active one. */
  push(segment: Segment): void {
    assert(segment.baseOffset > this.active.baseOffset, 'segments are in order');
    this.#segments.push(segment);
  }

  /** Removes the segments from `index` on and returns them, the last first; the first of all stays. */
  removeFrom(index: number): Segment[] {
    assert(index > 0, 'a log keeps a segment');
    return this.#segments.splice(index).reverse();
  }

  /** Removes the first `count` segments and returns them; the active one stays. */
  removeFirst(count: number): Segment[] {
    assert(count < this.#segments.length, 'the active segment stays');
    return this.#segments.splice(0, count);
  }

  /** Puts `segment` in the place of all others, which are returned. */
  replaceAll(segment: Segment): Segment[] {
    return this.#segments.splice(0, this.#segments.length, segment).reverse();
  }

  get sizeBytes(): number {
    let sizeBytes = 0;
    for (const segment of this.#segments) sizeBytes += segment.sizeBytes;
    return sizeBytes;
  }

  /** Asserts the order. */
  checkInvariants(): void {
    for (let i = 1; i < this.#segments.length; i++) {
      const former = this.#segments[i - 1] as Segment;
      assert(former.baseOffset < (this.#segments[i] as Segment).baseOffset, 'segments are in order');
    }
  }
}
