import type { ConnectionId, FrameTable } from '../../network.ts';
import type { Connection } from './connection.ts';
import type { FrameCopies } from './frame-copies.ts';
import { FRAME_FIELDS, type SharedMemory } from './layout.ts';

/** The rows `[first, first + count)` of the frame table: those of one wake-up that one handler is given. One object, moved along. */
export class FrameWindow implements FrameTable {
  readonly #memory: SharedMemory;
  readonly #slots: readonly (Connection | undefined)[];
  readonly #copies: FrameCopies;
  #first = 0;
  #count = 0;
  /** Buffers given away, by row. */
  readonly #retained: (Buffer | undefined)[] = [];
  #anyRetained = false;

  constructor(memory: SharedMemory, slots: readonly (Connection | undefined)[], copies: FrameCopies) {
    this.#memory = memory;
    this.#slots = slots;
    this.#copies = copies;
  }

  get count(): number {
    return this.#count;
  }

  /** Shows other rows. */
  move(first: number, count: number): void {
    this.#first = first;
    this.#count = count;
    if (!this.#anyRetained) return;
    this.#retained.length = 0;
    this.#anyRetained = false;
  }

  connection(i: number): ConnectionId {
    return (this.#slots[this.#field(i, 0)] as Connection).id;
  }

  buffer(i: number): Buffer {
    const retained = this.#retainedAt(i);
    if (retained !== undefined) return retained;
    const place = this.#field(i, 1);
    return place === 0 ? this.#memory.receive : (this.#memory.pool[place - 1] as Buffer);
  }

  start(i: number): number {
    return this.#retainedAt(i) === undefined ? this.#field(i, 2) : 0;
  }

  end(i: number): number {
    return this.#retainedAt(i)?.length ?? this.#field(i, 3);
  }

  retain(i: number): Buffer {
    const before = this.#retainedAt(i);
    if (before !== undefined) return before;
    const start = this.#field(i, 2);
    const end = this.#field(i, 3);
    const place = this.#field(i, 1);
    const buffer =
      place === 0
        ? this.#copies.copy(this.#memory.receive, start, end)
        : this.#take(i, place).subarray(start, end);
    this.#retained[i] = buffer;
    this.#anyRetained = true;
    return buffer;
  }

  /** Takes a large frame's buffer out of the pool, and tells the native side so in the row. */
  #take(i: number, place: number): Buffer {
    const buffer = this.#memory.pool[place - 1] as Buffer;
    this.#memory.pool[place - 1] = undefined;
    this.#memory.frames[(this.#first + i) * FRAME_FIELDS + 1] = -place;
    return buffer;
  }

  #retainedAt(i: number): Buffer | undefined {
    return this.#anyRetained ? this.#retained[i] : undefined;
  }

  #field(i: number, field: number): number {
    return this.#memory.frames[(this.#first + i) * FRAME_FIELDS + field] as number;
  }
}
