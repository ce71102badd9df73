import type { CallbackTimer } from '../base/timer-wheel.ts';
import type { ConnectionId, SendPart } from '../io/network.ts';
import type { ConnectionInfo, RequestContext } from './request-context.ts';

/** One accepted connection. Its state belongs to `Connections`; handlers see `ConnectionInfo`. */
export class Connection implements ConnectionInfo {
  readonly id: ConnectionId;
  readonly listener: string;
  readonly peerHost: string;
  readonly peerPort: number;
  principal = 'User:ANONYMOUS';
  clientSoftwareName = '';
  clientSoftwareVersion = '';

  /** Requests taken up whose answers have not been given to the network, in order of arrival. */
  head: RequestContext | null = null;
  tail: RequestContext | null = null;
  pendingCount = 0;
  /** True while a request that does not overlap is pending. */
  serial = false;
  /** Frames that had been handed over but may not be taken up yet. Their bytes are owned. */
  readonly waiting: Buffer[] = [];
  credits = 0;
  /** Answers of this turn. */
  outbox: SendPart[] = [];
  dirty = false;
  pumping = false;
  backedUp = false;
  muteTimer: CallbackTimer | null = null;
  closing = false;
  lastActiveMs = 0;

  constructor(
    id: ConnectionId,
    listener: string,
    peer: { readonly host: string; readonly port: number },
    nowMs: number,
  ) {
    this.id = id;
    this.listener = listener;
    this.peerHost = peer.host;
    this.peerPort = peer.port;
    this.lastActiveMs = nowMs;
  }

  /** True while something other than pending requests keeps frames from being taken up. */
  get held(): boolean {
    return this.backedUp || this.muteTimer !== null || this.closing;
  }
}

/** Gives up the leases in parts that nobody will send. */
export function releaseParts(parts: readonly SendPart[] | null): void {
  if (parts === null) return;
  for (const part of parts) if (!Buffer.isBuffer(part)) part.release();
}
