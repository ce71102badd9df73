import { assert } from '../base/assert.ts';
import type { ConnectionId, FrameTable } from './network.ts';

/** What debugging writes over frames that were handed over and not retained. */
const POISON = 0xdd;

/** The `FrameTable` of the portable and the virtual network; one object, filled anew for each call of `onFrames`. */
export class FrameBatch implements FrameTable {
  readonly #connections: ConnectionId[] = [];
  readonly #buffers: Buffer[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  /** Whether a frame's buffer holds it alone, and whether the caller owns that buffer. */
  readonly #alone: boolean[] = [];
  readonly #retained: boolean[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  connection(i: number): ConnectionId {
    this.#check(i);
    return this.#connections[i] as ConnectionId;
  }

  buffer(i: number): Buffer {
    this.#check(i);
    return this.#buffers[i] as Buffer;
  }

  start(i: number): number {
    this.#check(i);
    return this.#starts[i] as number;
  }

  end(i: number): number {
    this.#check(i);
    return this.#ends[i] as number;
  }

  retain(i: number): Buffer {
    this.#check(i);
    assert(!this.#retained[i], 'a frame is retained once');
    this.#retained[i] = true;
    const view = (this.#buffers[i] as Buffer).subarray(this.#starts[i], this.#ends[i]);
    const kept = this.#alone[i] ? view : Buffer.from(view);
    // The shared bytes are no longer this frame's.
    if (!this.#alone[i]) this.#poisonRange?.(view);
    this.#buffers[i] = kept;
    this.#starts[i] = 0;
    this.#ends[i] = kept.length;
    return kept;
  }

  /** Adds a frame. `alone`: the buffer holds nothing else and may be given away. */
  add(connection: ConnectionId, buffer: Buffer, start: number, end: number, alone: boolean): void {
    const i = this.#count++;
    this.#connections[i] = connection;
    this.#buffers[i] = buffer;
    this.#starts[i] = start;
    this.#ends[i] = end;
    this.#alone[i] = alone;
    this.#retained[i] = false;
  }

  /** Empties the table: its frames are not to be looked at any more. */
  clear(): void {
    if (this.#poisonRange !== null) {
      for (let i = 0; i < this.#count; i++) {
        if (!this.#retained[i])
          this.#poisonRange((this.#buffers[i] as Buffer).subarray(this.#starts[i], this.#ends[i]));
      }
    }
    this.#buffers.length = 0;
    this.#count = 0;
  }

  /** From now on the bytes of frames are overwritten once they are not valid any more, so that who kept a view is found out. */
  poisonAfterUse(): void {
    this.#poisonRange = (view) => void view.fill(POISON);
  }

  #poisonRange: ((view: Buffer) => void) | null = null;

  #check(i: number): void {
    assert(i >= 0 && i < this.#count, 'a frame is looked at inside onFrames only');
  }
}
