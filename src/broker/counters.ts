import type { CloseReason } from '../io/network.ts';

const API_SLOTS = 128;

/** What was counted for one API. Durations run from the frame's arrival to the answer given to the network. */
export class ApiCounters {
  requests = 0;
  answers = 0;
  /** Error codes (not 0) at the top level or in any part of an answer, as far as its handler reports them. */
  errors = 0;
  durationMsSum = 0;

  /** Counts one answer that took `durationMs`. */
  answered(durationMs: number): void {
    this.answers++;
    this.durationMsSum += durationMs;
  }
}

/** Every counter of a broker, as plain numbers: the metrics page reads them when it is asked for. */
export class Counters {
  readonly #apis: (ApiCounters | undefined)[] = Array.from({ length: API_SLOTS }, () => undefined);
  readonly closed = new Map<CloseReason, number>();
  connectionsAccepted = 0;
  connectionsOpen = 0;
  framesReceived = 0;
  bytesReceived = 0;
  bytesSent = 0;
  /** Frames whose header, version or body did not parse: their connections were closed. */
  malformedFrames = 0;
  /** Bodies with bytes after their last field, which are ignored. */
  trailingBytesFrames = 0;
  trailingBytes = 0;
  /** Handlers that threw: bugs. Their connections were closed. */
  handlerFailures = 0;
  /** Longest time one wake-up's frames kept the loop, and how often that took more than the 5 ms of the design. */
  longestTurnMs = 0;
  longTurns = 0;
  recordsAppended = 0;
  recordBytesAppended = 0;
  failedAppends = 0;
  recordBytesFetched = 0;
  fetchesDelayed = 0;
  /** Lookups of fetches that had to ask the device. */
  coldLookups = 0;
  acknowledgementsDelayed = 0;
  sessionsCreated = 0;
  sessionsEvicted = 0;
  topicsAutoCreated = 0;

  /** Counters of one API, made at its first use. */
  api(apiKey: number): ApiCounters {
    let counters = this.#apis[apiKey];
    if (counters === undefined) {
      counters = new ApiCounters();
      this.#apis[apiKey] = counters;
    }
    return counters;
  }

  /** API keys that have counters. */
  apiKeys(): number[] {
    const keys: number[] = [];
    for (const [key, counters] of this.#apis.entries()) if (counters !== undefined) keys.push(key);
    return keys;
  }

  /** Counts the end of a connection. */
  connectionClosed(reason: CloseReason): void {
    this.connectionsOpen--;
    this.closed.set(reason, (this.closed.get(reason) ?? 0) + 1);
  }

  /** Notes how long one turn took. */
  turn(durationMs: number): void {
    if (durationMs > this.longestTurnMs) this.longestTurnMs = durationMs;
    if (durationMs > 5) this.longTurns++;
  }
}
