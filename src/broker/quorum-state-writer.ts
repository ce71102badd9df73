import type { Clock, TimerHandle } from '../io/clock.ts';
import type { Disk, DiskError } from '../io/disk.ts';
import type { ElectionState } from '../raft/election-state.ts';
import { formatQuorumState } from './metadata-quorum-state.ts';

/** How long it waits before it tries again on a disk that was full. */
const RETRY_DELAY_MS = 1000;

/** Writes `quorum-state`, one at a time, the newest last; a full disk is tried again. */
export class QuorumStateWriter {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #path: string;
  readonly #persisted: (ticket: number) => void;
  readonly #failed: (error: DiskError, isShortage: boolean) => void;
  #next: { readonly state: ElectionState; readonly ticket: number } | null = null;
  #isWriting = false;
  #retry: TimerHandle | null = null;
  #closed = false;

  /** `failed` is told of every failure; one that is no shortage is not tried again. */
  constructor(options: {
    readonly disk: Disk;
    readonly clock: Clock;
    readonly path: string;
    readonly persisted: (ticket: number) => void;
    readonly failed: (error: DiskError, isShortage: boolean) => void;
  }) {
    this.#disk = options.disk;
    this.#clock = options.clock;
    this.#path = options.path;
    this.#persisted = options.persisted;
    this.#failed = options.failed;
  }

  /** Has a state written; one that waits is replaced by it. */
  write(state: ElectionState, ticket: number): void {
    this.#next = { state, ticket };
    this.#begin();
  }

  close(): void {
    this.#closed = true;
    if (this.#retry !== null) this.#clock.cancel(this.#retry);
  }

  #begin(): void {
    const next = this.#next;
    if (next === null || this.#isWriting || this.#retry !== null || this.#closed) return;
    this.#next = null;
    this.#isWriting = true;
    const content = Buffer.from(formatQuorumState(next.state));
    this.#disk.replaceFile(this.#path, content, (error) => {
      this.#isWriting = false;
      if (this.#closed) return;
      if (error === null) {
        this.#persisted(next.ticket);
        return this.#begin();
      }
      this.#next ??= next;
      const isShortage = error.code === 'ENOSPC' || error.code === 'EDQUOT';
      if (isShortage) {
        this.#retry = this.#clock.schedule(this.#clock.monotonicMs() + RETRY_DELAY_MS, () => {
          this.#retry = null;
          this.#begin();
        });
      }
      this.#failed(error, isShortage);
    });
  }
}
