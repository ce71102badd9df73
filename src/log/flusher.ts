import type { DiskCallback, DiskError } from '../io/disk.ts';
import { isShortage } from './shortage.ts';
import type { Segment } from './segment.ts';

/** What the flusher asks of its log. */
export interface FlushHost {
  readonly logEndOffset: number;
  /** Segments that hold something that is not durable; the active one last, if it is among them. */
  unflushed(): Segment[];
  isSealed(segment: Segment): boolean;
  /** Makes durable what lies beside the segments: directory entries and the epoch checkpoint. */
  flushBeside(done: DiskCallback): void;
  /** All below `endOffset` is durable. */
  flushed(endOffset: number): void;
  /** A flush begins after there was none. */
  started(): void;
  /** None is under way any more, and those who asked were told. */
  settled(): void;
  /** There was no room for a file beside the segments; nothing is lost, and a later flush may do it. */
  flushPostponed(): void;
  /** A flush failed: whether the bytes are on the device cannot be known, now or later. */
  flushFailed(error: DiskError): void;
}

/** Groups flushes: one at a time; whoever asks meanwhile shares the next one. */
export class Flusher {
  readonly #host: FlushHost;
  #waiting: DiskCallback[] = [];
  #inFlight = false;
  #pumping = false;
  /** From the first flush until nobody waits for another. */
  #busy = false;
  /** First failure; no flush is tried after it. */
  #failure: DiskError | null = null;

  constructor(host: FlushHost) {
    this.#host = host;
  }

  /** Makes everything published before the call durable. */
  flush(done: DiskCallback): void {
    if (this.#failure !== null) return done(this.#failure);
    this.#waiting.push(done);
    return this.#pump();
  }

  /** Begins a flush if someone waits and none is under way. A flush that ends inline is followed by the loop, not by recursion. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (!this.#inFlight && this.#waiting.length > 0) {
        if (!this.#busy) this.#host.started();
        this.#busy = true;
        this.#inFlight = true;
        this.#begin();
      }
    } finally {
      this.#pumping = false;
    }
    if (!this.#busy || this.#inFlight) return;
    this.#busy = false;
    this.#host.settled();
  }

  #begin(): void {
    const served = this.#waiting;
    this.#waiting = [];
    const { logEndOffset } = this.#host;
    const segments = this.#host.unflushed();
    let left = segments.length + 1;
    let failed: DiskError | null = null;
    const one: DiskCallback = (error) => {
      failed ??= error;
      if (--left === 0) this.#finish(failed, logEndOffset, served);
    };
    for (const segment of segments) segment.flush(this.#host.isSealed(segment), one);
    this.#host.flushBeside(one);
  }

  #finish(error: DiskError | null, endOffset: number, served: DiskCallback[]): void {
    if (error === null) {
      this.#host.flushed(endOffset);
    } else if (isShortage(error)) {
      this.#host.flushPostponed();
    } else {
      this.#failure = error;
      served = [...served, ...this.#waiting.splice(0)];
      this.#host.flushFailed(error);
    }
    try {
      for (const done of served) done(error);
    } finally {
      // A bug of one who is told does not keep later flushes from being done.
      this.#inFlight = false;
      this.#pump();
    }
  }
}
