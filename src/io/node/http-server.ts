import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BrokerError } from '../../base/broker-error.ts';
import type { HttpHandler, HttpListener, HttpServer } from '../http.ts';
import { systemCode } from './system-code.ts';

/** A client must have sent its request after this long. */
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 100;

type Done = (error: BrokerError | null, listener: HttpListener | null) => void;

interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly handler: HttpHandler;
}

/** The HTTP port over `node:http`, which is loaded when it is first needed: most starts do without. */
export class NodeHttpServer implements HttpServer {
  /** See `HttpServer`. */
  listen(options: ListenOptions, done: Done): void {
    import('node:http').then(
      ({ createServer }) => {
        const timeouts = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS };
        const server = createServer(timeouts, (request, response) =>
          answer(options.handler, request, response),
        );
        listen(server, options, done);
      },
      (cause: unknown) => done(new BrokerError('LISTEN_FAILED', 'HTTP is not available', { cause }), null),
    );
  }
}

function listen(server: Server, { host, port }: ListenOptions, done: Done): void {
  server.maxConnections = MAX_CONNECTIONS;
  server.once('error', (cause) => {
    const message = `cannot listen for HTTP on ${host}:${port} (${systemCode(cause)}); choose another port or free this one`;
    done(new BrokerError('LISTEN_FAILED', message, { cause }), null);
  });
  server.listen(port, host, () => {
    server.removeAllListeners('error');
    server.on('error', () => {});
    done(null, listenerOf(server));
  });
}

function answer(handler: HttpHandler, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  handler({ method: request.method ?? 'GET', path }, ({ status, contentType, body }) => {
    response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
}

function listenerOf(server: Server): HttpListener {
  const { address, port } = server.address() as AddressInfo;
  return {
    host: address,
    port,
    close(done) {
      server.close(() => done());
      server.closeAllConnections();
    },
  };
}
