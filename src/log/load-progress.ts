import type { LogEnvironment } from './log-environment.ts';

/** Shortest time between two lines, ms. */
const LINE_MS = 5_000;

/** How far the loading of a node's logs has come, for people who wait: a line every few seconds, and one at the end. */
export class LoadProgress {
  readonly #environment: LogEnvironment;
  readonly #startMs: number;
  #lineMs: number;
  #logs = 0;
  #logsLoaded = 0;
  #bytes = 0;
  #bytesChecked = 0;

  constructor(environment: LogEnvironment) {
    this.#environment = environment;
    this.#startMs = environment.clock.monotonicMs();
    this.#lineMs = this.#startMs + LINE_MS;
  }

  /** A log was found of which `bytes` are to be checked. */
  found(bytes: number): void {
    this.#logs++;
    this.#bytes += bytes;
  }

  /** So many bytes more have been checked. */
  checked(bytes: number): void {
    this.#bytesChecked += bytes;
    this.#maybeTell();
  }

  /** A log is open. */
  loaded(): void {
    this.#logsLoaded++;
    this.#maybeTell();
  }

  /** All logs are open. Says so if bytes had to be checked, or if it took long. */
  finished(): void {
    const { clock, logger } = this.#environment;
    const tookMs = Math.round(clock.monotonicMs() - this.#startMs);
    if (this.#bytesChecked === 0 && tookMs < LINE_MS) return;
    logger.info('The logs are loaded', {
      logs: this.#logsLoaded,
      checkedBytes: this.#bytesChecked,
      tookMs,
    });
  }

  #maybeTell(): void {
    const { clock, logger } = this.#environment;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#lineMs) return;
    this.#lineMs = nowMs + LINE_MS;
    logger.info('Logs are being loaded', {
      loaded: this.#logsLoaded,
      logs: this.#logs,
      checkedBytes: this.#bytesChecked,
      bytes: this.#bytes,
    });
  }
}
