import { assert } from '../../../base/assert.ts';
import { BrokerError } from '../../../base/broker-error.ts';
import type {
  CloseReason,
  ConnectionId,
  ConnectionLimits,
  Listener,
  Network,
  NetworkHandler,
  SendPart,
} from '../../network.ts';
import type { NativeHandle, NetworkBinding } from './binding.ts';
import { Budgets } from './budgets.ts';
import { releaseParts } from '../../send-queue.ts';
import { Connection } from './connection.ts';
import { FrameCopies } from './frame-copies.ts';
import { FrameWindow } from './frame-window.ts';
import { Later } from './later.ts';
import {
  CLOSE_REASONS,
  CloseHow,
  createSharedMemory,
  Event,
  EVENT_FIELDS,
  FRAME_FIELDS,
  type SharedMemory,
} from './layout.ts';
import { Sender, unsentOf } from './sender.ts';
import { errorName } from './system-error.ts';

/** Length of the kernel's queue of connections that wait to be accepted. */
const LISTEN_BACKLOG = 511;
const UNLIMITED_CONNECTIONS = 0xffff_ffff;
/** Buffers of large frames are at least so long; anything shorter that is not a copy shares its memory with others. */
const LARGE_BYTES = 128 * 1024;
/** What used frames are overwritten with in tests. */
const SCRIBBLE = 0xdb;

/** How an `AddonNetwork` is made. */
export interface AddonNetworkOptions {
  readonly binding: NetworkBinding;
  /** Overwrite what frames lay in after each call of `onFrames`: tests find views that were kept too long. */
  readonly scribble?: boolean;
}

/**
 * The network over the addon's reactor. One wake-up is one call of `#turn` with all frames and events; what the handlers ask for in it is
 * gathered and handed over in one call at its end, and what is asked for outside a turn at the end of the microtask queue.
 *
 * Bytes that are gathered count as taken by the kernel: `send` and `unsentBytes` tell what the kernel has refused. What one connection is given
 * beyond 64 KiB in one turn is handed over at once, so they never miss more than that.
 */
export class AddonNetwork implements Network {
  readonly #binding: NetworkBinding;
  readonly #scribble: boolean;
  readonly #memory: SharedMemory = createSharedMemory();
  readonly #handle: NativeHandle;
  readonly #sender: Sender;
  readonly #later = new Later();
  readonly #budgets: Budgets;
  readonly #connections = new Map<ConnectionId, Connection>();
  readonly #slots: (Connection | undefined)[] = [];
  readonly #copies = new FrameCopies();
  readonly #window: FrameWindow;
  readonly #listeners: (AddonListener | undefined)[] = [];
  #lastId = 0;
  #shut = false;

  constructor(options: AddonNetworkOptions) {
    this.#binding = options.binding;
    this.#scribble = options.scribble ?? false;
    this.#budgets = new Budgets(this.#memory);
    this.#window = new FrameWindow(this.#memory, this.#slots, this.#copies);
    const { receive, frames, events, operations, results, arena, budgets, parts, pool } = this.#memory;
    const shared = [receive, frames, events, operations, results, arena, budgets, parts, pool];
    this.#handle = this.#binding.networkOpen(this.#turn, shared);
    this.#sender = new Sender({
      binding: this.#binding,
      handle: this.#handle,
      memory: this.#memory,
      slots: this.#slots,
      later: this.#later,
      flushed: () => this.#budgets.update(),
    });
  }

  listen(options: {
    host: string;
    port: number;
    limits: ConnectionLimits;
    handler: NetworkHandler;
    maxConnections?: number;
  }): Listener {
    const { host, port, limits, handler } = options;
    assert(!this.#shut, 'the network is open');
    const budget = this.#budgets.acquire(limits.budget);
    const hosts = host === '' ? ['::', '0.0.0.0'] : [host];
    let listened = 0;
    for (const each of hosts) {
      listened = this.#binding.networkListen(
        this.#handle,
        each,
        port,
        LISTEN_BACKLOG,
        options.maxConnections ?? UNLIMITED_CONNECTIONS,
        limits.maxFrameBytes,
        limits.frameTimeoutMs,
        limits.socketBufferBytes ?? 0,
        budget,
      );
      if (listened >= 0) return this.#listening(listened, each, limits, handler);
    }
    this.#budgets.release(limits.budget);
    throw new BrokerError('LISTEN_FAILED', `cannot listen on ${host}:${port}: ${listenProblem(listened)}`);
  }

  connect(options: {
    host: string;
    port: number;
    limits: ConnectionLimits;
    handler: NetworkHandler;
  }): ConnectionId {
    const { host, port, limits, handler } = options;
    assert(!this.#shut, 'the network is open');
    const connection = new Connection(++this.#lastId, handler, limits);
    this.#connections.set(connection.id, connection);
    this.#budgets.acquire(limits.budget);
    if (process.getBuiltinModule('node:net').isIP(host) !== 0) {
      this.#attempt(connection, [host], port);
      return connection.id;
    }
    process.getBuiltinModule('node:dns').lookup(host, { all: true }, (error, found) => {
      if (connection.state === 'closed') return;
      const addresses = found?.map((one) => one.address) ?? [];
      this.#attempt(connection, addresses, port, error?.code ?? 'ENOTFOUND');
    });
    return connection.id;
  }

  send(id: ConnectionId, parts: readonly SendPart[]): number {
    const connection = this.#connections.get(id);
    if (connection?.state === 'open') return this.#sender.send(connection, parts);
    if (connection?.state === 'opening') early(connection).parts.push(...parts);
    else releaseParts(parts);
    return 0;
  }

  setCredits(id: ConnectionId, credits: number): void {
    const connection = this.#connections.get(id);
    if (connection?.state === 'open') this.#sender.setCredits(connection, credits);
    else if (connection?.state === 'opening') early(connection).credits = credits;
  }

  recycle(frame: Buffer): void {
    if (this.#scribble) frame.fill(SCRIBBLE);
    if (this.#shut || this.#copies.give(frame) || frame.buffer.byteLength < LARGE_BYTES) return;
    const memory = Buffer.from(frame.buffer);
    const place = this.#binding.networkAdopt(this.#handle, memory);
    if (place >= 0) this.#memory.pool[place] = memory;
  }

  unsentBytes(id: ConnectionId): number {
    const connection = this.#connections.get(id);
    return connection === undefined ? 0 : unsentOf(connection);
  }

  close(id: ConnectionId, how: 'drain' | 'now'): void {
    const connection = this.#connections.get(id);
    if (connection === undefined || connection.state === 'closed') return;
    connection.state = 'closed';
    if (how === 'drain' && connection.queue !== null) connection.closesAfterQueue = true;
    else if (connection.slot >= 0)
      this.#sender.close(connection, how === 'drain' ? CloseHow.DRAIN : CloseHow.NOW);
    else this.#later.call(() => this.#tellClosed(connection, 'local', ''));
  }

  shutdown(done: () => void): void {
    if (this.#shut) {
      setImmediate(done);
      return;
    }
    for (const listener of this.#listeners) listener?.close();
    const open = [...this.#connections.values()];
    this.#shut = true;
    this.#sender.shutdown();
    this.#binding.networkClose(this.#handle);
    for (const connection of open) this.#forget(connection);
    this.#budgets.update();
    setImmediate(() => {
      for (const { handler, id } of open) handler.onClose(id, 'local', '');
      done();
    });
  }

  // --- turns ---

  /** Called by the native side once for each wake-up. */
  readonly #turn = (frames: number, events: number, receivedBytes: number): void => {
    this.#sender.beginTurn();
    try {
      this.#readOpenings(events);
      this.#handOver(frames);
      if (this.#scribble) this.#overwrite(frames, receivedBytes);
      this.#readEndings(events);
    } finally {
      this.#sender.endTurn();
    }
  };

  #readOpenings(events: number): void {
    const rows = this.#memory.events;
    for (let at = 0; at < events * EVENT_FIELDS; at += EVENT_FIELDS) {
      const kind = rows[at] as number;
      const slot = rows[at + 1] as number;
      const value = rows[at + 2] as number;
      if (kind === Event.ACCEPTED) this.#accepted(slot, value, rows[at + 3] as number);
      else if (kind === Event.CONNECTED) this.#established(this.#slots[slot] as Connection);
      else if (kind === Event.PROGRESS)
        this.#sender.progress(this.#slots[slot], value, rows[at + 3] as number);
    }
  }

  /** Gives each handler its frames: runs of rows of one handler, without connections that were closed by an earlier run. */
  #handOver(frames: number): void {
    for (let first = 0; first < frames && !this.#shut; ) {
      const connection = this.#rowConnection(first);
      if (connection === undefined) {
        first++;
        continue;
      }
      let end = first + 1;
      while (end < frames && this.#rowConnection(end)?.handler === connection.handler) end++;
      this.#window.move(first, end - first);
      connection.handler.onFrames(this.#window);
      first = end;
    }
    this.#window.move(0, 0);
  }

  /** The connection of a row, if it may still be handed frames. */
  #rowConnection(row: number): Connection | undefined {
    const connection = this.#slots[this.#memory.frames[row * FRAME_FIELDS] as number];
    return connection?.state === 'open' ? connection : undefined;
  }

  #readEndings(events: number): void {
    const rows = this.#memory.events;
    for (let at = 0; at < events * EVENT_FIELDS && !this.#shut; at += EVENT_FIELDS) {
      const slot = rows[at + 1] as number;
      if (rows[at] === Event.CLOSED) this.#ended(slot, rows[at + 2] as number, rows[at + 3] as number);
    }
  }

  #overwrite(frames: number, receivedBytes: number): void {
    this.#memory.receive.fill(SCRIBBLE, 0, receivedBytes);
    for (let row = 0; row < frames; row++) {
      const place = this.#memory.frames[row * FRAME_FIELDS + 1] as number;
      if (place > 0) this.#memory.pool[place - 1]?.fill(SCRIBBLE);
    }
  }

  // --- the life of connections ---

  #listening(listened: number, host: string, limits: ConnectionLimits, handler: NetworkHandler): Listener {
    const index = Math.floor(listened / 65536);
    const listener: AddonListener = {
      host,
      port: listened % 65536,
      limits,
      handler,
      close: () => {
        if (this.#listeners[index] !== listener || listener.closed) return;
        listener.closed = true;
        if (this.#shut) return;
        this.#binding.networkUnlisten(this.#handle, index);
        this.#budgets.release(limits.budget);
      },
      closed: false,
    };
    this.#listeners[index] = listener;
    return listener;
  }

  #accepted(slot: number, generation: number, index: number): void {
    const { handler, limits } = this.#listeners[index] as AddonListener;
    const connection = new Connection(++this.#lastId, handler, limits);
    this.#budgets.acquire(limits.budget);
    this.#connections.set(connection.id, connection);
    this.#place(connection, slot, generation);
    this.#opened(connection);
  }

  #established(connection: Connection): void {
    if (connection.state !== 'opening') return;
    const before = connection.early;
    connection.early = null;
    connection.state = 'open';
    if (before !== null && before.parts.length > 0) this.#sender.send(connection, before.parts);
    if (before !== null && before.credits > 0) this.#sender.setCredits(connection, before.credits);
    this.#opened(connection);
  }

  #opened(connection: Connection): void {
    if (this.#shut) return;
    connection.state = 'open';
    const peer = this.#binding.networkPeer(this.#handle, connection.slot, connection.generation);
    const [host = '', port = ''] = peer.split(' ');
    connection.handler.onOpen(connection.id, { host, port: Number(port) });
  }

  #place(connection: Connection, slot: number, generation: number): void {
    connection.slot = slot;
    connection.generation = generation;
    while (this.#slots.length <= slot) this.#slots.push(undefined);
    this.#slots[slot] = connection;
  }

  /** Tries the addresses of an outgoing connection one after the other. */
  #attempt(connection: Connection, addresses: readonly string[], port: number, problem = ''): void {
    const [address, ...others] = addresses;
    if (address === undefined) {
      connection.state = 'closed';
      this.#later.call(() => this.#tellClosed(connection, 'connect', problem));
      return;
    }
    const { limits } = connection;
    const error = this.#binding.networkConnect(
      this.#handle,
      address,
      port,
      limits.maxFrameBytes,
      limits.frameTimeoutMs,
      limits.socketBufferBytes ?? 0,
      this.#budgets.indexOf(limits.budget),
    );
    if (error < 0) {
      this.#attempt(connection, others, port, errorName(error));
      return;
    }
    this.#place(connection, this.#memory.results[0] as number, this.#memory.results[1] as number);
    connection.nextAttempt = (code) => this.#attempt(connection, others, port, code);
  }

  /** The native side has closed the connection in this slot. */
  #ended(slot: number, reason: number, error: number): void {
    const connection = this.#slots[slot] as Connection;
    const why = CLOSE_REASONS[reason] as CloseReason;
    this.#slots[slot] = undefined;
    connection.slot = -1;
    if (connection.state === 'opening' && connection.nextAttempt !== null) {
      connection.nextAttempt(errorName(error));
      return;
    }
    this.#tellClosed(connection, why, closeDetail(why, error, connection.limits));
  }

  #tellClosed(connection: Connection, reason: CloseReason, detail: string): void {
    if (!this.#connections.delete(connection.id)) return;
    connection.state = 'closed';
    connection.drop();
    this.#budgets.release(connection.limits.budget);
    connection.handler.onClose(connection.id, reason, detail);
  }

  /** The network is shut: nothing of the connection is used any more. */
  #forget(connection: Connection): void {
    connection.state = 'closed';
    connection.drop();
    this.#connections.delete(connection.id);
    this.#budgets.release(connection.limits.budget);
  }
}

interface AddonListener extends Listener {
  readonly limits: ConnectionLimits;
  readonly handler: NetworkHandler;
  closed: boolean;
}

function early(connection: Connection): NonNullable<Connection['early']> {
  return (connection.early ??= { parts: [], credits: 0 });
}

/** `number` is the size of a frame that is too large, else the system's error or 0. */
function closeDetail(reason: CloseReason, number: number, limits: ConnectionLimits): string {
  if (reason === 'frame-size') return `a frame of ${number} bytes, allowed are 0 to ${limits.maxFrameBytes}`;
  if (reason === 'frame-timeout') return `a frame was not whole after ${limits.frameTimeoutMs} ms`;
  if (number !== 0) return errorName(number);
  return reason === 'range' ? 'a file range was cut off, or its lease is too old' : '';
}

function listenProblem(number: number): string {
  const code = errorName(number);
  if (code === 'EADDRINUSE') return `${code}, another program listens there; choose another port`;
  if (code === 'EACCES') return `${code}, a port below 1024 takes privileges; choose another port`;
  if (code === 'EADDRNOTAVAIL') return `${code}, this machine does not have that address`;
  if (code === 'ENXIO') return 'the host name cannot be resolved';
  return code;
}
