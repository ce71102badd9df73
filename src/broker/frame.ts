import type { FrameTable } from '../io/network.ts';

const NOTHING = Buffer.alloc(0);

/** One frame on its way to a handler; reused for the next one. `own` makes its bytes last. */
export interface Frame {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** Takes the bytes over, so that views into them stay valid; buffer, start and end change. */
  own(): void;
}

/** A frame in a network's table: valid during `onFrames` unless owned. */
export class TableFrame implements Frame {
  #table: FrameTable | null = null;
  #index = 0;
  buffer: Buffer = NOTHING;
  start = 0;
  end = 0;

  /** Stands for frame `index` of the table from now on. */
  set(table: FrameTable, index: number): this {
    this.#table = table;
    this.#index = index;
    this.buffer = table.buffer(index);
    this.start = table.start(index);
    this.end = table.end(index);
    return this;
  }

  /** Lets go of the table and of the frame's bytes. */
  clear(): void {
    this.#table = null;
    this.buffer = NOTHING;
  }

  own(): void {
    if (this.#table === null) return;
    this.buffer = this.#table.retain(this.#index);
    this.start = 0;
    this.end = this.buffer.length;
    this.#table = null;
  }
}

/** A frame whose bytes are owned already. */
export class OwnedFrame implements Frame {
  buffer: Buffer = NOTHING;
  start = 0;
  end = 0;

  /** Stands for the whole of `buffer` from now on. */
  set(buffer: Buffer): this {
    this.buffer = buffer;
    this.start = 0;
    this.end = buffer.length;
    return this;
  }

  /** Lets go of the bytes. */
  clear(): void {
    this.buffer = NOTHING;
  }

  own(): void {}
}
