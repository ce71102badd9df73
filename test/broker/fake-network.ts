import type {
  CloseReason,
  ConnectionId,
  FrameTable,
  Listener,
  Network,
  NetworkHandler,
  SendPart,
} from '../../src/io/network.ts';

/** A frame on its way in, without its size prefix. */
export interface FakeFrame {
  readonly connection: ConnectionId;
  readonly bytes: Buffer;
}

/** What the broker did with one connection. */
export interface FakeConnection {
  credits: number;
  /** Every buffer that was sent, in order. */
  readonly sent: Buffer[];
  closed: 'drain' | 'now' | null;
  /** Reported as unsent until it is set to 0 again. */
  unsentBytes: number;
}

/**
 * A network in the hand of a test: it decides which frames come in one wake-up, and overwrites them after the call as the real ones do.
 */
export class FakeNetwork implements Network {
  readonly connections = new Map<ConnectionId, FakeConnection>();
  #nextId = 1;
  #handler: NetworkHandler | null = null;

  /** Lets a client connect. */
  open(handler: NetworkHandler): ConnectionId {
    this.#handler = handler;
    const id = this.#nextId++;
    this.connections.set(id, { credits: 0, sent: [], closed: null, unsentBytes: 0 });
    handler.onOpen(id, { host: '10.0.0.1', port: 40000 + id });
    return id;
  }

  /** One wake-up with these frames; as many as a connection has credits, the rest is returned. */
  wakeUp(frames: readonly FakeFrame[]): FakeFrame[] {
    const given: FakeFrame[] = [];
    const kept: FakeFrame[] = [];
    for (const frame of frames) {
      const connection = this.of(frame.connection);
      if (connection.credits > 0 && connection.closed === null) {
        connection.credits--;
        given.push(frame);
      } else {
        kept.push(frame);
      }
    }
    const padding = 7;
    const shared = Buffer.concat(
      given.map(({ bytes }) => Buffer.concat([Buffer.alloc(padding, 0xee), bytes])),
    );
    const starts: number[] = [];
    let position = 0;
    for (const { bytes } of given) {
      starts.push(position + padding);
      position += padding + bytes.length;
    }
    const table: FrameTable = {
      count: given.length,
      connection: (i) => (given[i] as FakeFrame).connection,
      buffer: () => shared,
      start: (i) => starts[i] as number,
      end: (i) => (starts[i] as number) + (given[i] as FakeFrame).bytes.length,
      retain: (i) => Buffer.from((given[i] as FakeFrame).bytes),
    };
    this.#handler?.onFrames(table);
    shared.fill(0xdd);
    return kept;
  }

  /** The client or the network ends a connection. */
  end(id: ConnectionId, reason: CloseReason): void {
    this.#handler?.onClose(id, reason, 'in a test');
    this.connections.delete(id);
  }

  /** Everything that was unsent has left. */
  drained(id: ConnectionId): void {
    this.of(id).unsentBytes = 0;
    this.#handler?.onDrain(id);
  }

  /** What is known of a connection. */
  of(id: ConnectionId): FakeConnection {
    const connection = this.connections.get(id);
    if (connection === undefined) throw new Error(`no connection ${id}`);
    return connection;
  }

  listen(): Listener {
    throw new Error('not in this test');
  }

  connect(): ConnectionId {
    throw new Error('not in this test');
  }

  send(id: ConnectionId, parts: readonly SendPart[]): number {
    const connection = this.of(id);
    for (const part of parts) if (Buffer.isBuffer(part)) connection.sent.push(part);
    return connection.unsentBytes;
  }

  setCredits(id: ConnectionId, credits: number): void {
    this.of(id).credits = credits;
  }

  recycle(frame: Buffer): void {
    frame.fill(0xdf);
  }

  unsentBytes(id: ConnectionId): number {
    return this.of(id).unsentBytes;
  }

  close(id: ConnectionId, how: 'drain' | 'now'): void {
    this.of(id).closed = how;
  }

  shutdown(done: () => void): void {
    done();
  }
}
