import assert from 'node:assert/strict';
import type { Disk, DiskFile, FileRange } from '../../src/io/disk.ts';
import type {
  CloseReason,
  ConnectionId,
  ConnectionLimits,
  FrameTable,
  Listener,
  Network,
  NetworkHandler,
} from '../../src/io/network.ts';
import { pattern, type World } from './world.ts';

/** Two networks that reach each other (they may be one), and a disk for file ranges. Received frames are overwritten after use. */
export interface NetworkWorld extends World {
  readonly server: Network;
  readonly client: Network;
  /** Where the server listens and the client connects to. */
  readonly host: string;
  readonly disk: Disk;
  readonly root: string;
  end(): Promise<void>;
}

/** Makes networks under test; a text says why that cannot be done here. */
export type NetworkFactory = () => NetworkWorld | string;

/** Runs a test body in a network world, or skips it with the reason. */
export async function withNetwork(
  context: { skip(message?: string): void },
  factory: NetworkFactory,
  body: (world: NetworkWorld) => Promise<void> | void,
): Promise<void> {
  const world = factory();
  if (typeof world === 'string') {
    context.skip(world);
    return;
  }
  try {
    await body(world);
  } finally {
    await world.end();
  }
}

/** Bounds that no test meets by accident. */
export function limits(changes: Partial<ConnectionLimits> = {}): ConnectionLimits {
  return {
    maxFrameBytes: 16 * 1024 * 1024,
    frameTimeoutMs: 60_000,
    budget: { maxBytes: 256 * 1024 * 1024, usedBytes: 0 },
    ...changes,
  };
}

/** Remembers what it is told, and holds the network to its promises about the order of calls. */
export class Recorder implements NetworkHandler {
  readonly opened = new Map<ConnectionId, { readonly host: string; readonly port: number }>();
  readonly frames: { readonly connection: ConnectionId; readonly bytes: Buffer }[] = [];
  readonly closed = new Map<ConnectionId, { readonly reason: CloseReason; readonly detail: string }>();
  readonly drained: ConnectionId[] = [];
  /** Credits that remain, as this side has set them. */
  readonly credits = new Map<ConnectionId, number>();
  /** Called with each table, before it is remembered. */
  onTable: ((frames: FrameTable) => void) | null = null;
  /** Credits given in `onOpen`. */
  readonly #firstCredits: number;
  readonly #network: Network;
  #inside = false;

  constructor(network: Network, firstCredits = 1_000_000) {
    this.#network = network;
    this.#firstCredits = firstCredits;
  }

  /** The one connection that was opened. */
  get connection(): ConnectionId {
    assert.equal(this.opened.size, 1);
    return [...this.opened.keys()][0] as ConnectionId;
  }

  /** Frames so far, as bytes. */
  get received(): Buffer[] {
    return this.frames.map((frame) => frame.bytes);
  }

  /** Sets credits, and keeps count. */
  give(connection: ConnectionId, credits: number): void {
    this.credits.set(connection, credits);
    this.outside(() => this.#network.setCredits(connection, credits));
  }

  /** Runs a call into the network during which no handler may be called. */
  outside<T>(call: () => T): T {
    const before = this.#inside;
    this.#inside = true;
    try {
      return call();
    } finally {
      this.#inside = before;
    }
  }

  onOpen(connection: ConnectionId, peer: { readonly host: string; readonly port: number }): void {
    assert.ok(!this.#inside, 'no handler is called inside a call');
    assert.ok(!this.opened.has(connection), 'a connection is opened once');
    this.opened.set(connection, peer);
    this.give(connection, this.#firstCredits);
  }

  onFrames(frames: FrameTable): void {
    assert.ok(!this.#inside, 'no handler is called inside a call');
    assert.ok(frames.count > 0, 'a table is not empty');
    const counts = new Map<ConnectionId, number>();
    for (let i = 0; i < frames.count; i++) {
      const connection = frames.connection(i);
      assert.ok(this.opened.has(connection) && !this.closed.has(connection), 'frames come while it is open');
      counts.set(connection, (counts.get(connection) ?? 0) + 1);
    }
    for (const [connection, count] of counts) {
      const left = (this.credits.get(connection) ?? 0) - count;
      assert.ok(left >= 0, 'no more frames than credits');
      this.credits.set(connection, left);
    }
    this.onTable?.(frames);
    for (let i = 0; i < frames.count; i++) {
      const bytes = Buffer.from(frames.buffer(i).subarray(frames.start(i), frames.end(i)));
      this.frames.push({ connection: frames.connection(i), bytes });
    }
  }

  onClose(connection: ConnectionId, reason: CloseReason, detail: string): void {
    assert.ok(!this.#inside, 'no handler is called inside a call');
    assert.ok(!this.closed.has(connection), 'a connection is closed once');
    assert.ok(this.opened.has(connection) || reason === 'connect' || reason === 'local');
    this.closed.set(connection, { reason, detail });
  }

  onDrain(connection: ConnectionId): void {
    assert.ok(!this.#inside, 'no handler is called inside a call');
    assert.ok(this.opened.has(connection) && !this.closed.has(connection), 'a drain comes while it is open');
    this.drained.push(connection);
  }
}

/** Two ends of one connection. */
export interface Pair {
  readonly listener: Listener;
  readonly server: Recorder;
  readonly client: Recorder;
  readonly serverId: ConnectionId;
  readonly clientId: ConnectionId;
}

/** Listens, connects, and waits for both ends. */
export async function connectPair(
  world: NetworkWorld,
  options: { serverLimits?: ConnectionLimits; serverCredits?: number; clientCredits?: number } = {},
): Promise<Pair> {
  const server = new Recorder(world.server, options.serverCredits);
  const client = new Recorder(world.client, options.clientCredits);
  const listener = world.server.listen({
    host: world.host,
    port: 0,
    limits: options.serverLimits ?? limits(),
    handler: server,
  });
  const clientId = world.client.connect({
    host: world.host,
    port: listener.port,
    limits: limits(),
    handler: client,
  });
  await world.until(() => server.opened.size === 1 && client.opened.size === 1, 'both ends');
  return { listener, server, client, serverId: server.connection, clientId };
}

/** A frame with its size prefix. */
export function framed(...frames: Buffer[]): Buffer {
  return Buffer.concat(
    frames.flatMap((frame) => {
      const prefix = Buffer.alloc(4);
      prefix.writeInt32BE(frame.length);
      return [prefix, frame];
    }),
  );
}

/** A size prefix alone. */
export function sizePrefix(lengthBytes: number): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeInt32BE(lengthBytes);
  return prefix;
}

/** A file of patterned bytes. */
export async function fileOf(world: NetworkWorld, name: string, lengthBytes: number): Promise<DiskFile> {
  const file = world.disk.open(`${world.root}/${name}`, 'create');
  let done = false;
  file.append([pattern(lengthBytes)], (error) => {
    assert.equal(error, null);
    done = true;
  });
  await world.until(() => done, 'an append');
  return file;
}

/** Whether the last reference of a range was given back. */
export function isReleased(range: FileRange): boolean {
  try {
    range.retain();
  } catch {
    return true;
  }
  range.release();
  return false;
}
