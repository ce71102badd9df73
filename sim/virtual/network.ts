import { assert } from '../../src/base/assert.ts';
import { BrokerError } from '../../src/base/broker-error.ts';
import type { Random } from '../../src/base/random.ts';
import { FrameBatch } from '../../src/io/frame-batch.ts';
import { FrameDeadlines } from '../../src/io/frame-deadlines.ts';
import type {
  ConnectionId,
  ConnectionLimits,
  Listener,
  Network,
  NetworkHandler,
  ReceiveBudget,
  SendPart,
} from '../../src/io/network.ts';
import { BudgetGate } from '../../src/io/receive-budget.ts';
import { releaseParts } from '../../src/io/send-queue.ts';
import type { VirtualClock } from './clock.ts';
import { Endpoint, type EndpointOwner } from './endpoint.ts';
import { Pipe, type PipeSurroundings } from './pipe.ts';

/** How a `VirtualInternet` is made. */
export interface VirtualInternetOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** Least and most milliseconds a packet takes, 0.05 and 1.5 by default. */
  readonly latencyMs?: readonly [number, number];
  /** Bytes that the system takes from a sender before the receiver has read them; 128 KiB by default. */
  readonly windowBytes?: number;
  /** How long a connection is tried for, 10 s by default. */
  readonly connectTimeoutMs?: number;
  /** How long a sender that does not get through waits before its connection is reset, 30 s by default. */
  readonly stallTimeoutMs?: number;
}

/** All hosts of a simulation and the ways between them, which can be slow and can be blocked. */
export class VirtualInternet implements PipeSurroundings {
  readonly clock: VirtualClock;
  readonly stallTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly windowBytes: number;
  /** Least and most milliseconds a packet takes; may be changed at any time. */
  latencyMs: readonly [number, number];
  readonly #random: Random;
  readonly #hosts = new Map<string, VirtualNetwork>();
  readonly #blocked = new Set<string>();
  /** Machines without power. */
  readonly #dark = new Set<string>();

  constructor(options: VirtualInternetOptions) {
    this.clock = options.clock;
    this.#random = options.random;
    this.latencyMs = options.latencyMs ?? [0.05, 1.5];
    this.windowBytes = options.windowBytes ?? 128 * 1024;
    this.connectTimeoutMs = options.connectTimeoutMs ?? 10_000;
    this.stallTimeoutMs = options.stallTimeoutMs ?? 30_000;
  }

  /** Brings a host up: its network, under a name that others connect to. One that is up must be crashed or shut down before. */
  host(name: string, options: { debugPoison?: boolean } = {}): VirtualNetwork {
    assert(!this.#hosts.has(name), `${name} is up already`);
    const network = new VirtualNetwork(this, name, this.#random.fork(), options.debugPoison ?? true);
    this.#hosts.set(name, network);
    this.#dark.delete(name);
    this.#unblockAll();
    return network;
  }

  /** Nothing gets from one host to the other; with `both`, nor back. Packets wait; senders give up in the end. */
  block(from: string, to: string, direction: 'one-way' | 'both' = 'both'): void {
    this.#blocked.add(wayOf(from, to));
    if (direction === 'both') this.#blocked.add(wayOf(to, from));
  }

  /** The way is free again, both ways; without names, all ways are. */
  heal(one?: string, other?: string): void {
    if (one === undefined || other === undefined) this.#blocked.clear();
    else for (const way of [wayOf(one, other), wayOf(other, one)]) this.#blocked.delete(way);
    this.#unblockAll();
  }

  /** Resets all connections between two hosts. */
  dropConnections(one: string, other: string): void {
    this.find(one)?.dropConnectionsTo(other);
    this.find(other)?.dropConnectionsTo(one);
  }

  drawLatencyMs(): number {
    const [leastMs, mostMs] = this.latencyMs;
    return leastMs + this.#random.below(Math.round((mostMs - leastMs) * 1000) + 1) / 1000;
  }

  /** The network of a host that is up. */
  find(name: string): VirtualNetwork | null {
    return this.#hosts.get(name) ?? null;
  }

  /** Whether a packet gets through now. */
  isBlocked(from: string, to: string): boolean {
    return this.#blocked.has(wayOf(from, to)) || this.#dark.has(to);
  }

  /** A host's process is gone, or its power. */
  forget(network: VirtualNetwork, dark: boolean): void {
    if (this.#hosts.get(network.name) !== network) return;
    this.#hosts.delete(network.name);
    if (dark) this.#dark.add(network.name);
  }

  #unblockAll(): void {
    for (const network of this.#hosts.values()) network.unblock();
  }
}

interface VirtualListener {
  readonly port: number;
  readonly limits: ConnectionLimits;
  readonly handler: NetworkHandler;
  readonly maxConnections: number;
  /** Connections it accepted that are open. */
  readonly accepted: Set<Endpoint>;
}

const FIRST_FREE_PORT = 32_768;
/** What frames that were given back are overwritten with. */
const RECYCLED = 0xdf;

/** The network of one host. Peers are named by their hosts' names; `localhost`, `127.0.0.1` and `::1` are the host itself. */
export class VirtualNetwork implements Network, EndpointOwner {
  readonly name: string;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly windowBytes: number;
  readonly keepAliveMs: number;
  readonly shared: { readonly batch: FrameBatch; readonly deadlines: FrameDeadlines };
  readonly #internet: VirtualInternet;
  readonly #endpoints = new Map<ConnectionId, Endpoint>();
  readonly #listeners = new Map<number, VirtualListener>();
  readonly #gates = new WeakMap<ReceiveBudget, BudgetGate>();
  #nextId = 1;
  #nextPort = FIRST_FREE_PORT;
  #alive = true;
  #whenEmpty: (() => void) | null = null;

  constructor(internet: VirtualInternet, name: string, random: Random, debugPoison: boolean) {
    this.#internet = internet;
    this.name = name;
    this.clock = internet.clock;
    this.random = random;
    this.windowBytes = internet.windowBytes;
    this.keepAliveMs = internet.stallTimeoutMs;
    const batch = new FrameBatch();
    if (debugPoison) batch.poisonAfterUse();
    this.shared = { batch, deadlines: new FrameDeadlines(internet.clock) };
  }

  get alive(): boolean {
    return this.#alive;
  }

  listen(options: {
    host: string;
    port: number;
    limits: ConnectionLimits;
    handler: NetworkHandler;
    maxConnections?: number;
  }): Listener {
    const port = options.port === 0 ? this.#freePort() : options.port;
    if (this.#listeners.has(port)) {
      const where = `${options.host || 'all addresses'}, port ${port}`;
      throw new BrokerError(
        'LISTEN_FAILED',
        `cannot listen on ${where}: EADDRINUSE, another listener is there`,
      );
    }
    const { limits, handler, maxConnections = Number.POSITIVE_INFINITY } = options;
    const listener: VirtualListener = { port, limits, handler, maxConnections, accepted: new Set() };
    this.#listeners.set(port, listener);
    const close = (): void => {
      if (this.#listeners.get(port) === listener) this.#listeners.delete(port);
    };
    return { host: options.host, port, close };
  }

  connect(options: {
    host: string;
    port: number;
    limits: ConnectionLimits;
    handler: NetworkHandler;
  }): ConnectionId {
    const { host, port } = options;
    const endpoint = this.#add({ host, port }, options);
    const target = isLocal(host) ? this.name : host;
    const localPort = this.#freePort();
    const refuse = (detail: string): void => endpoint.cut('connect', detail);
    const knock = new Pipe(this.#internet, {
      isBlocked: () => this.#internet.isBlocked(this.name, target),
      gaveUp: () => refuse(`connection to ${host}:${port} timed out`),
      arrive: () => {
        knock.close();
        if (endpoint.closed || !this.#alive) return;
        const remote = this.#internet.find(target);
        if (remote?.accept(port, endpoint, { host: this.name, port: localPort }, this) !== true) {
          refuse(`ECONNREFUSED ${host}:${port}`);
        }
      },
    });
    knock.transmit({ kind: 'open' });
    this.clock.schedule(this.clock.monotonicMs() + this.#internet.connectTimeoutMs, () => {
      if (!endpoint.wasOpened) refuse(`connection to ${host}:${port} timed out`);
    });
    return endpoint.id;
  }

  send(connection: ConnectionId, parts: readonly SendPart[]): number {
    const endpoint = this.#endpoints.get(connection);
    if (endpoint !== undefined && !endpoint.closed) return endpoint.send(parts);
    releaseParts(parts);
    return 0;
  }

  setCredits(connection: ConnectionId, credits: number): void {
    this.#endpoints.get(connection)?.setCredits(credits);
  }

  /** Overwrites it, so that who still looks at it is found out. */
  recycle(frame: Buffer): void {
    frame.fill(RECYCLED);
  }

  unsentBytes(connection: ConnectionId): number {
    return this.#endpoints.get(connection)?.unsentBytes ?? 0;
  }

  close(connection: ConnectionId, how: 'drain' | 'now'): void {
    this.#endpoints.get(connection)?.close(how);
  }

  shutdown(done: () => void): void {
    this.#listeners.clear();
    for (const endpoint of this.#endpoints.values()) endpoint.close('now');
    this.shared.deadlines.close();
    this.#whenEmpty = () => {
      this.#internet.forget(this, false);
      if (this.#alive) done();
    };
    this.clock.defer(() => this.#checkEmpty());
  }

  /**
   * The host goes down without a word to its handlers. `process`: the system closes its sockets, peers see a reset. `power`: peers hear nothing until they
   * give up, or the host is up again and resets what they send.
   */
  crash(kind: 'power' | 'process' = 'power'): void {
    this.#alive = false;
    this.#listeners.clear();
    this.shared.deadlines.close();
    for (const endpoint of this.#endpoints.values()) endpoint.die(kind === 'power');
    this.#endpoints.clear();
    this.#internet.forget(this, kind === 'power');
  }

  // What the internet and the endpoints ask for.

  /** A connection comes in. False when nobody listens or all places are taken. */
  accept(
    port: number,
    client: Endpoint,
    from: { host: string; port: number },
    network: VirtualNetwork,
  ): boolean {
    const listener = this.#listeners.get(port);
    if (listener === undefined) return false;
    const server = this.#add(from, listener);
    const toClient = this.#pipe(server, client, network);
    server.join(client, toClient);
    client.join(server, network.#pipe(client, server, this));
    toClient.transmit({ kind: 'open' });
    if (listener.accepted.size >= listener.maxConnections) {
      this.#endpoints.delete(server.id);
      server.die(false);
      return true;
    }
    listener.accepted.add(server);
    server.opened();
    return true;
  }

  /** Resets all connections to a host, as seen from this one. */
  dropConnectionsTo(host: string): void {
    for (const endpoint of this.#endpoints.values()) {
      if (endpoint.remote.host === host) endpoint.cut('reset', 'the connection was dropped');
    }
  }

  /** The ways from this host may be free again. */
  unblock(): void {
    for (const endpoint of this.#endpoints.values()) endpoint.unblock();
  }

  gateOf(limits: ConnectionLimits): BudgetGate {
    let gate = this.#gates.get(limits.budget);
    if (gate === undefined) this.#gates.set(limits.budget, (gate = new BudgetGate(limits.budget)));
    return gate;
  }

  forget(endpoint: Endpoint): void {
    this.#endpoints.delete(endpoint.id);
    for (const listener of this.#listeners.values()) listener.accepted.delete(endpoint);
    this.#checkEmpty();
  }

  #add(
    remote: { host: string; port: number },
    options: { limits: ConnectionLimits; handler: NetworkHandler },
  ): Endpoint {
    assert(this.#alive, `${this.name} is down`);
    const endpoint = new Endpoint(this.#nextId++, remote, options, this);
    this.#endpoints.set(endpoint.id, endpoint);
    return endpoint;
  }

  /** The way from one of this host's ends to the other end. */
  #pipe(from: Endpoint, to: Endpoint, remote: VirtualNetwork): Pipe {
    return new Pipe(this.#internet, {
      isBlocked: () => this.#internet.isBlocked(this.name, remote.name),
      arrive: (packet) => to.packet(packet),
      gaveUp: () => from.cut('reset', 'the peer did not answer in time'),
    });
  }

  #freePort(): number {
    while (this.#listeners.has(this.#nextPort)) this.#nextPort++;
    return this.#nextPort++;
  }

  #checkEmpty(): void {
    const whenEmpty = this.#whenEmpty;
    if (this.#endpoints.size > 0 || whenEmpty === null) return;
    this.#whenEmpty = null;
    whenEmpty();
  }
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '127.0.0.1' || host === '::1' || host === '';
}

function wayOf(from: string, to: string): string {
  return `${from} > ${to}`;
}
