import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Random } from '../../../base/random.ts';
import type { ConnectionId, FrameTable, SendPart } from '../../network.ts';
import { NodeClock } from '../clock.ts';
import { NodeDisk } from '../node-disk.ts';
import type { NodeFile } from '../node-file.ts';
import { AddonFileOperations } from './file-operations.ts';
import type { AddonNetwork } from './network.ts';
import { addonOrSkip, framed, listening, pattern, type Recorder, until } from './network-fixture.ts';

const { binding, skip } = addonOrSkip();

/** Seeds and clients can be raised for a longer hunt. */
const SEEDS = Number(process.env['CHAOS_SEEDS'] ?? 4);
const CLIENTS = 30;
const CONTENT = pattern(2_000_000, 8);

/** What a connection was sent, as far as the server knows. */
interface Sent {
  readonly bytes: Buffer[];
  readonly frames: Buffer[];
  closed: string | null;
}

/** A server that answers each frame with random parts, at once or later, changes credits, and closes now and then. */
class Server {
  readonly sent = new Map<ConnectionId, Sent>();
  readonly #random: Random;
  readonly #network: AddonNetwork;
  readonly #file: NodeFile;
  leases = 0;
  releases = 0;

  constructor(random: Random, network: AddonNetwork, recorder: Recorder, file: NodeFile) {
    this.#random = random;
    this.#network = network;
    this.#file = file;
    recorder.onOpen = (connection) => this.#opened(connection);
    recorder.onFrames = (frames) => this.#frames(frames);
    recorder.onClose = (connection, reason) => {
      const sent = this.sent.get(connection);
      assert.ok(sent !== undefined && sent.closed === null, 'closed once, after it was opened');
      sent.closed = reason;
    };
  }

  #opened(connection: ConnectionId): void {
    this.sent.set(connection, { bytes: [], frames: [], closed: null });
    this.#later(() => this.#network.setCredits(connection, this.#random.between(1, 5)));
  }

  #frames(frames: FrameTable): void {
    for (let i = 0; i < frames.count; i++) {
      const connection = frames.connection(i);
      const sent = this.sent.get(connection) as Sent;
      assert.equal(sent.closed, null, 'no frames after the close');
      const frame = this.#random.chance(0.3)
        ? frames.retain(i)
        : frames.buffer(i).subarray(frames.start(i), frames.end(i));
      sent.frames.push(Buffer.from(frame));
      this.#later(() => this.#answer(connection, sent));
    }
  }

  #answer(connection: ConnectionId, sent: Sent): void {
    if (sent.closed !== null) return;
    const parts: SendPart[] = [];
    for (let count = this.#random.below(4); count > 0; count--) parts.push(this.#part(sent));
    this.#network.send(connection, parts);
    this.#network.setCredits(connection, this.#random.between(0, 3));
    this.#later(() => this.#network.setCredits(connection, 3));
    if (this.#random.chance(0.01))
      this.#network.close(connection, this.#random.chance(0.5) ? 'drain' : 'now');
  }

  #part(sent: Sent): SendPart {
    const length = this.#random.pick([1, 100, 4096, 5000, 9000, 70_000, 400_000]);
    const start = this.#random.below(CONTENT.length - length);
    const bytes = CONTENT.subarray(start, start + length);
    sent.bytes.push(bytes);
    if (this.#random.chance(0.5)) return Buffer.from(bytes);
    const lease = this.#file.lease(start, length);
    const release = lease.release.bind(lease);
    this.leases++;
    lease.release = () => {
      this.releases++;
      release();
    };
    return lease;
  }

  #later(call: () => void): void {
    const kind = this.#random.below(3);
    if (kind === 0) call();
    else if (kind === 1) setImmediate(call);
    else setTimeout(call, this.#random.below(8));
  }
}

/** A client that writes frames in random pieces, reads in fits and starts, and ends in some way. Resolves with what it read once it is gone. */
function client(random: Random, port: number): Promise<{ received: Buffer; written: Buffer[] }> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const chunks: Buffer[] = [];
  const written: Buffer[] = [];
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    if (!random.chance(0.1)) return;
    socket.pause();
    setTimeout(() => socket.resume(), random.below(10));
  });
  socket.on('end', () => socket.end());
  socket.on('error', () => {});
  const step = (stream: Buffer, left: number): void => {
    if (socket.destroyed || socket.writableEnded) return;
    if (stream.length > 0) {
      const length = random.chance(0.4) ? random.between(1, 2000) : stream.length;
      socket.write(stream.subarray(0, length), () =>
        setTimeout(step, random.below(2), stream.subarray(length), left),
      );
    } else if (left > 0) {
      const frames = Array.from({ length: random.between(1, 6) }, () =>
        pattern(random.pick([0, 3, 50, 1000, 66_000, 250_000]), random.below(99)),
      );
      written.push(...frames);
      step(Buffer.concat(frames.map(framed)), left - 1);
    } else if (random.chance(0.3)) {
      socket.resetAndDestroy();
    } else if (random.chance(0.4)) socket.destroy();
    else socket.end();
  };
  socket.on('connect', () => step(Buffer.alloc(0), random.between(1, 8)));
  return new Promise((done) => {
    socket.on('close', () => done({ received: Buffer.concat(chunks), written }));
  });
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`whatever clients and server do, each stream is what was sent (seed ${seed})`, { skip }, async (t) => {
    assert.ok(binding);
    const random = new Random(seed);
    const root = fs.mkdtempSync(join(tmpdir(), 'odradek-chaos-'));
    const disk = new NodeDisk({
      clock: new NodeClock(),
      operations: new AddonFileOperations(binding),
      maxDescriptors: 2,
    });
    t.after(async () => {
      await new Promise<void>((done) => disk.close(done));
      fs.rmSync(root, { recursive: true });
    });
    const file = disk.open(`${root}/file`, 'create');
    await new Promise<void>((done) => file.append([CONTENT], () => done()));
    const { network, recorder, port, limits } = listening(t, binding, {
      budget: { maxBytes: 600_000, usedBytes: 0 },
    });
    const server = new Server(random, network, recorder, file);
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => client(random.fork(), port)));
    await until(
      () => [...server.sent.values()].every((sent) => sent.closed !== null),
      'all connections to end',
    );
    const receivedBytes = clients.reduce((bytes, { received }) => bytes + received.length, 0);
    assert.ok(receivedBytes > 5_000_000, `only ${receivedBytes} bytes were received at all`);
    for (const { received, written } of clients) {
      // The connection is the one whose frames are the client's; a client without frames was answered nothing.
      const sent = [...server.sent.values()].find((one) => startsWith(one, written, received));
      assert.ok(sent !== undefined, `a client read ${received.length} bytes that no connection was sent`);
    }
    await until(() => server.releases === server.leases, 'all leases to be released');
    assert.equal(limits.budget.usedBytes, 0);
  });
}

/** Whether the connection got a beginning of what the client wrote, and the client a beginning of what the connection was sent. */
function startsWith(sent: Sent, written: readonly Buffer[], received: Buffer): boolean {
  if (!sent.frames.every((frame, i) => written[i]?.equals(frame))) return false;
  return Buffer.concat(sent.bytes).subarray(0, received.length).equals(received);
}
