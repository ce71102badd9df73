import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BrokerError } from '../../base/broker-error.ts';
import type { HttpHandler, HttpListener, HttpServer } from '../http.ts';
import { systemCode } from './system-code.ts';

/** A client must have sent its request after this long. */
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 100;

/** The HTTP port over `node:http`. */
export class NodeHttpServer implements HttpServer {
  /** See `HttpServer`. */
  listen(
    options: { readonly host: string; readonly port: number; readonly handler: HttpHandler },
    done: (error: BrokerError | null, listener: HttpListener | null) => void,
  ): void {
    const { host, port, handler } = options;
    const server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
      (request, response) => answer(handler, request, response),
    );
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
