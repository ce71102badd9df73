import type { VirtualClock } from './clock.ts';

/** What travels in one direction of a connection. */
export type Packet =
  | { readonly kind: 'open' }
  | { readonly kind: 'data'; readonly bytes: Buffer }
  /** No more will be sent; after all data before it. */
  | { readonly kind: 'end' }
  | { readonly kind: 'reset'; readonly detail: string };

/** What a pipe needs of the internet it is part of. */
export interface PipeSurroundings {
  readonly clock: VirtualClock;
  /** Draws how long the next packet takes. */
  drawLatencyMs(): number;
  /** How long a sender tries to get through before it gives up. */
  readonly stallTimeoutMs: number;
}

/** One direction of a connection: packets arrive in order, each some time after it was sent, and wait while the way is blocked. */
export class Pipe {
  readonly #around: PipeSurroundings;
  readonly #isBlocked: () => boolean;
  readonly #arrive: (packet: Packet) => void;
  readonly #gaveUp: () => void;
  readonly #packets: { readonly packet: Packet; readonly dueMs: number }[] = [];
  #armed = false;
  #blockedSinceMs: number | null = null;
  #closed = false;

  constructor(
    around: PipeSurroundings,
    ends: { isBlocked: () => boolean; arrive: (packet: Packet) => void; gaveUp: () => void },
  ) {
    this.#around = around;
    this.#isBlocked = ends.isBlocked;
    this.#arrive = ends.arrive;
    this.#gaveUp = ends.gaveUp;
  }

  /** Sends a packet on its way. */
  transmit(packet: Packet): void {
    if (this.#closed) return;
    this.#packets.push({ packet, dueMs: this.#around.clock.monotonicMs() + this.#around.drawLatencyMs() });
    this.#arm();
  }

  /** Drops what is under way: nothing arrives any more. */
  close(): void {
    this.#closed = true;
    this.#packets.length = 0;
  }

  /** The way may be free again. */
  unblock(): void {
    if (this.#blockedSinceMs === null || this.#isBlocked()) return;
    this.#blockedSinceMs = null;
    this.#arm();
  }

  #arm(): void {
    const first = this.#packets[0];
    if (first === undefined || this.#armed || this.#blockedSinceMs !== null) return;
    this.#armed = true;
    this.#around.clock.schedule(first.dueMs, () => {
      this.#armed = false;
      if (this.#closed) return;
      if (this.#isBlocked()) {
        this.#block();
        return;
      }
      const next = this.#packets.shift();
      if (next !== undefined) this.#arrive(next.packet);
      this.#arm();
    });
  }

  #block(): void {
    const { clock, stallTimeoutMs } = this.#around;
    const sinceMs = clock.monotonicMs();
    this.#blockedSinceMs = sinceMs;
    clock.schedule(sinceMs + stallTimeoutMs, () => {
      if (!this.#closed && this.#blockedSinceMs === sinceMs) this.#gaveUp();
    });
  }
}
