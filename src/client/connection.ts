/**
 * One connection to a broker: finds out what it speaks, then sends requests as they come and hands each answer to whoever asked.
 *
 * | state       | leaves when                          | to          |
 * | ----------- | ------------------------------------ | ----------- |
 * | connecting  | the network says it is open          | negotiating |
 * | negotiating | ApiVersions is answered              | ready       |
 * | any         | closed, ended, or a deadline passed  | closed      |
 *
 * Requests given before `ready` wait. A broker answers in the order of the requests, so the oldest request owns the next frame; a
 * missed deadline ends the connection, because what would come after it cannot be told apart.
 */
import { assert } from '../base/assert.ts';
import { ErrorCode } from '../base/errors.ts';
import type { Clock, TimerHandle } from '../io/clock.ts';
import type {
  CloseReason,
  ConnectionId,
  FrameTable,
  Network,
  NetworkHandler,
  ReceiveBudget,
} from '../io/network.ts';
import { API_VERSIONS } from './apis.ts';
import type { Call } from './call.ts';
import { brokerAnswer, ClientError, type Done } from './client-error.ts';
import { ApiVersionTable } from './negotiation.ts';

/** Where and how to connect. */
export interface ConnectionOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  /** Sent with ApiVersions. */
  readonly software: { readonly name: string; readonly version: string };
  /** Deadline for the connection to be ready, and of requests that name none. */
  readonly requestTimeoutMs: number;
  /** Largest answer that is taken. */
  readonly maxResponseBytes: number;
  /** Bound on bytes received, shared by a client's connections. */
  readonly budget: ReceiveBudget;
}

/** How one request is sent. */
export interface SendOptions {
  /** Deadline for the answer, from now. */
  readonly timeoutMs?: number;
  /** Highest version to use, when the caller cannot use a later one. */
  readonly maxVersion?: number;
  /** False for the one request that is not answered (Produce with acks 0): `done` is called when it was handed to the network. */
  readonly answered?: boolean;
}

/** A request on its way, of any API. */
interface Exchange {
  readonly call: Call<unknown, unknown>;
  readonly prepare: (version: number) => unknown;
  readonly maxVersion: number;
  readonly answered: boolean;
  readonly deadlineMs: number;
  readonly done: Done<unknown>;
  version: number;
  correlationId: number;
}

/** What stands for the answer of a request that has none. */
export const NOT_ANSWERED = undefined;

/** See the head of the file. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #onClosed: (error: ClientError) => void;
  readonly #id: ConnectionId;
  #state: 'connecting' | 'negotiating' | 'ready' | 'closed' = 'connecting';
  #versions = new ApiVersionTable([]);
  /** Not yet sent. */
  #waiting: Exchange[] = [];
  /** Sent, oldest first. */
  #pending: Exchange[] = [];
  #nextCorrelationId = 1;
  #timer: TimerHandle | null = null;
  #timerDeadlineMs = Number.POSITIVE_INFINITY;

  /** Starts to connect. `onClosed` is called once, after every request has got its error. */
  constructor(options: ConnectionOptions, onClosed: (error: ClientError) => void) {
    this.#options = options;
    this.#onClosed = onClosed;
    const handler: NetworkHandler = {
      onOpen: () => this.#negotiate(API_VERSIONS.maxVersion),
      onFrames: (frames) => this.#onFrames(frames),
      onClose: (_connection, reason, detail) => this.#onNetworkClose(reason, detail),
      onDrain: () => undefined,
    };
    this.#id = options.network.connect({
      host: options.host,
      port: options.port,
      limits: {
        maxFrameBytes: options.maxResponseBytes,
        frameTimeoutMs: options.requestTimeoutMs,
        budget: options.budget,
      },
      handler,
    });
  }

  /** `host:port`. */
  get address(): string {
    return `${this.#options.host}:${this.#options.port}`;
  }

  /** True once it can serve no more requests. */
  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** True when requests leave at once. */
  get ready(): boolean {
    return this.#state === 'ready';
  }

  /** Requests that have neither an answer nor an error yet. */
  get unansweredCount(): number {
    return this.#waiting.length + this.#pending.length;
  }

  /**
   * Sends a request at the highest version that both sides speak.
   * @param prepare gives the request for that version; called once, when it is sent.
   * @param done gets the decoded answer, whatever its error codes say; `NOT_ANSWERED` when `answered` is false.
   */
  send<Request, Response>(
    call: Call<Request, Response>,
    prepare: (version: number) => Request,
    options: SendOptions,
    done: Done<Response>,
  ): void {
    if (this.#state === 'closed') {
      done(new ClientError('CONNECTION_CLOSED', `the connection to ${this.address} is closed`));
      return;
    }
    const exchange: Exchange = {
      call: call as Call<unknown, unknown>,
      prepare,
      maxVersion: options.maxVersion ?? Number.POSITIVE_INFINITY,
      answered: options.answered ?? true,
      deadlineMs: this.#options.clock.monotonicMs() + (options.timeoutMs ?? this.#options.requestTimeoutMs),
      done: done as Done<unknown>,
      version: -1,
      correlationId: 0,
    };
    this.#arm(exchange.deadlineMs);
    if (this.#state === 'ready') this.#transmit(exchange);
    else this.#waiting.push(exchange);
  }

  /** Ends the connection; every request without an answer gets `error`. */
  close(error: ClientError): void {
    if (this.#state === 'closed') return;
    this.#options.network.close(this.#id, 'now');
    this.#finish(error);
  }

  #transmit(exchange: Exchange): void {
    const { call } = exchange;
    const version = this.#versions.pick(call as Call<never, unknown>, exchange.maxVersion);
    if (version < 0) {
      const text = `${this.address} speaks ${call.name} ${this.#versions.describe(call.key)}, this client in versions`;
      exchange.done(new ClientError('VERSION_UNSUPPORTED', `${text} ${call.minVersion}..${call.maxVersion}`));
      return;
    }
    this.#transmitAs(exchange, version);
  }

  #transmitAs(exchange: Exchange, version: number): void {
    exchange.version = version;
    exchange.correlationId = this.#nextCorrelationId;
    this.#nextCorrelationId = (this.#nextCorrelationId % 0x7fffffff) + 1;
    const request = exchange.prepare(version);
    const parts = exchange.call.encode(version, exchange.correlationId, this.#options.clientId, request);
    if (exchange.answered) {
      this.#pending.push(exchange);
      this.#options.network.setCredits(this.#id, this.#pending.length);
    }
    this.#options.network.send(this.#id, parts);
    if (!exchange.answered) exchange.done(NOT_ANSWERED);
  }

  /** Asks what the broker speaks; a broker that is older than `version` says so in the oldest form, and is asked again. */
  #negotiate(version: number): void {
    this.#state = 'negotiating';
    const { name, version: softwareVersion } = this.#options.software;
    this.#transmitAs(
      {
        call: API_VERSIONS as Call<unknown, unknown>,
        prepare: () => ({ clientSoftwareName: name, clientSoftwareVersion: softwareVersion }),
        maxVersion: version,
        answered: true,
        deadlineMs: this.#deadlineToBeReady(),
        done: (outcome) => this.#onVersions(outcome as ReturnType<typeof API_VERSIONS.decode> | ClientError),
        version,
        correlationId: 0,
      },
      version,
    );
  }

  #deadlineToBeReady(): number {
    const deadlineMs = this.#options.clock.monotonicMs() + this.#options.requestTimeoutMs;
    this.#arm(deadlineMs);
    return deadlineMs;
  }

  #onVersions(outcome: ReturnType<typeof API_VERSIONS.decode> | ClientError): void {
    // An error here came with the end of the connection, which tells everybody.
    if (outcome instanceof ClientError) return;
    this.#versions = new ApiVersionTable(outcome.apiKeys);
    if (outcome.errorCode === ErrorCode.UNSUPPORTED_VERSION) {
      const version = this.#versions.pick(API_VERSIONS as Call<never, unknown>);
      if (version >= 0 && version < API_VERSIONS.maxVersion) {
        this.#negotiate(version);
        return;
      }
    }
    if (outcome.errorCode !== ErrorCode.NONE) {
      this.close(brokerAnswer(`${this.address} ApiVersions`, outcome.errorCode));
      return;
    }
    this.#state = 'ready';
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const exchange of waiting) {
      if (this.#isClosed()) this.#waiting.push(exchange);
      else this.#transmit(exchange);
    }
    if (this.#isClosed()) this.#failAll(new ClientError('CONNECTION_CLOSED', `${this.address} was closed`));
  }

  #onFrames(frames: FrameTable): void {
    for (let i = 0; i < frames.count && !this.#isClosed(); i++) {
      const exchange = this.#pending.shift();
      if (exchange === undefined) {
        this.close(this.#malformed('an answer that nobody asked for'));
        return;
      }
      this.#answer(exchange, frames, i);
    }
    if (!this.#isClosed()) this.#options.network.setCredits(this.#id, this.#pending.length);
  }

  #answer(exchange: Exchange, frames: FrameTable, i: number): void {
    let outcome: unknown;
    try {
      if (exchange.call.keepsFrame) {
        const frame = frames.retain(i);
        outcome = this.#decode(exchange, frame, 0, frame.length);
      } else {
        outcome = this.#decode(exchange, frames.buffer(i), frames.start(i), frames.end(i));
      }
    } catch (error) {
      const malformed = this.#malformed(`an answer to ${exchange.call.name} v${exchange.version}`, error);
      exchange.done(malformed);
      this.close(malformed);
      return;
    }
    exchange.done(outcome);
  }

  /** @throws ClientError, ProtocolError */
  #decode(exchange: Exchange, buffer: Buffer, start: number, end: number): unknown {
    const correlationId = end - start >= 4 ? buffer.readInt32BE(start) : -1;
    if (correlationId !== exchange.correlationId) {
      throw this.#malformed(`correlation id ${correlationId}, not ${exchange.correlationId}`);
    }
    // A broker that does not know the version answers in the oldest form; the error code comes first in every version.
    const tooNew =
      exchange.call.key === API_VERSIONS.key &&
      end - start >= 6 &&
      buffer.readInt16BE(start + 4) === ErrorCode.UNSUPPORTED_VERSION;
    return exchange.call.decode(tooNew ? 0 : exchange.version, buffer, start, end);
  }

  #malformed(what: string, cause?: unknown): ClientError {
    const why = cause instanceof Error ? ` (${cause.message})` : '';
    return new ClientError('MALFORMED_RESPONSE', `${this.address} sent ${what}${why}`, { cause });
  }

  /** Has the timer run no later than `deadlineMs`. */
  #arm(deadlineMs: number): void {
    if (deadlineMs >= this.#timerDeadlineMs) return;
    if (this.#timer !== null) this.#options.clock.cancel(this.#timer);
    this.#timerDeadlineMs = deadlineMs;
    this.#timer = this.#options.clock.schedule(deadlineMs, () => this.#onTimer());
  }

  #onTimer(): void {
    this.#timer = null;
    this.#timerDeadlineMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#options.clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const exchange of [...this.#pending, ...this.#waiting]) {
      if (exchange.deadlineMs <= nowMs) {
        const text = `${this.address} did not answer ${exchange.call.name} in time`;
        this.close(new ClientError('REQUEST_TIMEOUT', text));
        return;
      }
      nextMs = Math.min(nextMs, exchange.deadlineMs);
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(nextMs);
  }

  #onNetworkClose(reason: CloseReason, detail: string): void {
    if (this.#state === 'closed') return;
    const why = detail === '' ? reason : `${reason}, ${detail}`;
    this.#finish(
      this.#state === 'connecting'
        ? new ClientError('CONNECT_FAILED', `no connection to ${this.address}: ${why}`)
        : new ClientError('CONNECTION_CLOSED', `the connection to ${this.address} ended: ${why}`),
    );
  }

  #finish(error: ClientError): void {
    assert(this.#state !== 'closed', 'a connection ends once');
    this.#state = 'closed';
    if (this.#timer !== null) this.#options.clock.cancel(this.#timer);
    this.#timer = null;
    this.#failAll(error);
    this.#onClosed(error);
  }

  #failAll(error: ClientError): void {
    const exchanges = [...this.#pending, ...this.#waiting];
    this.#pending = [];
    this.#waiting = [];
    for (const exchange of exchanges) exchange.done(error);
  }

  /** As a call, because a callback may have closed it where the type checker still believes otherwise. */
  #isClosed(): boolean {
    return this.#state === 'closed';
  }
}
