import type { FileRange } from '../../disk.ts';
import type { Connection } from './connection.ts';
import {
  ARENA_BYTES,
  ARENA_PART_BYTES,
  OPERATION_CAPACITY,
  OPERATION_FIELDS,
  Operation,
  PART_FIELDS,
  Part,
  type SharedMemory,
} from './layout.ts';

/**
 * Gathers what the native side is to do, so that one call hands it all over. `flush` is called when the tables are full; the owner calls it
 * at the end of a turn.
 */
export class Operations {
  readonly #memory: SharedMemory;
  readonly #flush: () => void;
  /** Numbers written. */
  count = 0;
  /** Bytes of the arena written. */
  arenaBytes = 0;
  /** Where the number of parts of the send under way stands, and whose it is. */
  #partsAt = -1;
  #sendTo: Connection | null = null;

  constructor(memory: SharedMemory, flush: () => void) {
    this.#memory = memory;
    this.#flush = flush;
  }

  /** Empties the tables after they were handed over. */
  clear(): void {
    this.count = 0;
    this.arenaBytes = 0;
    this.#sendTo = null;
    this.#memory.parts.length = 0;
  }

  /** Asks for one thing that has a number: credits, or how to close. */
  ask(operation: number, connection: Connection, value: number): void {
    if (this.count + OPERATION_FIELDS > OPERATION_CAPACITY) this.#flush();
    this.#head(operation, connection, value);
    this.#sendTo = null;
  }

  /** Sends bytes: as a copy if they are few, else as they lie, to stay untouched until sent. */
  sendBytes(connection: Connection, bytes: Buffer): void {
    const { length } = bytes;
    if (length === 0) return;
    const small = length <= ARENA_PART_BYTES;
    if (small && this.arenaBytes + length > ARENA_BYTES) this.#flush();
    this.#room(connection);
    if (!small) {
      this.#part(Part.BUFFER, this.#memory.parts.push(bytes) - 1, length, 0);
      return;
    }
    this.#memory.arena.set(bytes, this.arenaBytes);
    if (!this.#joinArena(length)) this.#part(Part.ARENA, this.arenaBytes, length, 0);
    this.arenaBytes += length;
  }

  /** Sends a range of a file. */
  sendRange(connection: Connection, range: FileRange, descriptor: number): void {
    this.#room(connection);
    this.#part(Part.RANGE, descriptor, range.lengthBytes, range.position);
  }

  /** Opens a send to the connection unless the last operation is one, with room for a part. */
  #room(connection: Connection): void {
    if (this.count + OPERATION_FIELDS + PART_FIELDS > OPERATION_CAPACITY) this.#flush();
    if (this.#sendTo === connection) return;
    this.#partsAt = this.count + OPERATION_FIELDS - 1;
    this.#head(Operation.SEND, connection, 0);
    this.#sendTo = connection;
  }

  #head(operation: number, connection: Connection, value: number): void {
    const { operations } = this.#memory;
    operations[this.count] = operation;
    operations[this.count + 1] = connection.slot;
    operations[this.count + 2] = connection.generation;
    operations[this.count + 3] = value;
    this.count += OPERATION_FIELDS;
  }

  #part(kind: number, a: number, length: number, c: number): void {
    const { operations } = this.#memory;
    operations[this.count] = kind;
    operations[this.count + 1] = a;
    operations[this.count + 2] = length;
    operations[this.count + 3] = c;
    this.count += PART_FIELDS;
    operations[this.#partsAt] = (operations[this.#partsAt] as number) + 1;
  }

  /** Lengthens the last part of the send under way if it ends where the arena's next bytes lie. */
  #joinArena(length: number): boolean {
    const { operations } = this.#memory;
    const last = this.count - PART_FIELDS;
    if (last <= this.#partsAt || operations[last] !== Part.ARENA) return false;
    if ((operations[last + 1] as number) + (operations[last + 2] as number) !== this.arenaBytes) return false;
    operations[last + 2] = (operations[last + 2] as number) + length;
    return true;
  }
}
