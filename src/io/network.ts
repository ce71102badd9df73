import type { FileRange } from './disk.ts';

/**
 * The network port: connections of Kafka frames (int32 big-endian size, then that many bytes), in and out. All calls back
 * happen on the JS thread. Connections are named by numbers so that one wake-up can hand over a flat table.
 */

/** Names a connection within one `Network`; never used again within the process. A safe integer > 0. */
export type ConnectionId = number;

/**
 * What is sent: bytes (owned by the network until sent) or a leased file range. Of a range one reference and the `onRevoked` callback are taken over, so one range is given to one
 * connection at a time.
 */
export type SendPart = Buffer | FileRange;

/** Why a connection ended. */
export type CloseReason =
  | 'peer' // the other side closed
  | 'local' // close() was called
  | 'reset' // a system error on the socket
  | 'frame-size' // a size prefix below 0 or over the limit
  | 'frame-timeout' // a frame did not arrive whole within the deadline
  | 'range' // a file range could not be sent whole: revoked, short or unreadable
  | 'connect'; // an outgoing connection could not be made

/**
 * The whole frames of one wake-up, in order of arrival per connection. Valid during `onFrames` only: frames are views into buffers
 * that are overwritten afterwards; `retain(i)` gives one that lasts.
 */
export interface FrameTable {
  readonly count: number;
  /** The connection frame `i` came on. */
  connection(i: number): ConnectionId;
  /** The buffer frame `i` lies in, at `[start(i), end(i))`, without the size prefix. */
  buffer(i: number): Buffer;
  start(i: number): number;
  end(i: number): number;
  /** The frame's bytes as a buffer the caller owns: taken over without a copy if the frame has a buffer of its own, else copied. Once per frame; the view must be fetched anew after it. */
  retain(i: number): Buffer;
}

/** Who is told about connections: one object per listener or outgoing connection. No method is called from inside a call into the network. */
export interface NetworkHandler {
  /** A connection was accepted, or the outgoing one is established. It has no credits yet. */
  onOpen(connection: ConnectionId, peer: { readonly host: string; readonly port: number }): void;
  /** Frames arrived; never more per connection than its credits. */
  onFrames(frames: FrameTable): void;
  /** The connection is gone; called once for each `onOpen`, and for a failed `connect` without one. `detail` is for the log line. */
  onClose(connection: ConnectionId, reason: CloseReason, detail: string): void;
  /** All that was given to `send` has left for the kernel (called when the unsent bytes come down to 0 after `send` reported more than it could take). */
  onDrain(connection: ConnectionId): void;
}

/** Bounds of a listener or an outgoing connection. */
export interface ConnectionLimits {
  /** Largest frame in bytes (`socket.request.max.bytes`); the size prefix is not counted. */
  readonly maxFrameBytes: number;
  /** A started frame must be whole after this many ms, or the connection is cut. Not counted while it is not read: credits are 0, or the budget is used up. */
  readonly frameTimeoutMs: number;
  /** Bytes of unfinished and retained-by-the-network frames over all connections that share `budget`; past it reading stops until some are consumed. One connection may always progress. */
  readonly budget: ReceiveBudget;
  /** `SO_SNDBUF`/`SO_RCVBUF` in bytes; undefined leaves the system's. */
  readonly socketBufferBytes?: number | undefined;
}

/** A bound on received bytes shared by listeners (data listeners share one, controller listeners have their own). */
export interface ReceiveBudget {
  readonly maxBytes: number;
  /** True if connections that share it go before others when several wake at a time (controller listeners), as far as the implementation can tell. */
  readonly first?: boolean;
  /** Bytes taken now; kept by the network. */
  usedBytes: number;
}

/** A listening socket. */
export interface Listener {
  readonly host: string;
  /** The port really bound (when 0 was asked for). */
  readonly port: number;
  /** Stops accepting; connections stay. */
  close(): void;
}

/** Sockets as the broker sees them. */
export interface Network {
  /**
   * Binds and listens at once; an empty host stands for all addresses. Connections over `maxConnections` are closed at once or wait to be accepted until there is room.
   * @throws BrokerError `LISTEN_FAILED` naming address and system error.
   */
  listen(options: {
    host: string;
    port: number;
    limits: ConnectionLimits;
    handler: NetworkHandler;
    maxConnections?: number;
  }): Listener;
  /** Starts an outgoing connection; `onOpen` or `onClose` follows in a later turn. */
  connect(options: {
    host: string;
    port: number;
    limits: ConnectionLimits;
    handler: NetworkHandler;
  }): ConnectionId;
  /**
   * Queues parts in order; they leave as one stream. Returns the bytes still unsent of this connection, for back-pressure. After the connection
   * has ended this releases the ranges and does nothing else.
   */
  send(connection: ConnectionId, parts: readonly SendPart[]): number;
  /** Sets how many more frames may be handed over (0 mutes). Frames already received wait in the connection's buffer, the rest in the kernel. */
  setCredits(connection: ConnectionId, credits: number): void;
  /**
   * Gives back a buffer that `FrameTable.retain` gave: its memory takes later frames, so neither it nor a view of it may be touched again. Nobody has to; what is
   * not given back is garbage like anything else.
   */
  recycle(frame: Buffer): void;
  /** Bytes given to `send` that have not yet left for the kernel. */
  unsentBytes(connection: ConnectionId): number;
  /** Ends the connection: after what is queued was sent (`drain`), or at once. `onClose('local')` follows in a later turn. */
  close(connection: ConnectionId, how: 'drain' | 'now'): void;
  /** Closes listeners and connections at once, then the network itself. */
  shutdown(done: () => void): void;
}
