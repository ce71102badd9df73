import type * as http from 'node:http';
import { BrokerError } from '../../base/broker-error.ts';
import type { HttpHandler, HttpListener, HttpResponse, HttpServer } from '../http.ts';

/** A request head must be there after this time. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 15_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 64;

/** HTTP by `node:http`, with narrow bounds: it serves operators, not clients. */
export class NodeHttpServer implements HttpServer {
  listen(
    options: { readonly host: string; readonly port: number; readonly handler: HttpHandler },
    done: (error: BrokerError | null, listener: HttpListener | null) => void,
  ): void {
    const { host, port, handler } = options;
    // Loaded here, not above: that takes 15 ms, which a start without an admin port does not have to spend.
    const server = process.getBuiltinModule('node:http').createServer({
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('request', (request, response) => serve(handler, request, response));
    const failed = (error: NodeJS.ErrnoException): void => {
      const where = `${host || 'all addresses'}, port ${port}`;
      done(
        new BrokerError('LISTEN_FAILED', `cannot listen for HTTP on ${where}: ${error.code}`, {
          cause: error,
        }),
        null,
      );
    };
    server.once('error', failed);
    server.listen({ port, ...(host === '' ? {} : { host }) }, () => {
      server.off('error', failed);
      // What may fail from now on is one accept, which the caller notices.
      server.on('error', () => {});
      const address = server.address();
      done(null, {
        host,
        port: typeof address === 'object' && address !== null ? address.port : port,
        close: (closed) => {
          server.close(() => closed());
          server.closeAllConnections();
        },
      });
    });
  }
}

function serve(handler: HttpHandler, request: http.IncomingMessage, response: http.ServerResponse): void {
  request.resume();
  const method = request.method ?? 'GET';
  const path = (request.url ?? '/').replace(/[?#].*$/s, '');
  handler({ method, path }, (answer: HttpResponse) => {
    if (response.destroyed) return;
    const body = Buffer.from(answer.body);
    response.writeHead(answer.status, {
      'content-type': answer.contentType,
      'content-length': body.length,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.end(method === 'HEAD' ? undefined : body);
  });
}
