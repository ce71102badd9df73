import type { FileRange } from '../../disk.ts';
import type { SendPart } from '../../network.ts';
import { SendQueue, releaseParts } from '../../send-queue.ts';
import type { NativeHandle, NetworkBinding } from './binding.ts';
import { type Connection, isSendable } from './connection.ts';
import type { Later } from './later.ts';
import { CloseHow, EVENT_FIELDS, Operation, type SharedMemory } from './layout.ts';
import { Operations } from './operations.ts';

/** More than this given to one connection in one turn goes to the kernel at once, so that `send` can tell what it left. */
const GATHER_BYTES = 64 * 1024;
/** Bytes of one connection that are read ahead of the kernel from a range that has no descriptor. */
const FEED_BYTES = 256 * 1024;
const FEED_CHUNK_BYTES = 64 * 1024;

/** What a sender is made of. */
export interface SenderOptions {
  readonly binding: NetworkBinding;
  readonly handle: NativeHandle;
  readonly memory: SharedMemory;
  readonly slots: readonly (Connection | undefined)[];
  readonly later: Later;
  /** Called after everything gathered was handed over. */
  readonly flushed: () => void;
}

/**
 * The way out: gathers what is sent and asked for and hands it to the native side, at the end of a turn or, outside of one, of the microtask queue. Keeps
 * the ranges until they are sent.
 */
export class Sender {
  readonly #options: SenderOptions;
  readonly #operations: Operations;
  #flushes = 0;
  #flushAsked = false;
  #inTurn = false;
  #shut = false;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#operations = new Operations(options.memory, () => this.flush());
  }

  /** Until `endTurn`, what is gathered waits for it. */
  beginTurn(): void {
    this.#inTurn = true;
  }

  endTurn(): void {
    this.#inTurn = false;
    this.flush();
  }

  /** Nothing is handed over any more. */
  shutdown(): void {
    this.#shut = true;
  }

  /** Sends parts in order, as `Network.send`; the connection is open. */
  send(connection: Connection, parts: readonly SendPart[]): number {
    for (let i = 0; i < parts.length; i++) this.#sendPart(connection, parts[i] as SendPart);
    if (connection.gatheredIn === this.#flushes && connection.gatheredBytes > GATHER_BYTES) this.flush();
    else this.#askFlush();
    const unsentBytes = unsentOf(connection);
    if (unsentBytes > 0) connection.awaitsDrain = true;
    return unsentBytes;
  }

  setCredits(connection: Connection, credits: number): void {
    this.#operations.ask(Operation.CREDITS, connection, credits);
    this.#askFlush();
  }

  /** Has the native side close the connection, which will tell when it has. */
  close(connection: Connection, how: number): void {
    this.#operations.ask(Operation.CLOSE, connection, how);
    this.#askFlush();
  }

  /** Takes over what the native side tells about the connection's parts. */
  progress(connection: Connection | undefined, unsentBytes: number, rangesDone: number): void {
    if (connection === undefined) return;
    connection.rangesDone(rangesDone);
    connection.unsentBytes = unsentBytes;
    if (connection.queue !== null) this.#feedLater(connection);
    else this.#tellDrained(connection);
  }

  /** Hands all that was gathered to the native side. */
  flush(): void {
    if (this.#shut) return;
    const { count, arenaBytes } = this.#operations;
    if (count > 0) {
      const { binding, handle, memory, slots } = this.#options;
      const results = binding.networkFlush(handle, count, arenaBytes);
      this.#operations.clear();
      this.#flushes++;
      const rows = memory.results;
      for (let at = 0; at < results * EVENT_FIELDS; at += EVENT_FIELDS) {
        this.progress(slots[rows[at + 1] as number], rows[at + 2] as number, rows[at + 3] as number);
      }
    }
    this.#options.flushed();
  }

  #askFlush(): void {
    if (this.#inTurn || this.#flushAsked) return;
    this.#flushAsked = true;
    queueMicrotask(this.#flushAtEnd);
  }

  readonly #flushAtEnd = (): void => {
    this.#flushAsked = false;
    this.flush();
  };

  #sendPart(connection: Connection, part: SendPart): void {
    if (connection.state !== 'open') releaseParts([part]);
    else if (connection.queue !== null) connection.queue.push([part]);
    else if (Buffer.isBuffer(part)) this.#sendBytes(connection, part);
    else this.#sendRange(connection, part);
  }

  #sendBytes(connection: Connection, bytes: Buffer): void {
    this.#gather(connection, bytes.length);
    this.#operations.sendBytes(connection, bytes);
  }

  #sendRange(connection: Connection, range: FileRange): void {
    connection.revoked ??= () => this.#cut(connection);
    if (isSendable(range)) {
      const descriptor = descriptorOf(range);
      connection.ranges.push(range);
      if (descriptor < 0) {
        this.#cut(connection);
        return;
      }
      range.onRevoked(connection.revoked);
      this.#gather(connection, range.lengthBytes);
      this.#operations.sendRange(connection, range, descriptor);
      return;
    }
    // Without a descriptor it is read piece by piece as the kernel takes the bytes, and so is what follows it. Other disks give such ranges.
    connection.queue = new SendQueue(connection.revoked);
    connection.queue.push([range]);
    this.#feedLater(connection);
  }

  /** A range may not or cannot be sent: the connection is cut before this returns, so that nothing more of it leaves. */
  #cut(connection: Connection): void {
    if (connection.slot < 0) return;
    connection.state = 'closed';
    this.#operations.ask(Operation.CLOSE, connection, CloseHow.RANGE);
    this.flush();
  }

  #gather(connection: Connection, bytes: number): void {
    if (connection.gatheredIn !== this.#flushes) {
      connection.gatheredIn = this.#flushes;
      connection.gatheredBytes = 0;
    }
    connection.gatheredBytes += bytes;
  }

  #feedLater(connection: Connection): void {
    if (connection.feeding || connection.unsentBytes >= FEED_BYTES) return;
    connection.feeding = true;
    this.#options.later.call(() => this.#feed(connection));
  }

  #feed(connection: Connection): void {
    const { queue } = connection;
    connection.feeding = false;
    if (this.#shut || queue === null) return;
    try {
      for (let fedBytes = 0; fedBytes < FEED_BYTES; ) {
        const bytes = queue.take(FEED_CHUNK_BYTES, (lengthBytes) => Buffer.allocUnsafeSlow(lengthBytes));
        if (bytes === null) break;
        this.#sendBytes(connection, bytes);
        fedBytes += bytes.length;
      }
    } catch {
      this.#cut(connection);
      return;
    }
    if (queue.unsentBytes === 0) {
      connection.queue = null;
      if (connection.closesAfterQueue) this.close(connection, CloseHow.DRAIN);
    }
    this.flush();
    if (connection.queue !== null) this.#feedLater(connection);
    else this.#tellDrained(connection);
  }

  #tellDrained(connection: Connection): void {
    if (!connection.awaitsDrain || connection.unsentBytes > 0) return;
    connection.awaitsDrain = false;
    this.#options.later.call(() => {
      if (connection.state === 'open') connection.handler.onDrain(connection.id);
    });
  }
}

/** Bytes given to a connection that the kernel has refused so far. */
export function unsentOf(connection: Connection): number {
  return connection.unsentBytes + (connection.queue?.unsentBytes ?? 0);
}

/** -1 when the range was revoked, or its file cannot be opened any more. */
function descriptorOf(range: FileRange & { acquireDescriptor(): number }): number {
  if (range.revoked) return -1;
  try {
    return range.acquireDescriptor();
  } catch {
    return -1;
  }
}
