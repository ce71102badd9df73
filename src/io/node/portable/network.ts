import type net from 'node:net';
import type { Clock } from '../../clock.ts';
import { FrameBatch } from '../../frame-batch.ts';
import { FrameDeadlines } from '../../frame-deadlines.ts';
import type {
  ConnectionId,
  ConnectionLimits,
  Listener,
  Network,
  NetworkHandler,
  ReceiveBudget,
  SendPart,
} from '../../network.ts';
import { BudgetGate } from '../../receive-budget.ts';
import { releaseParts } from '../../send-queue.ts';
import { ChunkPool } from './chunk-pool.ts';
import { type ConnectionShared, PortableConnection } from './connection.ts';
import { listenNow } from './server-handle.ts';

/** How a `PortableNetwork` is made. */
export interface PortableNetworkOptions {
  readonly clock: Clock;
  /** Overwrites frames after each `onFrames` unless they were retained, so that who keeps a view is found out. For tests. */
  readonly debugPoison?: boolean;
}

/** Sockets by `node:net`. It has no way to set the system's socket buffers: `socketBufferBytes` is not honoured. */
export class PortableNetwork implements Network {
  readonly #connections = new Map<ConnectionId, PortableConnection>();
  readonly #servers = new Set<net.Server>();
  readonly #gates = new WeakMap<ReceiveBudget, BudgetGate>();
  readonly #shared: ConnectionShared;
  #nextId = 1;
  #whenEmpty: (() => void) | null = null;

  constructor(options: PortableNetworkOptions) {
    const batch = new FrameBatch();
    if (options.debugPoison === true) batch.poisonAfterUse();
    this.#shared = {
      batch,
      deadlines: new FrameDeadlines(options.clock),
      chunks: new ChunkPool(),
      gateOf: (limits) => this.#gateOf(limits.budget),
      forget: (id) => this.#forget(id),
    };
  }

  listen(options: {
    host: string;
    port: number;
    limits: ConnectionLimits;
    handler: NetworkHandler;
    maxConnections?: number;
  }): Listener {
    const server = process
      .getBuiltinModule('node:net')
      .createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
        this.#add(socket, options).opened();
      });
    if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections;
    const port = listenNow(server, options.host, options.port);
    // What may fail from now on is one accept, which the client notices.
    server.on('error', () => {});
    this.#servers.add(server);
    const close = (): void => {
      this.#servers.delete(server);
      server.close();
    };
    return { host: options.host, port, close };
  }

  connect(options: {
    host: string;
    port: number;
    limits: ConnectionLimits;
    handler: NetworkHandler;
  }): ConnectionId {
    const socket = process
      .getBuiltinModule('node:net')
      .connect({ host: options.host, port: options.port, allowHalfOpen: true });
    const connection = this.#add(socket, options);
    socket.once('connect', () => connection.opened());
    return connection.id;
  }

  send(connection: ConnectionId, parts: readonly SendPart[]): number {
    const found = this.#connections.get(connection);
    if (found !== undefined) return found.send(parts);
    releaseParts(parts);
    return 0;
  }

  setCredits(connection: ConnectionId, credits: number): void {
    this.#connections.get(connection)?.setCredits(credits);
  }

  recycle(_frame: Buffer): void {}

  unsentBytes(connection: ConnectionId): number {
    return this.#connections.get(connection)?.unsentBytes ?? 0;
  }

  close(connection: ConnectionId, how: 'drain' | 'now'): void {
    this.#connections.get(connection)?.close(how);
  }

  shutdown(done: () => void): void {
    for (const server of this.#servers) server.close();
    this.#servers.clear();
    for (const connection of this.#connections.values()) connection.close('now');
    this.#shared.deadlines.close();
    if (this.#connections.size === 0) setImmediate(done);
    else this.#whenEmpty = done;
  }

  #add(
    socket: net.Socket,
    options: { limits: ConnectionLimits; handler: NetworkHandler },
  ): PortableConnection {
    const connection = new PortableConnection(this.#nextId++, socket, options, this.#shared);
    this.#connections.set(connection.id, connection);
    return connection;
  }

  #forget(id: ConnectionId): void {
    this.#connections.delete(id);
    if (this.#connections.size > 0 || this.#whenEmpty === null) return;
    setImmediate(this.#whenEmpty);
    this.#whenEmpty = null;
  }

  #gateOf(budget: ReceiveBudget): BudgetGate {
    let gate = this.#gates.get(budget);
    if (gate === undefined) this.#gates.set(budget, (gate = new BudgetGate(budget)));
    return gate;
  }
}
