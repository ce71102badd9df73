import { assert } from '../base/assert.ts';
import type { FrameBatch } from './frame-batch.ts';
import type { DeadlineUser, FrameDeadlines } from './frame-deadlines.ts';
import { FrameReceiver } from './frame-receiver.ts';
import type { CloseReason, ConnectionId, ConnectionLimits, NetworkHandler } from './network.ts';
import type { BudgetGate, BudgetUser } from './receive-budget.ts';

/** Where the bytes of a connection come from. */
export interface ReceiveSource {
  /** Whether bytes are wanted now; called with the same value again and again. */
  setReading(reading: boolean): void;
  /** Calls `ReceiveSide.deliver` in a later turn. */
  deliverSoon(): void;
  /** Ends the connection at once. */
  cut(reason: CloseReason, detail: string): void;
}

/** What the connections of one network share. */
export interface ReceiveShared {
  readonly batch: FrameBatch;
  readonly deadlines: FrameDeadlines;
}

/**
 * The receiving half of a connection of the portable and the virtual network: frames, credits, budget and the frame deadline. The source is read
 * only while there are credits, nothing waits unparsed, and the budget allows it; the deadline counts only while the source is read.
 */
export class ReceiveSide implements BudgetUser, DeadlineUser {
  readonly #handler: NetworkHandler;
  readonly #source: ReceiveSource;
  readonly #shared: ReceiveShared;
  readonly #gate: BudgetGate;
  readonly #limits: ConnectionLimits;
  readonly #receiver: FrameReceiver;
  #delivering = false;
  #deliveryAsked = false;
  #peerEnded = false;
  #closed = false;
  /** The frame deadline: which frame it is for, the time left, and whether it counts now. */
  #deadlineFrame = 0;
  #leftMs = 0;
  #counting = false;

  constructor(
    connection: ConnectionId,
    limits: ConnectionLimits,
    handler: NetworkHandler,
    inner: { source: ReceiveSource; shared: ReceiveShared; gate: BudgetGate },
  ) {
    this.#handler = handler;
    this.#source = inner.source;
    this.#shared = inner.shared;
    this.#gate = inner.gate;
    this.#limits = limits;
    this.#receiver = new FrameReceiver(connection, limits.maxFrameBytes);
  }

  get wantsBytes(): boolean {
    return !this.#closed && this.#receiver.credits > 0;
  }

  /** Bytes arrived (the chunk belongs to this side from now on): hands over what is whole. Called from the loop, not inside another call. */
  arrived(chunk: Buffer): void {
    if (this.#closed) return;
    this.#receiver.push(chunk);
    this.deliver();
  }

  /** The other side sends no more. The connection ends when all that was received is handed over. */
  ended(): void {
    this.#peerEnded = true;
    this.#update();
  }

  /** See `Network.setCredits`. */
  setCredits(credits: number): void {
    this.#receiver.credits = credits;
    if (this.#delivering || this.#closed) return;
    if (credits > 0 && this.#receiver.hasBacklog && !this.#deliveryAsked) {
      this.#deliveryAsked = true;
      this.#source.deliverSoon();
    }
    this.#update();
  }

  /** Hands over whole frames as far as there are credits. Called from the loop. */
  deliver(): void {
    this.#deliveryAsked = false;
    if (this.#closed) return;
    assert(!this.#delivering, 'onFrames is not called inside itself');
    const { batch } = this.#shared;
    this.#delivering = true;
    while (!this.#closed && this.#receiver.credits > 0 && this.#receiver.hasBacklog) {
      this.#receiver.take(batch);
      if (batch.count > 0) this.#handler.onFrames(batch);
      batch.clear();
    }
    this.#delivering = false;
    this.#update();
  }

  /** The connection is gone: nothing is handed over any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopCounting();
    this.#receiver.clear();
    this.#gate.hold(this, 0);
    this.#gate.leave(this);
  }

  resumeReading(): void {
    this.#update();
  }

  frameTimedOut(): void {
    this.#counting = false;
    const { frameTimeoutMs } = this.#limits;
    this.#source.cut('frame-timeout', `a frame was not whole after ${frameTimeoutMs} ms`);
  }

  #update(): void {
    if (this.#closed) return;
    const receiver = this.#receiver;
    this.#gate.hold(this, receiver.heldBytes);
    if (receiver.badSize !== null) {
      const { maxFrameBytes } = this.#limits;
      this.#source.cut(
        'frame-size',
        `a frame of ${receiver.badSize} bytes, allowed are 0 to ${maxFrameBytes}`,
      );
      return;
    }
    if (this.#peerEnded && !receiver.hasBacklog) {
      this.#source.cut(
        'peer',
        receiver.incomplete ? 'closed by the peer inside a frame' : 'closed by the peer',
      );
      return;
    }
    if (receiver.credits === 0) this.#gate.leave(this);
    const reading = receiver.credits > 0 && !receiver.hasBacklog && this.#gate.mayRead(this);
    this.#countTime(reading && receiver.incomplete);
    this.#source.setReading(reading);
  }

  #countTime(count: boolean): void {
    if (this.#deadlineFrame !== this.#receiver.framesBegun) {
      this.#stopCounting();
      this.#deadlineFrame = this.#receiver.framesBegun;
      this.#leftMs = this.#limits.frameTimeoutMs;
    }
    if (count === this.#counting) return;
    if (!count) {
      this.#stopCounting();
      return;
    }
    this.#counting = true;
    this.#shared.deadlines.start(this, this.#leftMs);
  }

  #stopCounting(): void {
    if (this.#counting) this.#leftMs = this.#shared.deadlines.stop(this);
    this.#counting = false;
  }
}
