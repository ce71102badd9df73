/**
 * The broker's side of its connections: which frame may be taken up when, in which order answers leave, and how many frames
 * the network may hand over (credits).
 *
 * A connection takes up one request at a time, as in Kafka, except that an API whose handler says so (Produce) may overlap its waiting
 * phase with later requests of the same kind. Invariants, per connection:
 *  - requests are taken up in order of arrival, and answers leave in that order (`head` … `tail` is the queue of those not yet gone);
 *  - while a request that does not overlap is pending, or anything is pending and the next frame does not overlap, frames wait in `waiting`;
 *  - a connection that cannot take up a frame has no credits after the turn, so `waiting` holds at most `CREDITS` frames.
 *
 * Everything that happens within one wake-up of the network is one turn: answers are collected and every connection is sent to
 * once at its end.
 */
import type { Logger } from '../base/logger.ts';
import { CallbackTimer, type TimerWheel } from '../base/timer-wheel.ts';
import type {
  CloseReason,
  ConnectionId,
  FrameTable,
  Network,
  NetworkHandler,
  SendPart,
} from '../io/network.ts';
import { Connection, releaseParts } from './connection.ts';
import type { Counters } from './counters.ts';
import { type Frame, OwnedFrame, TableFrame } from './frame.ts';
import type { AnswerSink, RequestContext } from './request-context.ts';

/** Frames the network may hand over before it hears of the connection again. */
const CREDITS = 8;
/** Requests of one connection that may be pending at once when their API overlaps. */
const MAX_OVERLAPPING = 32;
/** Unsent bytes of a connection past which no further request of it is taken up until all have left. */
const MAX_UNSENT_BYTES = 1 << 20;

/** Reads frames and hands them to handlers. */
export interface Dispatcher {
  /** True if a request of this API may be taken up while others, that overlap too, are pending. */
  overlaps(apiKey: number): boolean;
  /**
   * Takes up one frame: makes its context, tells `connections.begin`, and calls the handler. Returns a reason when the frame is malformed
   * and the connection must be closed, null otherwise.
   */
  dispatch(connections: Connections, connection: Connection, frame: Frame): string | null;
  encode(context: RequestContext, body: object): SendPart[];
}

/** What the connections are made of. */
export interface ConnectionsOptions {
  readonly network: Network;
  readonly wheel: TimerWheel;
  readonly monotonicMs: () => number;
  readonly dispatcher: Dispatcher;
  readonly counters: Counters;
  readonly logger: Logger;
  /** For what peers do wrong; limits repeated lines. */
  readonly peerLogger: Logger;
  /** Bytes of frames kept by pending requests, over all connections, past which none is taken up. */
  readonly maxRetainedBytes: number;
  /** Connections without a request for this long are closed (`connections.max.idle.ms`). */
  readonly maxIdleMs: number;
  /** Called before and after the frames of one wake-up are taken up, so that appends can be written together. */
  readonly cork: () => void;
  readonly uncork: () => void;
}

/** All connections of a broker's data listeners. */
export class Connections implements AnswerSink {
  readonly #options: ConnectionsOptions;
  readonly #network: Network;
  readonly #counters: Counters;
  readonly #byId = new Map<ConnectionId, Connection>();
  readonly #dirty: Connection[] = [];
  readonly #frame = new TableFrame();
  readonly #ownedFrame = new OwnedFrame();
  readonly #idleTimer: CallbackTimer;
  /** Connections that found the bound on retained bytes reached. */
  readonly #starved = new Set<Connection>();
  readonly #turnEnds: (() => void)[] = [];
  /** Bytes of frames kept by pending requests, and of those in `waiting`. Only the first hold others up, or nobody could go on. */
  #pendingBytes = 0;
  #waitingBytes = 0;
  #turnDepth = 0;
  #serving = false;
  #draining = false;
  #drained: (() => void) | null = null;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#network = options.network;
    this.#counters = options.counters;
    this.#idleTimer = new CallbackTimer(() => this.#closeIdle());
  }

  /** Connections open now. */
  get size(): number {
    return this.#byId.size;
  }

  /** Bytes of frames that pending requests and waiting frames keep. */
  get retainedBytes(): number {
    return this.#pendingBytes + this.#waitingBytes;
  }

  /** The handler to listen with. @param listener the listener's name. */
  handlerFor(listener: string): NetworkHandler {
    return {
      onOpen: (id, peer) => this.#opened(id, listener, peer),
      onFrames: (frames) => this.#onFrames(frames),
      onClose: (id, reason, detail) => this.#closed(id, reason, detail),
      onDrain: (id) => this.#sent(id),
    };
  }

  /** Begins to take up frames. Until then connections are accepted and wait. */
  serve(): void {
    this.#serving = true;
    for (const connection of this.#byId.values()) this.#setCredits(connection, CREDITS);
  }

  /** Runs `work` as one turn: what it answers leaves together at its end. */
  inTurn(work: () => void): void {
    this.#turnDepth++;
    try {
      work();
    } finally {
      if (this.#turnDepth === 1) this.#endTurn();
      this.#turnDepth--;
    }
  }

  /** Has `callback` called at the end of every turn, before answers leave. */
  onTurnEnd(callback: () => void): void {
    this.#turnEnds.push(callback);
  }

  /** True within a turn. */
  get turning(): boolean {
    return this.#turnDepth > 0;
  }

  /**
   * Takes up no further frames, closes idle connections, and the others when their pending requests are answered; `done` when all are closed.
   */
  drain(done: () => void): void {
    this.#draining = true;
    this.#drained = done;
    this.#options.wheel.cancel(this.#idleTimer);
    for (const connection of this.#byId.values()) {
      if (connection.pendingCount === 0) this.#close(connection, 'drain');
      else this.#setCredits(connection, 0);
    }
    this.#reportDrained();
  }

  /** Ends all connections at once. */
  closeAll(): void {
    for (const connection of this.#byId.values()) this.#close(connection, 'now');
  }

  /**
   * Puts a request at the end of its connection's queue; the dispatcher calls it before the handler. @param frame its bytes, owned, if they
   * stay in use until the request is settled or says otherwise; then they go back to the network.
   */
  begin(context: RequestContext, frame: Buffer | null): void {
    const connection = context.connection as Connection;
    if (connection.tail === null) connection.head = context;
    else connection.tail.next = context;
    connection.tail = context;
    connection.pendingCount++;
    if (!context.overlaps) connection.serial = true;
    context.frame = frame;
    if (frame !== null) this.#pendingBytes += frame.length;
  }

  #opened(id: ConnectionId, listener: string, peer: { readonly host: string; readonly port: number }): void {
    const connection = new Connection(id, listener, peer, this.#options.monotonicMs());
    this.#byId.set(id, connection);
    this.#counters.connectionsAccepted++;
    this.#counters.connectionsOpen++;
    if (this.#draining) {
      this.#close(connection, 'now');
      return;
    }
    if (!this.#idleTimer.scheduled) this.#scheduleIdleSweep();
    if (this.#serving) this.#setCredits(connection, CREDITS);
  }

  #onFrames(frames: FrameTable): void {
    const startedMs = this.#options.monotonicMs();
    this.#turnDepth++;
    this.#options.cork();
    try {
      for (let i = 0; i < frames.count; i++) {
        const connection = this.#byId.get(frames.connection(i));
        if (connection === undefined || connection.closing) continue;
        connection.credits--;
        connection.lastActiveMs = startedMs;
        this.#counters.framesReceived++;
        this.#counters.bytesReceived += frames.end(i) - frames.start(i) + 4;
        this.#markDirty(connection);
        const frame = this.#frame.set(frames, i);
        if (connection.waiting.length === 0 && this.#mayTakeUp(connection, frame))
          this.#takeUp(connection, frame);
        else this.#enqueue(connection, frame);
      }
    } finally {
      this.#frame.clear();
      this.#options.uncork();
      this.#endTurn();
      this.#turnDepth--;
      this.#counters.turn(this.#options.monotonicMs() - startedMs);
    }
  }

  #mayTakeUp(connection: Connection, frame: Frame): boolean {
    if (connection.held || connection.serial || this.#draining) return false;
    if (this.#pendingBytes > this.#options.maxRetainedBytes) {
      this.#starved.add(connection);
      return false;
    }
    if (connection.pendingCount === 0) return true;
    if (connection.pendingCount >= MAX_OVERLAPPING || frame.end - frame.start < 2) return false;
    return this.#options.dispatcher.overlaps(frame.buffer.readInt16BE(frame.start));
  }

  #enqueue(connection: Connection, frame: TableFrame): void {
    frame.own();
    connection.waiting.push(frame.buffer);
    this.#waitingBytes += frame.buffer.length;
  }

  #takeUp(connection: Connection, frame: Frame): void {
    try {
      const malformed = this.#options.dispatcher.dispatch(this, connection, frame);
      if (malformed !== null) this.#malformed(connection, malformed);
    } catch (error) {
      this.#handlerFailed(connection, null, error);
    }
  }

  /** Takes up frames that waited, as far as they may be. */
  #pump(connection: Connection): void {
    if (connection.pumping) return;
    connection.pumping = true;
    while (connection.waiting.length > 0) {
      const buffer = connection.waiting[0] as Buffer;
      const frame = this.#ownedFrame.set(buffer);
      if (!this.#mayTakeUp(connection, frame)) break;
      connection.waiting.shift();
      this.#waitingBytes -= buffer.length;
      this.#feedStarved();
      this.#takeUp(connection, frame);
    }
    this.#ownedFrame.clear();
    connection.pumping = false;
  }

  /** See `AnswerSink`. */
  encode(context: RequestContext, body: object): SendPart[] {
    return this.#options.dispatcher.encode(context, body);
  }

  /** See `AnswerSink`. */
  settled(context: RequestContext): void {
    this.#recycle(context);
    const connection = context.connection as Connection;
    if (context.cancelled || connection.closing) {
      releaseParts(context.parts);
      context.parts = null;
      return;
    }
    this.#emitSettled(connection);
    this.#markDirty(connection);
    if (this.#turnDepth === 0) this.#endTurn();
  }

  /** See `AnswerSink`. */
  failed(context: RequestContext, error: unknown): void {
    this.#handlerFailed(context.connection as Connection, context, error);
  }

  /** Moves the answers at the head of the queue to the outbox, up to the first request that is still pending. */
  #emitSettled(connection: Connection): void {
    const nowMs = this.#options.monotonicMs();
    while (connection.head !== null && connection.head.outcome !== 'pending') {
      const context: RequestContext = connection.head;
      connection.head = context.next;
      if (connection.head === null) connection.tail = null;
      context.next = null;
      connection.pendingCount--;
      if (!context.overlaps) connection.serial = false;
      this.#counters.api(context.apiKey).answered(nowMs - context.receivedMs);
      if (context.parts !== null) {
        for (const part of context.parts) connection.outbox.push(part);
        context.parts = null;
      }
      if (context.throttleMs > 0) this.#mute(connection, nowMs + context.throttleMs);
      if (context.outcome === 'close') {
        this.#flush(connection);
        this.#close(connection, 'drain');
        return;
      }
    }
  }

  /** See `AnswerSink`. */
  frameReleased(context: RequestContext): void {
    this.#recycle(context);
    if (this.#turnDepth === 0 && this.#dirty.length > 0) this.#endTurn();
  }

  /** The frame of a settled request counts no more, and its memory takes others. */
  #recycle(context: RequestContext): void {
    const frame = this.#giveBack(context);
    if (frame !== null) this.#network.recycle(frame);
  }

  #giveBack(context: RequestContext): Buffer | null {
    const { frame } = context;
    if (frame === null) return null;
    this.#pendingBytes -= frame.length;
    context.frame = null;
    this.#feedStarved();
    return frame;
  }

  /** Bytes were given back: those who had to wait for that go on, the ones without a frame of their own only once waiting frames are few. */
  #feedStarved(): void {
    const bound = this.#options.maxRetainedBytes / 2;
    if (this.#starved.size === 0 || this.#pendingBytes > bound) return;
    for (const connection of this.#starved) {
      if (connection.waiting.length === 0 && this.#waitingBytes > bound) continue;
      this.#starved.delete(connection);
      this.#markDirty(connection);
    }
  }

  #markDirty(connection: Connection): void {
    if (connection.dirty) return;
    connection.dirty = true;
    this.#dirty.push(connection);
  }

  /** Sends what was answered, takes up what may be taken up now, and sets credits, until nothing is left to do. */
  #endTurn(): void {
    this.#turnDepth++;
    try {
      for (const callback of this.#turnEnds) callback();
      for (let connection = this.#dirty.pop(); connection !== undefined; connection = this.#dirty.pop()) {
        this.#flush(connection);
        this.#pump(connection);
        connection.dirty = false;
        if (connection.outbox.length > 0) this.#flush(connection);
        this.#renewCredits(connection);
        if (this.#draining && connection.pendingCount === 0) this.#close(connection, 'drain');
        if (this.#dirty.length === 0) for (const callback of this.#turnEnds) callback();
      }
    } finally {
      this.#turnDepth--;
    }
  }

  #flush(connection: Connection): void {
    const parts = connection.outbox;
    if (parts.length === 0) return;
    connection.outbox = [];
    if (connection.closing) {
      releaseParts(parts);
      return;
    }
    for (const part of parts)
      this.#counters.bytesSent += Buffer.isBuffer(part) ? part.length : part.lengthBytes;
    const unsentBytes = this.#network.send(connection.id, parts);
    if (unsentBytes > MAX_UNSENT_BYTES) connection.backedUp = true;
  }

  #renewCredits(connection: Connection): void {
    if (connection.closing) return;
    const { maxRetainedBytes } = this.#options;
    const starved = this.#pendingBytes > maxRetainedBytes || this.#waitingBytes > maxRetainedBytes;
    if (starved) this.#starved.add(connection);
    const blocked =
      starved ||
      connection.held ||
      connection.serial ||
      connection.waiting.length > 0 ||
      connection.pendingCount >= MAX_OVERLAPPING ||
      this.#draining;
    if (blocked) {
      if (connection.credits > 0) this.#setCredits(connection, 0);
    } else if (connection.credits < CREDITS / 2) {
      this.#setCredits(connection, CREDITS);
    }
  }

  #setCredits(connection: Connection, credits: number): void {
    if (connection.credits === credits) return;
    connection.credits = credits;
    this.#network.setCredits(connection.id, credits);
  }

  #mute(connection: Connection, untilMs: number): void {
    const timer = new CallbackTimer(() => {
      connection.muteTimer = null;
      this.#markDirty(connection);
      if (this.#turnDepth === 0) this.#endTurn();
    });
    if (connection.muteTimer !== null) this.#options.wheel.cancel(connection.muteTimer);
    connection.muteTimer = timer;
    this.#options.wheel.schedule(timer, untilMs);
  }

  #sent(id: ConnectionId): void {
    const connection = this.#byId.get(id);
    if (connection === undefined || !connection.backedUp) return;
    connection.backedUp = false;
    this.#markDirty(connection);
    if (this.#turnDepth === 0) this.#endTurn();
  }

  #malformed(connection: Connection, reason: string): void {
    this.#counters.malformedFrames++;
    this.#options.peerLogger.warn('Closed a connection that sent a malformed request', {
      reason,
      peer: `${connection.peerHost}:${connection.peerPort}`,
      listener: connection.listener,
    });
    this.#flush(connection);
    this.#close(connection, 'drain');
  }

  #handlerFailed(connection: Connection, context: RequestContext | null, error: unknown): void {
    this.#counters.handlerFailures++;
    // What a failed handler had begun may still be using the bytes.
    if (context !== null) this.#giveBack(context);
    this.#options.logger.error('A request handler failed; its connection is closed', {
      apiKey: context?.apiKey,
      apiVersion: context?.apiVersion,
      correlationId: context?.correlationId,
      clientId: context?.clientId,
      peer: `${connection.peerHost}:${connection.peerPort}`,
      error,
    });
    this.#flush(connection);
    this.#close(connection, 'drain');
  }

  #closed(id: ConnectionId, reason: CloseReason, detail: string): void {
    const connection = this.#byId.get(id);
    if (connection === undefined) return;
    this.#counters.connectionClosed(reason);
    if (reason === 'frame-size' || reason === 'frame-timeout' || reason === 'range') {
      this.#options.peerLogger.warn('Closed a connection', {
        reason,
        detail,
        peer: `${connection.peerHost}:${connection.peerPort}`,
        listener: connection.listener,
      });
    }
    this.#abandon(connection);
    this.#byId.delete(id);
    this.#reportDrained();
  }

  #close(connection: Connection, how: 'drain' | 'now'): void {
    if (connection.closing) return;
    this.#abandon(connection);
    this.#network.close(connection.id, how);
  }

  /** Drops everything that waits for or on behalf of a connection that is ending. */
  #abandon(connection: Connection): void {
    if (connection.closing) return;
    connection.closing = true;
    this.#starved.delete(connection);
    if (connection.muteTimer !== null) this.#options.wheel.cancel(connection.muteTimer);
    connection.muteTimer = null;
    for (const buffer of connection.waiting) this.#waitingBytes -= buffer.length;
    connection.waiting.length = 0;
    releaseParts(connection.outbox);
    connection.outbox = [];
    for (let context = connection.head; context !== null; context = context.next) {
      context.cancelled = true;
      if (context.outcome === 'pending') {
        const { onCancelled } = context;
        context.onCancelled = null;
        onCancelled?.();
      } else {
        releaseParts(context.parts);
        context.parts = null;
      }
    }
    connection.head = null;
    connection.tail = null;
    connection.pendingCount = 0;
  }

  #scheduleIdleSweep(): void {
    const { maxIdleMs, wheel, monotonicMs } = this.#options;
    if (maxIdleMs <= 0) return;
    wheel.schedule(this.#idleTimer, monotonicMs() + Math.max(1000, maxIdleMs / 4));
  }

  #closeIdle(): void {
    const oldestMs = this.#options.monotonicMs() - this.#options.maxIdleMs;
    for (const connection of this.#byId.values()) {
      if (connection.lastActiveMs <= oldestMs && connection.pendingCount === 0)
        this.#close(connection, 'drain');
    }
    if (this.#byId.size > 0) this.#scheduleIdleSweep();
  }

  #reportDrained(): void {
    if (this.#drained === null || this.#byId.size > 0) return;
    const done = this.#drained;
    this.#drained = null;
    done();
  }
}
