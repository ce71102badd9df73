import type { Random } from '../../src/base/random.ts';
import type {
  CloseReason,
  ConnectionId,
  ConnectionLimits,
  NetworkHandler,
  SendPart,
} from '../../src/io/network.ts';
import type { BudgetGate } from '../../src/io/receive-budget.ts';
import { type ReceiveShared, ReceiveSide, type ReceiveSource } from '../../src/io/receive-side.ts';
import { SendQueue } from '../../src/io/send-queue.ts';
import type { VirtualClock } from './clock.ts';
import type { Packet, Pipe } from './pipe.ts';

/** What an endpoint needs of its network. */
export interface EndpointOwner {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly shared: ReceiveShared;
  /** Bytes that the system takes from a sender before the receiver has read them. */
  readonly windowBytes: number;
  /** After this time a silent death of the other end is noticed. */
  readonly keepAliveMs: number;
  /** False once the host has crashed: no handler is called any more. */
  readonly alive: boolean;
  gateOf(limits: ConnectionLimits): BudgetGate;
  forget(endpoint: Endpoint): void;
}

/** The most bytes that travel in one packet. */
const MAX_PACKET_BYTES = 48 * 1024;

/**
 * One end of a virtual connection.
 *
 *     connecting ── open arrives ──> open ── close('drain') ──> draining
 *         └──────── cut ───────────────┴────────── cut ────────────┴──> closed (onClose in a later turn)
 *
 * Bytes leave the send queue (ranges are read at that moment) when the window has room, travel in packets of random size, and wait on the other side until that is
 * read; reading opens the window again.
 */
export class Endpoint implements ReceiveSource {
  readonly id: ConnectionId;
  readonly remote: { readonly host: string; readonly port: number };
  readonly #owner: EndpointOwner;
  readonly #handler: NetworkHandler;
  readonly #receive: ReceiveSide;
  readonly #queue: SendQueue;
  #peer: Endpoint | null = null;
  #out: Pipe | null = null;
  #state: 'connecting' | 'open' | 'draining' | 'closed' = 'connecting';
  #told = false;
  #drainOwed = false;
  #pumpBooked = false;
  /** Bytes taken from the queue that the other side has not read. */
  #windowUsedBytes = 0;
  #reading = false;
  /** Arrived and not read: the system's receive buffer. The end of the stream is null. */
  readonly #arrived: (Buffer | null)[] = [];
  #feedBooked = false;

  constructor(
    id: ConnectionId,
    remote: { host: string; port: number },
    options: { limits: ConnectionLimits; handler: NetworkHandler },
    owner: EndpointOwner,
  ) {
    this.id = id;
    this.remote = remote;
    this.#owner = owner;
    this.#handler = options.handler;
    this.#receive = new ReceiveSide(id, options.limits, options.handler, {
      source: this,
      shared: owner.shared,
      gate: owner.gateOf(options.limits),
    });
    this.#queue = new SendQueue((range) =>
      this.cut('range', `${range.path} was truncated or its lease is too old`),
    );
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  get unsentBytes(): number {
    return this.#queue.unsentBytes;
  }

  /** Joins this end to the other and to the pipe that leads there. */
  join(peer: Endpoint, out: Pipe): void {
    this.#peer = peer;
    this.#out = out;
  }

  /** The way to the other end may be free again. */
  unblock(): void {
    this.#out?.unblock();
  }

  /** The connection stands on this side. */
  opened(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'open';
    this.#told = true;
    this.#pump();
    this.#handler.onOpen(this.id, this.remote);
  }

  send(parts: readonly SendPart[]): number {
    this.#queue.push(parts);
    if (this.#state === 'open') this.#pump();
    const { unsentBytes } = this.#queue;
    if (unsentBytes > 0) this.#drainOwed = true;
    return unsentBytes;
  }

  setCredits(credits: number): void {
    this.#receive.setCredits(credits);
  }

  close(how: 'drain' | 'now'): void {
    if (this.closed) return;
    if (how === 'now' || this.#queue.unsentBytes === 0 || this.#state === 'connecting') {
      this.cut('local', '');
      return;
    }
    this.#state = 'draining';
    this.#receive.close();
  }

  /** A packet comes out of the pipe from the other end. */
  packet(packet: Packet): void {
    if (!this.#owner.alive || this.closed) {
      // The sender talks to nobody: the system answers for this end.
      if (packet.kind === 'data') this.#out?.transmit({ kind: 'reset', detail: 'connection reset by peer' });
      return;
    }
    if (packet.kind === 'open') this.opened();
    else if (packet.kind === 'reset') this.cut('reset', packet.detail);
    else {
      this.#arrived.push(packet.kind === 'data' ? packet.bytes : null);
      this.#feed();
    }
  }

  /** The host of this end died: no handler hears of it. `silent`: neither does the other end (the machine lost power). */
  die(silent: boolean): void {
    if (this.closed) return;
    this.#state = 'closed';
    this.#receive.close();
    this.#queue.close();
    if (!silent) {
      this.#out?.transmit({ kind: 'reset', detail: 'connection reset by peer' });
      return;
    }
    const { clock, keepAliveMs } = this.#owner;
    clock.schedule(clock.monotonicMs() + keepAliveMs, () => this.#peer?.cut('reset', 'the peer is gone'));
  }

  // What the receiving side asks for.

  setReading(reading: boolean): void {
    this.#reading = reading;
    if (!reading || this.#arrived.length === 0 || this.#feedBooked) return;
    this.#feedBooked = true;
    this.#owner.clock.defer(() => {
      this.#feedBooked = false;
      this.#feed();
    });
  }

  deliverSoon(): void {
    this.#owner.clock.defer(() => {
      if (this.#owner.alive) this.#receive.deliver();
    });
  }

  cut(reason: CloseReason, detail: string): void {
    if (this.closed) return;
    // As in TCP, who closes with bytes unread resets the connection.
    const rude = this.#arrived.some((bytes) => bytes !== null) || reason === 'range';
    this.#state = 'closed';
    this.#receive.close();
    this.#queue.close();
    if (reason !== 'reset') {
      this.#out?.transmit(rude ? { kind: 'reset', detail: 'connection reset by peer' } : { kind: 'end' });
    }
    this.#owner.clock.defer(() => {
      if (this.#owner.alive) this.#handler.onClose(this.id, reason, detail);
      this.#owner.forget(this);
    });
  }

  /** True once `onOpen` was called. */
  get wasOpened(): boolean {
    return this.#told;
  }

  /** Reads what has arrived, as long as it is wanted. Called from the loop. */
  #feed(): void {
    while (this.#reading && !this.closed && this.#owner.alive) {
      const bytes = this.#arrived.shift();
      if (bytes === undefined) return;
      if (bytes === null) {
        this.#receive.ended();
        continue;
      }
      this.#peer?.windowOpens(bytes.length);
      this.#receive.arrived(bytes);
    }
  }

  /** The other side has read so many bytes. */
  windowOpens(bytes: number): void {
    this.#windowUsedBytes -= bytes;
    if (this.closed || this.#pumpBooked || !this.#worthSending) return;
    if (this.#queue.unsentBytes === 0 && !this.#drainOwed && this.#state !== 'draining') return;
    this.#pumpBooked = true;
    this.#owner.clock.defer(() => {
      this.#pumpBooked = false;
      if (!this.#owner.alive || this.closed) return;
      this.#pump();
      this.#tellDrained();
    });
  }

  /** As in TCP: no packets for a sliver of window, else they would become smaller and smaller. */
  get #worthSending(): boolean {
    return this.#windowUsedBytes <= 0.75 * this.#owner.windowBytes;
  }

  #pump(): void {
    const { random, windowBytes } = this.#owner;
    if (!this.#worthSending) return;
    try {
      while (!this.closed && this.#windowUsedBytes < windowBytes) {
        const mostBytes = random.chance(0.2) ? random.between(1, 16) : random.between(1, MAX_PACKET_BYTES);
        const bytes = this.#queue.take(
          Math.min(mostBytes, windowBytes - this.#windowUsedBytes),
          (lengthBytes) => Buffer.alloc(lengthBytes),
        );
        if (bytes === null) return;
        this.#windowUsedBytes += bytes.length;
        this.#out?.transmit({ kind: 'data', bytes: Buffer.from(bytes) });
      }
    } catch (error) {
      this.cut('range', String(error));
    }
  }

  #tellDrained(): void {
    if (this.closed || this.#queue.unsentBytes > 0) return;
    if (this.#state === 'draining') {
      this.cut('local', '');
    } else if (this.#drainOwed) {
      this.#drainOwed = false;
      this.#handler.onDrain(this.id);
    }
  }
}
