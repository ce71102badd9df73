/** Listeners: where a node listens, and what it tells others to connect to. */

/** How a listener's connections are secured. */
export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';

/** All of them, in the order of their numbers in Kafka's protocol (0 to 3). */
export const SECURITY_PROTOCOLS: readonly SecurityProtocol[] = [
  'PLAINTEXT',
  'SSL',
  'SASL_PLAINTEXT',
  'SASL_SSL',
];

/** An address under a listener's name. */
export interface Endpoint {
  /** In capitals. */
  readonly listenerName: string;
  /** Host name or address, an IPv6 address without its brackets; empty in `listeners` for every interface. */
  readonly host: string;
  /** 0 in `listeners` for any free port; 0 in `advertised.listeners` for the port that was bound. */
  readonly port: number;
}

/** An endpoint with the protocol that is spoken there. */
export interface ListenerEndpoint extends Endpoint {
  readonly securityProtocol: SecurityProtocol;
}

/** What a text in one of the lists may look like, for messages. */
export const ENDPOINT_FORM =
  'NAME://host:port, such as PLAINTEXT://127.0.0.1:9092, PLAINTEXT://[::1]:9092 or PLAINTEXT://:9092';

const ENDPOINT =
  /^([\w.-]+):\/\/(?:\[([\da-fA-F:.]+(?:%[\w.-]+)?)\]|([\w.%-]*|[\da-fA-F:]*::[\da-fA-F:.]*)):(\d{1,5})$/;

/** Reads `NAME://host:port`; null if it is something else. */
export function parseEndpoint(text: string): Endpoint | null {
  const match = ENDPOINT.exec(text);
  if (match === null) return null;
  const [, name = '', bracketed, plain = '', port = ''] = match;
  if (Number(port) > 65535) return null;
  return { listenerName: name.toUpperCase(), host: bracketed ?? plain, port: Number(port) };
}

/** `host:port` as a client takes it, an IPv6 address in brackets. */
export function formatAddress(address: { readonly host: string; readonly port: number }): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** An endpoint as it stands in `listeners`. */
export function formatEndpoint(endpoint: Endpoint): string {
  return `${endpoint.listenerName}://${formatAddress(endpoint)}`;
}

/** Reads `listener.security.protocol.map`; returns the map or what is wrong. */
export function parseProtocolMap(text: string): Map<string, SecurityProtocol> | string {
  const map = new Map<string, SecurityProtocol>();
  for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
    const colon = pair.indexOf(':');
    const name = pair.slice(0, colon).trim().toUpperCase();
    const protocol = SECURITY_PROTOCOLS.find(
      (known) =>
        known ===
        pair
          .slice(colon + 1)
          .trim()
          .toUpperCase(),
    );
    if (colon <= 0 || protocol === undefined)
      return `"${pair.trim()}" is not NAME:PROTOCOL; allowed protocols: ${SECURITY_PROTOCOLS.join(', ')}`;
    if (map.has(name) && map.get(name) !== protocol)
      return `${name} is there twice, with different protocols`;
    map.set(name, protocol);
  }
  return map;
}

/** True for an address that means every interface and that nobody can connect to. */
export function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || /^[0:]+$/.test(host);
}

/** What is wrong with the endpoints of `listeners` as a whole: a name or a port used twice; null when nothing is. */
export function clash(endpoints: readonly Endpoint[]): string | null {
  const names = new Set<string>();
  for (const endpoint of endpoints) {
    if (names.has(endpoint.listenerName)) return `the listener name ${endpoint.listenerName} is there twice`;
    names.add(endpoint.listenerName);
    const twin = endpoints.find((other) => other !== endpoint && other.port === endpoint.port);
    if (endpoint.port !== 0 && twin !== undefined && sharesAddress(endpoint.host, twin.host))
      return `${formatEndpoint(endpoint)} and ${formatEndpoint(twin)} cannot both have port ${endpoint.port}`;
  }
  return null;
}

/** One port may serve two listeners only on two addresses that are written out. */
function sharesAddress(a: string, b: string): boolean {
  return a === b || isWildcard(a) || isWildcard(b);
}
