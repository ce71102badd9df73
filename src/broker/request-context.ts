import type { SendPart } from '../io/network.ts';

/** What a handler may know of the connection a request came on. */
export interface ConnectionInfo {
  readonly id: number;
  /** Name of the listener, e.g. `PLAINTEXT`. */
  readonly listener: string;
  readonly peerHost: string;
  /** `User:ANONYMOUS` until authentication is there. */
  readonly principal: string;
  /** Set by ApiVersions v3+; empty before. */
  clientSoftwareName: string;
  clientSoftwareVersion: string;
}

/** Where answers go: the connections. */
export interface AnswerSink {
  /** The context has its outcome; it leaves when all earlier requests of the connection have left. */
  settled(context: RequestContext): void;
  /** Encodes an answer of the context's API and version as one whole frame. */
  encode(context: RequestContext, body: object): SendPart[];
  /** The frame of a pending request is no longer kept. */
  frameReleased(context: RequestContext): void;
  /** A handler failed: the connection is closed, the error logged and counted. */
  failed(context: RequestContext, error: unknown): void;
}

/** `pending`: not yet answered. `silent`: nothing is sent. `close`: the connection ends instead. */
export type Outcome = 'pending' | 'answered' | 'silent' | 'close';

/**
 * One request on its way through the broker. A handler settles it exactly once (`respond`, `settleSilently` or `closeConnection`), within its call or later; settling one
 * whose connection is gone does nothing but release what the answer holds.
 */
export class RequestContext<Response extends object = object> {
  readonly connection: ConnectionInfo;
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  /** Empty when the client sent null. */
  readonly clientId: string;
  /** Size of the frame, without its size prefix. */
  readonly requestBytes: number;
  /** When the frame was taken up, `monotonicMs`. */
  readonly receivedMs: number;
  /** Until when an answer is of use to the client, `monotonicMs`; handlers that wait for others bound themselves by it. */
  readonly deadlineMs: number;
  readonly #sink: AnswerSink;

  /** Milliseconds for which the connection is muted after the answer; set by the quota hook before `respond`. */
  throttleMs = 0;
  /** Called when the connection has ended while the request was pending: whoever waits on its behalf stops. */
  onCancelled: (() => void) | null = null;
  /** The connections' own: the outcome, the encoded answer, whether later requests may pass, and the next request of the connection. */
  outcome: Outcome = 'pending';
  parts: SendPart[] | null = null;
  overlaps = false;
  cancelled = false;
  /** The frame, if it is kept while the request is pending. */
  frame: Buffer | null = null;
  next: RequestContext | null = null;

  constructor(sink: AnswerSink, init: RequestInit) {
    this.#sink = sink;
    this.connection = init.connection;
    this.apiKey = init.apiKey;
    this.apiVersion = init.apiVersion;
    this.correlationId = init.correlationId;
    this.clientId = init.clientId;
    this.requestBytes = init.requestBytes;
    this.receivedMs = init.receivedMs;
    this.deadlineMs = init.deadlineMs;
  }

  /** Answers with `body`, the response message of the request's API and version. File ranges in it are handed over, also when nobody is there to get them. */
  respond(body: Response): void {
    if (this.outcome !== 'pending') throw new Error(`request of API ${this.apiKey} answered twice`);
    try {
      this.parts = this.#sink.encode(this as unknown as RequestContext, body);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#settle('answered');
  }

  /** Answers with a whole frame that was encoded already, of the request's API and version. */
  respondEncoded(parts: SendPart[]): void {
    if (this.outcome !== 'pending') throw new Error(`request of API ${this.apiKey} answered twice`);
    this.parts = parts;
    this.#settle('answered');
  }

  /** Ends the request without an answer (Produce with acks=0). */
  settleSilently(): void {
    this.#settle('silent');
  }

  /** Ends the connection in place of an answer, after earlier answers have left. */
  closeConnection(): void {
    this.#settle('close');
  }

  /** Says that nothing refers to the frame's bytes any more, though the request is still pending: they stop counting. */
  releaseFrame(): void {
    this.#sink.frameReleased(this as unknown as RequestContext);
  }

  /** Runs what goes on with the request after the handler's call has returned: what it throws costs this connection and nothing else. */
  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Reports a failure of the handler itself (a bug) that happened after its call had returned. */
  fail(error: unknown): void {
    this.#sink.failed(this as unknown as RequestContext, error);
  }

  #settle(outcome: Outcome): void {
    if (this.outcome !== 'pending') throw new Error(`request of API ${this.apiKey} settled twice`);
    this.outcome = outcome;
    this.onCancelled = null;
    this.#sink.settled(this as unknown as RequestContext);
  }
}

/** What is known of a request when its header has been read. */
export interface RequestInit {
  readonly connection: ConnectionInfo;
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string;
  readonly requestBytes: number;
  readonly receivedMs: number;
  readonly deadlineMs: number;
}
