import type net from 'node:net';
import type { CloseReason, ConnectionId, ConnectionLimits, NetworkHandler, SendPart } from '../../network.ts';
import type { BudgetGate } from '../../receive-budget.ts';
import { type ReceiveShared, ReceiveSide, type ReceiveSource } from '../../receive-side.ts';
import { SendQueue } from '../../send-queue.ts';
import type { ChunkPool } from './chunk-pool.ts';

/** Bytes given to the socket that the kernel has not taken: above this the rest waits in the queue. */
const SOCKET_BACKLOG_BYTES = 256 * 1024;
/** Bytes one connection sends in one turn, so that a quick reader does not starve the rest. */
const TURN_BYTES = 1024 * 1024;

/** What the connections of one `PortableNetwork` share. */
export interface ConnectionShared extends ReceiveShared {
  readonly chunks: ChunkPool;
  gateOf(limits: ConnectionLimits): BudgetGate;
  /** The connection is gone. */
  forget(id: ConnectionId): void;
}

/** A connection over a `net.Socket`, accepted or outgoing. */
export class PortableConnection implements ReceiveSource {
  readonly id: ConnectionId;
  readonly #socket: net.Socket;
  readonly #handler: NetworkHandler;
  readonly #shared: ConnectionShared;
  readonly #receive: ReceiveSide;
  readonly #queue: SendQueue;
  #established = false;
  /** Why it ends; the first reason counts. */
  #ending: { reason: CloseReason; detail: string } | null = null;
  #draining = false;
  #drainOwed = false;
  /** Writes to the socket that have not been called back. */
  #writesInSocket = 0;
  /** Chunks whose bytes the socket still needs. */
  #chunksInSocket: Buffer[] = [];

  constructor(
    id: ConnectionId,
    socket: net.Socket,
    options: { limits: ConnectionLimits; handler: NetworkHandler },
    shared: ConnectionShared,
  ) {
    this.id = id;
    this.#socket = socket;
    this.#handler = options.handler;
    this.#shared = shared;
    this.#receive = new ReceiveSide(id, options.limits, options.handler, {
      source: this,
      shared,
      gate: shared.gateOf(options.limits),
    });
    this.#queue = new SendQueue((range) =>
      this.cut('range', `${range.path} was truncated or its lease is too old`),
    );
    socket.on('error', (error) => this.#noteEnd(this.#established ? 'reset' : 'connect', error.message));
    socket.on('close', () => this.#gone());
  }

  /** The connection stands. It is paused: there are no credits yet. */
  opened(): void {
    const socket = this.#socket;
    this.#established = true;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.pause();
    socket.on('data', (chunk: Buffer) => this.#receive.arrived(chunk));
    socket.on('end', () => this.#receive.ended());
    if (this.#queue.unsentBytes > 0) this.#pump();
    this.#handler.onOpen(this.id, { host: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 });
  }

  get unsentBytes(): number {
    return this.#ending === null || this.#draining
      ? this.#queue.unsentBytes + this.#socket.writableLength
      : 0;
  }

  send(parts: readonly SendPart[]): number {
    const idle = this.#queue.unsentBytes === 0 && this.#socket.writableLength === 0;
    this.#queue.push(parts);
    if (this.#established && (idle || this.#writesInSocket === 0)) this.#pump();
    const { unsentBytes } = this;
    if (unsentBytes > 0) this.#drainOwed = true;
    return unsentBytes;
  }

  setCredits(credits: number): void {
    this.#receive.setCredits(credits);
  }

  close(how: 'drain' | 'now'): void {
    if (how === 'now' || this.unsentBytes === 0 || !this.#established) {
      this.cut('local', '');
      return;
    }
    this.#noteEnd('local', '');
    this.#draining = true;
    this.#receive.close();
  }

  // What the receiving side asks for.

  setReading(reading: boolean): void {
    if (reading === !this.#socket.isPaused()) return;
    if (reading) this.#socket.resume();
    else this.#socket.pause();
  }

  deliverSoon(): void {
    setImmediate(() => this.#receive.deliver());
  }

  cut(reason: CloseReason, detail: string): void {
    this.#noteEnd(reason, detail);
    this.#draining = false;
    this.#receive.close();
    this.#queue.close();
    this.#socket.destroy();
  }

  /** Moves bytes from the queue to the socket until it has enough, or this turn's share is used up. */
  #pump(): void {
    const socket = this.#socket;
    let turnBytes = 0;
    let last: Buffer | null = null;
    socket.cork();
    try {
      while (socket.writableLength < SOCKET_BACKLOG_BYTES && turnBytes < TURN_BYTES) {
        const bytes = this.#queue.take(this.#shared.chunks.chunkBytes, this.#scratch);
        if (bytes === null) break;
        turnBytes += bytes.length;
        if (last !== null) socket.write(last);
        last = bytes;
      }
    } catch (error) {
      this.cut('range', String(error));
      return;
    }
    if (last !== null) {
      this.#writesInSocket++;
      socket.write(last, this.#onWritten);
    }
    socket.uncork();
  }

  readonly #scratch = (): Buffer => {
    const chunk = this.#shared.chunks.take();
    this.#chunksInSocket.push(chunk);
    return chunk;
  };

  /** What was given to the socket up to some point has left. Not called inside `send`. */
  readonly #onWritten = (error?: Error | null): void => {
    if (error || --this.#writesInSocket > 0) return;
    for (const chunk of this.#chunksInSocket) this.#shared.chunks.give(chunk);
    this.#chunksInSocket = [];
    this.#pump();
    if (this.unsentBytes > 0 || (this.#ending !== null && !this.#draining)) return;
    if (this.#draining) {
      this.#draining = false;
      this.#queue.close();
      this.#socket.destroySoon();
    } else if (this.#drainOwed) {
      this.#drainOwed = false;
      this.#handler.onDrain(this.id);
    }
  };

  #noteEnd(reason: CloseReason, detail: string): void {
    this.#ending ??= { reason, detail };
  }

  #gone(): void {
    this.#noteEnd('reset', 'the socket was closed');
    this.#draining = false;
    this.#receive.close();
    this.#queue.close();
    this.#shared.forget(this.id);
    const { reason, detail } = this.#ending as { reason: CloseReason; detail: string };
    this.#handler.onClose(this.id, reason, detail);
  }
}

/** An IPv4 peer of a socket that takes both kinds shows as `::ffff:10.0.0.1`. */
function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}
