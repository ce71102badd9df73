import type { BrokerError } from '../base/broker-error.ts';

/** The HTTP port: a small server for operators (metrics, health). Not for clients of the broker. */

/** What was asked. A body is not read. */
export interface HttpRequest {
  /** Upper case: `GET`, `HEAD`, … */
  readonly method: string;
  /** Without the query, such as `/metrics`. */
  readonly path: string;
}

/** What is answered. */
export interface HttpResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Answers one request: calls `respond` exactly once, now or later. */
export type HttpHandler = (request: HttpRequest, respond: (response: HttpResponse) => void) => void;

/** A listening HTTP server. */
export interface HttpListener {
  readonly host: string;
  /** The port really bound (when 0 was asked for). */
  readonly port: number;
  /** Stops listening and ends all connections; `done` when they are gone. */
  close(done: () => void): void;
}

/** Makes HTTP servers. */
export interface HttpServer {
  /** Listens. `done` is called once, in a later turn, with `LISTEN_FAILED` or the listener. */
  listen(
    options: { readonly host: string; readonly port: number; readonly handler: HttpHandler },
    done: (error: BrokerError | null, listener: HttpListener | null) => void,
  ): void;
}
