import type { MetadataImage } from '../metadata/metadata-image.ts';

/** What the active controller remembers of a broker's heartbeats. Not in the log: a new controller starts afresh. */
interface Contact {
  /** Epoch of the incarnation it belongs to. */
  readonly epoch: number;
  /** Time the session counts from, monotonic: the last heartbeat or the start of the leadership; null without either. */
  lastMs: number | null;
  /** False for an incarnation that is known not to run any more, though its session has not ended. */
  readonly mayLive: boolean;
  /** Metadata offset the broker last said it had applied; -1 before. */
  metadataOffset: number;
  /** Offset of the last record that moved leaders away for its controlled shutdown; -1 when not shutting down. */
  controlledShutdownOffset: number;
}

/** Sessions of the brokers: who was heard of when, and how far each has come. Lives as long as one leadership. */
export class BrokerHeartbeats {
  readonly #sessionTimeoutMs: number;
  #contacts = new Map<number, Contact>();

  constructor(sessionTimeoutMs: number) {
    this.#sessionTimeoutMs = sessionTimeoutMs;
  }

  /**
   * Begins a leadership: every unfenced broker has a full session from now on. `deadBrokerId` is known not to run (it shares the controller's
   * process, which has just started): its next incarnation need not wait for the end of that session.
   */
  restart(image: MetadataImage, nowMs: number, deadBrokerId: number | null): void {
    this.#contacts = new Map();
    for (const broker of image.cluster.brokers.values()) {
      const mayLive = broker.id !== deadBrokerId;
      this.#contacts.set(broker.id, fresh(broker.epoch, broker.fenced ? null : nowMs, mayLive));
    }
  }

  /** A heartbeat of the incarnation with that epoch. */
  touch(brokerId: number, epoch: number, metadataOffset: number, nowMs: number): void {
    const contact = this.#contact(brokerId, epoch);
    contact.lastMs = nowMs;
    contact.metadataOffset = metadataOffset;
  }

  /** True if that incarnation was heard of within the session timeout. */
  hasValidSession(brokerId: number, epoch: number, nowMs: number): boolean {
    const contact = this.#contacts.get(brokerId);
    if (contact === undefined || contact.epoch !== epoch || contact.lastMs === null || !contact.mayLive) {
      return false;
    }
    return nowMs < contact.lastMs + this.#sessionTimeoutMs;
  }

  /** Notes that the leaders of a broker that is shutting down were moved by records up to `offset`. */
  setControlledShutdownOffset(brokerId: number, epoch: number, offset: number): void {
    this.#contact(brokerId, epoch).controlledShutdownOffset = offset;
  }

  /** Offset that all active brokers must have applied before this one may stop. */
  controlledShutdownOffset(brokerId: number, epoch: number): number {
    return this.#contact(brokerId, epoch).controlledShutdownOffset;
  }

  /** Least metadata offset that the unfenced brokers have said to have applied; Infinity without any. */
  lowestActiveOffset(image: MetadataImage): number {
    let lowest = Infinity;
    for (const broker of image.cluster.brokers.values()) {
      if (broker.fenced || broker.inControlledShutdown) continue;
      lowest = Math.min(lowest, this.#contact(broker.id, broker.epoch).metadataOffset);
    }
    return lowest;
  }

  /** Unfenced brokers whose session has ended, by id. */
  staleBrokers(image: MetadataImage, nowMs: number): number[] {
    const stale: number[] = [];
    for (const broker of image.cluster.brokers.values()) {
      if (!broker.fenced && this.#endOfSession(broker.id, broker.epoch) <= nowMs) stale.push(broker.id);
    }
    return stale.sort((a, b) => a - b);
  }

  /** When the next session of an unfenced broker ends, null without one. */
  nextDeadlineMs(image: MetadataImage): number | null {
    let next = Infinity;
    for (const broker of image.cluster.brokers.values()) {
      if (!broker.fenced) next = Math.min(next, this.#endOfSession(broker.id, broker.epoch));
    }
    return next === Infinity ? null : next;
  }

  /** Gives every running session its full time again: it was the controller that was away, not the brokers. */
  extendAll(nowMs: number): void {
    for (const contact of this.#contacts.values()) {
      if (contact.lastMs !== null) contact.lastMs = nowMs;
    }
  }

  /** An unfenced broker that was never heard of has no session: `-Infinity`. */
  #endOfSession(brokerId: number, epoch: number): number {
    const { lastMs } = this.#contact(brokerId, epoch);
    return lastMs === null ? -Infinity : lastMs + this.#sessionTimeoutMs;
  }

  #contact(brokerId: number, epoch: number): Contact {
    const known = this.#contacts.get(brokerId);
    if (known !== undefined && known.epoch === epoch) return known;
    const contact = fresh(epoch, null, true);
    this.#contacts.set(brokerId, contact);
    return contact;
  }
}

function fresh(epoch: number, lastMs: number | null, mayLive: boolean): Contact {
  return { epoch, lastMs, mayLive, metadataOffset: -1, controlledShutdownOffset: -1 };
}
