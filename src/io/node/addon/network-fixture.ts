/** What the tests of `AddonNetwork` share: a network that records what its handler is told, and raw clients. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import type { ConnectionId, ConnectionLimits, FrameTable, NetworkHandler } from '../../network.ts';
import type { AddonBinding } from './binding.ts';
import { loadAddon } from './loader.ts';
import { AddonNetwork } from './network.ts';

/** The addon, or the reason to skip the tests that need it. */
export function addonOrSkip(): { binding: AddonBinding; skip: false } | { binding: null; skip: string } {
  const { binding, reason } = loadAddon();
  return binding === null ? { binding: null, skip: `no addon: ${reason}` } : { binding, skip: false };
}

/** A handler that records what it is told, and may do more. */
export class Recorder implements NetworkHandler {
  readonly opened: ConnectionId[] = [];
  readonly peers: string[] = [];
  readonly frames: { connection: ConnectionId; bytes: Buffer }[] = [];
  readonly closed: { connection: ConnectionId; reason: string; detail: string }[] = [];
  readonly drained: ConnectionId[] = [];
  /** Frames per call of `onFrames`. */
  readonly wakeUps: number[] = [];
  whenOpen: (connection: ConnectionId) => void = () => {};
  whenFrame: (connection: ConnectionId, frames: FrameTable, i: number) => void = () => {};

  onOpen(connection: ConnectionId, peer: { host: string; port: number }): void {
    this.opened.push(connection);
    this.peers.push(`${peer.host}:${peer.port}`);
    this.whenOpen(connection);
  }

  onFrames(frames: FrameTable): void {
    this.wakeUps.push(frames.count);
    for (let i = 0; i < frames.count; i++) {
      const connection = frames.connection(i);
      const bytes = Buffer.from(frames.buffer(i).subarray(frames.start(i), frames.end(i)));
      this.frames.push({ connection, bytes });
      this.whenFrame(connection, frames, i);
    }
  }

  onClose(connection: ConnectionId, reason: string, detail: string): void {
    this.closed.push({ connection, reason, detail });
  }

  onDrain(connection: ConnectionId): void {
    this.drained.push(connection);
  }
}

/** Limits for tests; each call has a budget of its own unless one is given. */
export function limits(some: Partial<ConnectionLimits> = {}): ConnectionLimits {
  return {
    maxFrameBytes: 100 << 20,
    frameTimeoutMs: 10_000,
    budget: { maxBytes: 64 << 20, usedBytes: 0 },
    ...some,
  };
}

/** A listening network and its recorder; both end with the test. */
export function listening(
  t: TestContext,
  binding: AddonBinding,
  some: Partial<ConnectionLimits> & { maxConnections?: number } = {},
): { network: AddonNetwork; recorder: Recorder; port: number; limits: ConnectionLimits } {
  const network = new AddonNetwork({ binding, scribble: true });
  const recorder = new Recorder();
  const { maxConnections, ...rest } = some;
  const bounds = limits(rest);
  const { port } = network.listen({
    host: '127.0.0.1',
    port: 0,
    limits: bounds,
    handler: recorder,
    ...(maxConnections === undefined ? {} : { maxConnections }),
  });
  t.after(() => new Promise<void>((done) => network.shutdown(done)));
  return { network, recorder, port, limits: bounds };
}

/** A raw client that collects what it is sent. */
export class Client {
  readonly socket: net.Socket;
  readonly #chunks: Buffer[] = [];
  receivedBytes = 0;
  ended = false;
  error = '';

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.receivedBytes += chunk.length;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code ?? ''));
    socket.on('close', () => (this.ended = true));
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** Connects a raw client; it is destroyed at the end of the test. `options.allowHalfOpen` as for `net.connect`. */
export async function connectClient(
  t: TestContext,
  port: number,
  options: Partial<net.TcpNetConnectOpts> = {},
): Promise<Client> {
  const socket = net.connect({ ...options, port, host: '127.0.0.1' });
  t.after(() => socket.destroy());
  const client = new Client(socket);
  await new Promise<void>((done, failed) => {
    socket.once('connect', done);
    socket.once('error', failed);
  });
  return client;
}

/** A frame with its size prefix. */
export function framed(bytes: Buffer | string): Buffer {
  const payload = Buffer.from(bytes);
  const prefix = Buffer.alloc(4);
  prefix.writeInt32BE(payload.length);
  return Buffer.concat([prefix, payload]);
}

/** Bytes that differ from place to place. */
export function pattern(lengthBytes: number, seed = 0): Buffer {
  const bytes = Buffer.allocUnsafe(lengthBytes);
  for (let i = 0; i < lengthBytes; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed * 101) & 0xff;
  return bytes;
}

/** Waits until a condition holds; fails after some seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 8000;
  while (!condition()) {
    assert.ok(Date.now() < end, `waited in vain for ${what}`);
    await sleep(1);
  }
}
