import type net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { BrokerError } from '../../../base/broker-error.ts';

/** What is used of libuv's handle of a listening socket. */
interface ServerHandle {
  getsockname(out: object): number;
  close(): void;
}

/** Node's own way to bind: not documented, but stable through all supported versions, and the only one that says at once whether it worked. */
type CreateServerHandle = (address: string, port: number, addressType: 4 | 6) => ServerHandle | number;

/**
 * Binds `server` and makes it listen before it returns. An empty host stands for all addresses. @throws BrokerError `LISTEN_FAILED`
 * @returns the port bound
 */
export function listenNow(server: net.Server, host: string, port: number): number {
  const failed = (code: string): BrokerError =>
    new BrokerError(
      'LISTEN_FAILED',
      `cannot listen on ${host || 'all addresses'}, port ${port}: ${explain(code)}`,
    );
  const module = process.getBuiltinModule('node:net');
  const create = (module as unknown as { _createServerHandle: CreateServerHandle })._createServerHandle;
  const bind = (address: string): ServerHandle | number =>
    create(address, port, module.isIPv6(address) ? 6 : 4);
  const address = resolveNow(host);
  if (address === null) throw failed('ENOTFOUND');
  let handle = bind(address);
  // A machine without IPv6 has no ::, which else takes IPv4 connections too.
  if (typeof handle === 'number' && host === '') handle = bind('0.0.0.0');
  if (typeof handle === 'number') throw failed(getSystemErrorName(handle));
  // An address in use is found by bind, but told by the next call only.
  const bound: { port?: number } = {};
  const status = handle.getsockname(bound);
  if (status !== 0) {
    handle.close();
    throw failed(getSystemErrorName(status));
  }
  let code = 'EADDRINUSE';
  server.once('error', (error: NodeJS.ErrnoException) => (code = error.code ?? code));
  server.listen(handle);
  if (!server.listening) throw failed(code);
  return bound.port as number;
}

/** The address of a host name, looked up at once as the system does it; null when there is none. For the few names of a configuration. */
function resolveNow(host: string): string | null {
  if (host === '') return '::';
  const { isIP } = process.getBuiltinModule('node:net');
  if (isIP(host) !== 0) return host;
  if (host === 'localhost') return '127.0.0.1';
  const script = 'require("node:dns").lookup(process.argv[1], (e, a) => e || process.stdout.write(a))';
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { stdout } = spawnSync(process.execPath, ['-e', script, host], { encoding: 'utf8', timeout: 20_000 });
  return isIP(stdout) === 0 ? null : stdout;
}

function explain(code: string): string {
  if (code === 'EADDRINUSE') return `${code}, another program listens there; choose another port or stop it`;
  if (code === 'EADDRNOTAVAIL') return `${code}, this machine does not have that address`;
  if (code === 'EACCES') return `${code}, ports below 1024 need more rights`;
  if (code === 'ENOTFOUND') return `${code}, the host name is not known`;
  return code;
}
