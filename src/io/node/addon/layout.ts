/**
 * The memory that the reactor and its JS side share, as native/reactor.h lays it out. Tables are flat arrays of numbers, so that a wake-up
 * with a thousand frames is one call without an object.
 */
import type { CloseReason } from '../../network.ts';

/** Bytes that small frames of one wake-up lie in. */
export const RECEIVE_BYTES = 1 << 20;
/** Bytes that small parts of one flush are copied into. */
export const ARENA_BYTES = 1 << 20;
/** A part up to this size is copied into the arena; above it the native side fetches the buffer itself, which costs more than such a copy. */
export const ARENA_PART_BYTES = 4096;
/** Frames that one wake-up hands over at most. */
export const FRAME_CAPACITY = 8192;
/** Rows of events of one wake-up, and of results of one flush. */
export const EVENT_CAPACITY = 4096;
/** Numbers in the table of operations. */
export const OPERATION_CAPACITY = 64 * 1024;
/** Budgets that may be in use at one time. */
export const BUDGET_CAPACITY = 256;

/** Numbers per budget: maximum, bytes taken, and 1 if its connections go first. */
export const BUDGET_FIELDS = 3;

/** Numbers per frame: slot, buffer (0 shared, 1 + i of the pool, negative once taken over), start, end. */
export const FRAME_FIELDS = 4;
/** Numbers per event or result: kind, slot, and two values. */
export const EVENT_FIELDS = 4;
/** Numbers per operation: kind, slot, generation, value. */
export const OPERATION_FIELDS = 4;
/** Numbers per part of a send: kind and three values. */
export const PART_FIELDS = 4;

/** What a row of the event table says. */
export const Event = { ACCEPTED: 0, CONNECTED: 1, PROGRESS: 2, CLOSED: 3 } as const;
/** What an operation asks for. */
export const Operation = { CREDITS: 0, CLOSE: 1, SEND: 2 } as const;
/** How a connection is to be closed: after what is queued was sent, at once, or at once because a range may not be sent. */
export const CloseHow = { DRAIN: 0, NOW: 1, RANGE: 2 } as const;
/** Kinds of parts: bytes in the arena, a buffer in the array of parts, a range of a file. */
export const Part = { ARENA: 0, BUFFER: 1, RANGE: 2 } as const;

/** Reasons in the order of `enum close_reason`. */
export const CLOSE_REASONS: readonly CloseReason[] = [
  'peer',
  'local',
  'reset',
  'frame-size',
  'frame-timeout',
  'range',
  'connect',
];

/** The shared objects, in the order of the array that the native side is given. */
export interface SharedMemory {
  readonly receive: Buffer;
  readonly frames: Int32Array;
  readonly events: Float64Array;
  readonly operations: Float64Array;
  readonly results: Float64Array;
  readonly arena: Buffer;
  /** Rows of budgets. */
  readonly budgets: Float64Array;
  /** Buffers of the current flush. */
  readonly parts: Buffer[];
  /** Buffers of large frames; put there by the native side. */
  readonly pool: (Buffer | undefined)[];
}

/** Allocates the shared memory of one network. */
export function createSharedMemory(): SharedMemory {
  return {
    receive: Buffer.allocUnsafeSlow(RECEIVE_BYTES),
    frames: new Int32Array(FRAME_CAPACITY * FRAME_FIELDS),
    events: new Float64Array(EVENT_CAPACITY * EVENT_FIELDS),
    operations: new Float64Array(OPERATION_CAPACITY),
    results: new Float64Array(EVENT_CAPACITY * EVENT_FIELDS),
    arena: Buffer.allocUnsafeSlow(ARENA_BYTES),
    budgets: new Float64Array(BUDGET_CAPACITY * BUDGET_FIELDS),
    parts: [],
    pool: [],
  };
}
