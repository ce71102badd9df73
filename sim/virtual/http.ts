import { BrokerError } from '../../src/base/broker-error.ts';
import type { Clock } from '../../src/io/clock.ts';
import type { HttpHandler, HttpListener, HttpResponse, HttpServer } from '../../src/io/http.ts';

/** The HTTP port of a simulated host: requests are calls. */
export class VirtualHttpServer implements HttpServer {
  readonly #clock: Clock;
  readonly #handlers = new Map<number, HttpHandler>();
  #nextPort = 40_000;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  listen(
    options: { readonly host: string; readonly port: number; readonly handler: HttpHandler },
    done: (error: BrokerError | null, listener: HttpListener | null) => void,
  ): void {
    this.#clock.defer(() => {
      const { host, handler } = options;
      const port = options.port === 0 ? this.#nextPort++ : options.port;
      if (this.#handlers.has(port)) {
        done(
          new BrokerError('LISTEN_FAILED', `cannot listen for HTTP on ${host}, port ${port}: EADDRINUSE`),
          null,
        );
        return;
      }
      this.#handlers.set(port, handler);
      const close = (closed: () => void): void => {
        if (this.#handlers.get(port) === handler) this.#handlers.delete(port);
        this.#clock.defer(closed);
      };
      done(null, { host, port, close });
    });
  }

  /** Asks a page; null when nobody listens on the port. The answer comes in a later turn. */
  request(port: number, method: string, path: string, done: (response: HttpResponse | null) => void): void {
    this.#clock.defer(() => {
      const handler = this.#handlers.get(port);
      if (handler === undefined) done(null);
      else handler({ method, path }, (response) => this.#clock.defer(() => done(response)));
    });
  }
}
