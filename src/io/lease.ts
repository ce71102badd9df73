import { assert } from '../base/assert.ts';
import type { Clock, TimerHandle } from './clock.ts';
import { DiskError, type FileRange } from './disk.ts';

/** What a lease needs of the file behind it; implemented by each disk. */
export interface LeasedFile {
  /** Current path. */
  readonly path: string;
  /** Positional read, also after the file was unlinked or its handle closed; returns the bytes read, 0 at the end. @throws DiskError */
  readLeased(position: number, target: Buffer, targetStart: number, lengthBytes: number): number;
  /** The last reference of `lease` was dropped. */
  leaseEnded(lease: Lease): void;
}

/**
 * The `FileRange` that the disks share: reference count, revocation, age.
 *
 *     live ── truncate / max age ──> revoked ── last release ──> ended
 *       └──────────────────────── last release ─────────────────────┘
 */
export class Lease implements FileRange {
  readonly path: string;
  readonly position: number;
  readonly lengthBytes: number;
  readonly file: LeasedFile;
  /** Links of the table's list, oldest lease first; only the table touches them. */
  older: Lease | null = null;
  newer: Lease | null = null;
  expiresMs = 0;
  readonly #table: LeaseTable;
  #references = 1;
  #revoked = false;
  #callback: (() => void) | null = null;

  constructor(table: LeaseTable, file: LeasedFile, position: number, lengthBytes: number) {
    assert(position >= 0 && lengthBytes > 0, 'a lease is on at least one byte');
    this.path = file.path;
    this.position = position;
    this.lengthBytes = lengthBytes;
    this.file = file;
    this.#table = table;
    table.add(this);
  }

  get revoked(): boolean {
    return this.#revoked;
  }

  retain(): void {
    assert(this.#references > 0, 'a lease that has ended cannot be retained');
    this.#references++;
  }

  release(): void {
    assert(this.#references > 0, 'a lease was released more often than retained');
    if (--this.#references > 0) return;
    this.#callback = null;
    this.#table.remove(this);
    this.file.leaseEnded(this);
  }

  onRevoked(callback: (() => void) | null): void {
    if (callback !== null && this.#revoked) {
      callback();
      return;
    }
    this.#callback = callback;
  }

  read(target: Buffer, targetStart: number, offset: number, lengthBytes: number): void {
    assert(this.#references > 0, 'a lease that has ended cannot be read');
    assert(
      offset >= 0 && lengthBytes >= 0 && offset + lengthBytes <= this.lengthBytes,
      'read past the end of a lease',
    );
    let done = 0;
    while (done < lengthBytes) {
      if (this.#revoked) throw new DiskError('EREVOKED', this.path, 'read lease on');
      const position = this.position + offset + done;
      const read = this.file.readLeased(position, target, targetStart + done, lengthBytes - done);
      if (read === 0) throw new DiskError('ESHORT', this.path, 'read lease on');
      done += read;
    }
  }

  /** The bytes may no longer be sent. Called by the disk, before it changes them. */
  revoke(): void {
    if (this.#revoked) return;
    this.#revoked = true;
    this.#table.remove(this);
    const callback = this.#callback;
    this.#callback = null;
    callback?.();
  }
}

/** All live leases of a disk by age. One timer, armed while there are any, revokes those past the maximum age. */
export class LeaseTable {
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  #oldest: Lease | null = null;
  #newest: Lease | null = null;
  #timer: TimerHandle | null = null;
  #count = 0;

  /** @param maxAgeMs how long a lease may live; Infinity for no bound, which needs no timer */
  constructor(clock: Clock, maxAgeMs: number) {
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Leases that live and are not revoked. */
  get count(): number {
    return this.#count;
  }

  /** Called once by a new lease. */
  add(lease: Lease): void {
    lease.expiresMs = this.#clock.monotonicMs() + this.#maxAgeMs;
    lease.older = this.#newest;
    if (this.#newest === null) this.#oldest = lease;
    else this.#newest.newer = lease;
    this.#newest = lease;
    this.#count++;
    if (this.#timer === null) this.#arm();
  }

  /** Called by a lease that is revoked or ended; nothing happens the second time. */
  remove(lease: Lease): void {
    if (lease.older === null && this.#oldest !== lease) return;
    if (lease.older === null) this.#oldest = lease.newer;
    else lease.older.newer = lease.newer;
    if (lease.newer === null) this.#newest = lease.older;
    else lease.newer.older = lease.older;
    lease.older = null;
    lease.newer = null;
    this.#count--;
  }

  /** Forgets the timer; for a disk that closes. */
  close(): void {
    if (this.#timer !== null) this.#clock.cancel(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    if (this.#oldest === null || this.#maxAgeMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.schedule(this.#oldest.expiresMs, () => {
      this.#timer = null;
      const nowMs = this.#clock.monotonicMs();
      while (this.#oldest !== null && this.#oldest.expiresMs <= nowMs) this.#oldest.revoke();
      this.#arm();
    });
  }
}
