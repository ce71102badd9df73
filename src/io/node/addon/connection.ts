import type { FileRange } from '../../disk.ts';
import type { ConnectionId, ConnectionLimits, NetworkHandler, SendPart } from '../../network.ts';
import { releaseParts, type SendQueue } from '../../send-queue.ts';

/** A range whose file has a descriptor to send from: what leases of the disk in `io/node` offer. */
export interface SendableRange extends FileRange {
  acquireDescriptor(): number;
}

/** True if the range can be sent by descriptor; others are read piece by piece. */
export function isSendable(range: FileRange): range is SendableRange {
  return typeof (range as Partial<SendableRange>).acquireDescriptor === 'function';
}

/**
 * One connection as the JS side knows it.
 *
 *     opening ── established ──> open ── closing ──> closed
 *        └───────── failed, closing ─────────────────┘
 *
 * `closed` is set as soon as nothing more may be sent or handed over; the handler is told in a later turn.
 */
export class Connection {
  readonly id: ConnectionId;
  readonly handler: NetworkHandler;
  readonly limits: ConnectionLimits;
  /** Place in the native table; -1 before an outgoing connection is under way. */
  slot = -1;
  generation = 0;
  state: 'opening' | 'open' | 'closed' = 'opening';
  /** Bytes that the kernel has not taken, as the native side last told. */
  unsentBytes = 0;
  /** Bytes given in the flush of this number, and not yet handed to the native side. */
  gatheredBytes = 0;
  gatheredIn = -1;
  /** `send` has reported unsent bytes: the handler waits for `onDrain`. */
  awaitsDrain = false;
  /** Ranges handed to the native side, in order, from `firstRange` on. */
  ranges: FileRange[] = [];
  firstRange = 0;
  /** What waits behind a range that is read piece by piece, that range first; null almost always. */
  queue: SendQueue | null = null;
  /** Reading on in it is due. */
  feeding = false;
  closesAfterQueue = false;
  /** Tries the next address of an outgoing connection, after the one under way has failed so. */
  nextAttempt: ((problem: string) => void) | null = null;
  /** Called when a range is revoked; made with the first range. */
  revoked: (() => void) | null = null;
  /** What was asked of a connection before it was established. */
  early: { readonly parts: SendPart[]; credits: number } | null = null;

  constructor(id: ConnectionId, handler: NetworkHandler, limits: ConnectionLimits) {
    this.id = id;
    this.handler = handler;
    this.limits = limits;
  }

  /** The first `count` ranges have been sent. */
  rangesDone(count: number): void {
    if (count === 0) return;
    releaseParts(this.ranges.slice(this.firstRange, this.firstRange + count));
    this.firstRange += count;
    if (this.firstRange === this.ranges.length) {
      this.ranges.length = 0;
      this.firstRange = 0;
    } else if (this.firstRange > 1024) {
      this.ranges.splice(0, this.firstRange);
      this.firstRange = 0;
    }
  }

  /** Nothing more will be sent: lets go of all ranges. */
  drop(): void {
    this.rangesDone(this.ranges.length - this.firstRange);
    this.queue?.close();
    this.queue = null;
    if (this.early !== null) releaseParts(this.early.parts);
    this.early = null;
    this.unsentBytes = 0;
    this.awaitsDrain = false;
  }
}
