import assert from 'node:assert/strict';
import type { Clock } from '../../src/io/clock.ts';
import type { CloseReason, ConnectionId, Network, NetworkHandler, SendPart } from '../../src/io/network.ts';

/** A request frame as a scripted broker sees it, without its size. */
export interface ScriptedRequest {
  readonly connection: ConnectionId;
  readonly frame: Buffer;
}

/** What a scripted broker does with a request: answers with a frame (without its size), says nothing, or hangs up. */
export type Reaction = Buffer | 'silence' | 'hang-up';

/** Who answers on a port. */
export type ScriptedHost = (request: ScriptedRequest) => Reaction;

/** One way, in ms. */
const LATENCY_MS = 1;

interface End {
  readonly host: string;
  readonly port: number;
  readonly handler: NetworkHandler;
  credits: number;
  answers: Buffer[];
  delivering: boolean;
  opened: boolean;
}

/**
 * The client's half of a network whose other half is a function in the test. Frames are handed over as the port demands: only as many as
 * there are credits, in buffers that are overwritten afterwards.
 */
export class ScriptedNetwork implements Network {
  readonly #clock: Clock;
  readonly #hosts = new Map<number, ScriptedHost>();
  readonly #ends = new Map<ConnectionId, End>();
  #nextId = 1;
  /** Connections opened so far. */
  connectionCount = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Puts a broker on a port, or takes it away (null): its connections end then. */
  setHost(port: number, host: ScriptedHost | null): void {
    if (host !== null) {
      this.#hosts.set(port, host);
      return;
    }
    this.#hosts.delete(port);
    for (const [id, end] of this.#ends) if (end.port === port) this.#finish(id, 'peer', 'gone');
  }

  listen(): never {
    throw new Error('nobody listens here');
  }

  connect(options: Parameters<Network['connect']>[0]): ConnectionId {
    const id = this.#nextId++;
    const { host, port, handler } = options;
    const end: End = {
      host,
      port,
      handler,
      credits: 0,
      answers: [],
      delivering: false,
      opened: false,
    };
    this.#ends.set(id, end);
    this.#after(() => {
      if (!this.#ends.has(id)) return;
      if (!this.#hosts.has(port)) {
        this.#finish(id, 'connect', 'ECONNREFUSED');
        return;
      }
      this.connectionCount++;
      end.opened = true;
      handler.onOpen(id, { host, port });
    });
    return id;
  }

  send(connection: ConnectionId, parts: readonly SendPart[]): number {
    const end = this.#ends.get(connection);
    if (end === undefined) return 0;
    assert.ok(end.opened, 'nothing is sent before the connection is open');
    const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as Buffer)));
    assert.equal(bytes.readInt32BE(0), bytes.length - 4, 'the size prefix is right');
    this.#after(() => this.#arrive(connection, bytes.subarray(4)));
    return 0;
  }

  setCredits(connection: ConnectionId, credits: number): void {
    const end = this.#ends.get(connection);
    if (end === undefined) return;
    end.credits = credits;
    this.#clock.defer(() => this.#deliver(connection));
  }

  recycle(): void {}

  unsentBytes(): number {
    return 0;
  }

  close(connection: ConnectionId): void {
    this.#finish(connection, 'local', '');
  }

  shutdown(done: () => void): void {
    done();
  }

  #arrive(connection: ConnectionId, frame: Buffer): void {
    const end = this.#ends.get(connection);
    const host = end && this.#hosts.get(end.port);
    if (end === undefined || host === undefined) return;
    const reaction = host({ connection, frame });
    if (reaction === 'hang-up') this.#finish(connection, 'peer', 'hung up');
    if (!Buffer.isBuffer(reaction)) return;
    this.#after(() => {
      end.answers.push(reaction);
      this.#deliver(connection);
    });
  }

  #deliver(connection: ConnectionId): void {
    const end = this.#ends.get(connection);
    if (end === undefined || end.delivering) return;
    const count = Math.min(end.credits, end.answers.length);
    if (count === 0) return;
    end.credits -= count;
    const frames = end.answers.splice(0, count);
    const copies = frames.map((frame) => Buffer.concat([Buffer.alloc(3, 0xee), frame]));
    const starts = copies.map(() => 3);
    end.delivering = true;
    end.handler.onFrames({
      count,
      connection: () => connection,
      buffer: (i) => copies[i] as Buffer,
      start: (i) => starts[i] as number,
      end: (i) => (copies[i] as Buffer).length,
      retain: (i) => {
        starts[i] = 0;
        copies[i] = Buffer.from(frames[i] as Buffer);
        return copies[i];
      },
    });
    end.delivering = false;
    // Whoever kept a view without retaining it sees this.
    for (const [i, start] of starts.entries()) if (start > 0) copies[i]?.fill(0xdd);
    this.#deliver(connection);
  }

  #finish(connection: ConnectionId, reason: CloseReason, detail: string): void {
    const end = this.#ends.get(connection);
    if (end === undefined) return;
    this.#ends.delete(connection);
    this.#clock.defer(() => end.handler.onClose(connection, reason, detail));
  }

  #after(callback: () => void): void {
    this.#clock.schedule(this.#clock.monotonicMs() + LATENCY_MS, callback);
  }
}
