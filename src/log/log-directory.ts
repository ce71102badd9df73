import type { Uuid } from '../base/uuid.ts';
import type { DiskLock } from '../io/disk.ts';

/** What a directory's small files said when it was opened. */
export interface DirectoryFacts {
  readonly path: string;
  readonly directoryId: Uuid;
  readonly clusterId: string;
  readonly wasClean: boolean;
  readonly markerBrokerEpoch: number;
}

/** A log directory, locked. Its state is shared by all logs in it: one that sees the disk fail takes them all offline. */
export class LogDirectory {
  /** Absolute. */
  readonly path: string;
  readonly directoryId: Uuid;
  readonly clusterId: string;
  /** True if the last stop left the clean marker (it has been removed since, durably). */
  readonly wasClean: boolean;
  /** Broker epoch in the marker, -1 without one. */
  readonly markerBrokerEpoch: number;
  readonly #lock: DiskLock;
  #offlineCause: Error | null = null;
  readonly #listeners = new Set<(cause: Error) => void>();

  constructor(facts: DirectoryFacts, lock: DiskLock) {
    this.path = facts.path;
    this.directoryId = facts.directoryId;
    this.clusterId = facts.clusterId;
    this.wasClean = facts.wasClean;
    this.markerBrokerEpoch = facts.markerBrokerEpoch;
    this.#lock = lock;
  }

  /** True after a disk error that cannot be survived; it stays so until the broker is started anew. */
  get offline(): boolean {
    return this.#offlineCause !== null;
  }

  /** Why it is offline; null while it is not. */
  get offlineCause(): Error | null {
    return this.#offlineCause;
  }

  /** Takes the directory offline; only the first call counts. */
  fail(cause: Error): void {
    if (this.#offlineCause !== null) return;
    this.#offlineCause = cause;
    for (const listener of this.#listeners) listener(cause);
  }

  /** Has `listener` called when the directory goes offline. @returns a function that takes it back */
  onOffline(listener: (cause: Error) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Leaves the lock; last act of a stop, after every log in it is closed. */
  release(): void {
    this.#lock.release();
  }
}
