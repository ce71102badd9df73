/** The listeners of a node, from the configs that speak of them. */
import {
  clash,
  ENDPOINT_FORM,
  type Endpoint,
  formatEndpoint,
  isWildcard,
  type ListenerEndpoint,
  parseEndpoint,
  parseProtocolMap,
  type SecurityProtocol,
} from './listeners.ts';

/** The configs that it takes, as they are set. */
export interface ListenerSettings {
  readonly listeners: readonly string[];
  /** Null: not set. */
  readonly advertised: readonly string[] | null;
  readonly protocolMap: string;
  /** False where the map is the default, which then also covers names of controller listeners. */
  readonly protocolMapIsSet: boolean;
  readonly controllerListenerNames: readonly string[];
  /** Null: not set. */
  readonly interBrokerListenerName: string | null;
  readonly interBrokerProtocol: string;
  readonly interBrokerProtocolIsSet: boolean;
  readonly isBroker: boolean;
  /** This machine's name, for listeners on every interface. */
  readonly hostName: string;
}

/** The listeners of a node. */
export interface NodeListeners {
  /** Where clients and brokers connect to; empty on a node that is only a controller. */
  readonly broker: readonly ListenerEndpoint[];
  /** Where the quorum connects to; may be empty on a node that is its quorum alone. */
  readonly controller: readonly ListenerEndpoint[];
  /** What clients are told, for each broker listener in the same order; port 0 means the one that was bound. */
  readonly advertised: readonly ListenerEndpoint[];
  /** What members of the quorum are told, for each controller listener in the same order. */
  readonly advertisedController: readonly ListenerEndpoint[];
  /** The listener of `broker` that brokers use among themselves; null on a node that is only a controller. */
  readonly interBrokerName: string | null;
}

/** Derives the listeners; every problem that is found goes to `report`, and then the result is not to be used. */
export function deriveListeners(
  settings: ListenerSettings,
  report: (name: ListenerConfigName, problem: string) => void,
): NodeListeners {
  const endpoints = parseEndpoints(settings.listeners, (problem) => report('listeners', problem));
  const clashing = clash(endpoints);
  if (clashing !== null) report('listeners', clashing);
  const isController = (endpoint: Endpoint) => controllerNames.includes(endpoint.listenerName);
  const controllerNames = settings.controllerListenerNames.map((name) => name.toUpperCase());
  const protocols = protocolsByName(settings, controllerNames, report);
  const secure = (endpoint: Endpoint): ListenerEndpoint => {
    const securityProtocol = protocols.get(endpoint.listenerName);
    if (securityProtocol === undefined)
      report(
        'listener.security.protocol.map',
        `it has no protocol for the listener ${endpoint.listenerName}`,
      );
    return { ...endpoint, securityProtocol: securityProtocol ?? 'PLAINTEXT' };
  };
  const listeners = endpoints.map(secure);
  const advertise = advertiser(settings, endpoints, report);
  const broker = listeners.filter((listener) => !isController(listener));
  const controller = listeners.filter(isController);
  if (settings.isBroker && broker.length === 0)
    report(
      'listeners',
      'a node with the role broker needs a listener that is not among controller.listener.names',
    );
  if (!settings.isBroker && broker.length > 0)
    report(
      'listeners',
      'a node without the role broker may only have listeners of controller.listener.names',
    );
  return {
    broker,
    controller,
    advertised: broker.map(advertise),
    advertisedController: controller.map(advertise),
    interBrokerName: settings.isBroker ? interBrokerName(settings, broker, report) : null,
  };
}

/** The configs that a problem may be blamed on. */
export type ListenerConfigName =
  | 'listeners'
  | 'advertised.listeners'
  | 'listener.security.protocol.map'
  | 'inter.broker.listener.name';

type Report = (name: ListenerConfigName, problem: string) => void;

function parseEndpoints(texts: readonly string[], report: (problem: string) => void): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const text of texts) {
    const endpoint = parseEndpoint(text);
    if (endpoint === null) report(`"${text}" is not an endpoint; allowed: ${ENDPOINT_FORM}`);
    else endpoints.push(endpoint);
  }
  return endpoints;
}

function protocolsByName(
  settings: ListenerSettings,
  controllerNames: readonly string[],
  report: Report,
): ReadonlyMap<string, SecurityProtocol> {
  const map = parseProtocolMap(settings.protocolMap);
  if (typeof map === 'string') {
    report('listener.security.protocol.map', map);
    return new Map();
  }
  if (!settings.protocolMapIsSet) {
    for (const name of controllerNames) if (!map.has(name)) map.set(name, 'PLAINTEXT');
  }
  return map;
}

/** How a listener is told to others: as `advertised.listeners` has it, else as it is, with this machine's name for every interface. */
function advertiser(
  settings: ListenerSettings,
  listeners: readonly Endpoint[],
  report: Report,
): (listener: ListenerEndpoint) => ListenerEndpoint {
  const byName = new Map<string, Endpoint>();
  for (const endpoint of parseEndpoints(settings.advertised ?? [], (problem) =>
    report('advertised.listeners', problem),
  )) {
    const name = endpoint.listenerName;
    if (byName.has(name)) report('advertised.listeners', `the listener name ${name} is there twice`);
    byName.set(name, endpoint);
    if (isWildcard(endpoint.host)) report('advertised.listeners', cannotAdvertise(endpoint));
    if (!listeners.some((listener) => listener.listenerName === name))
      report('advertised.listeners', `${formatEndpoint(endpoint)} has a name that is not in listeners`);
  }
  return (listener) => {
    const given = byName.get(listener.listenerName);
    if (given !== undefined) return { ...listener, host: given.host, port: given.port };
    if (listener.host === '') return { ...listener, host: settings.hostName };
    if (isWildcard(listener.host)) report('advertised.listeners', cannotAdvertise(listener));
    return listener;
  };
}

function cannotAdvertise(endpoint: Endpoint): string {
  return (
    `nobody can connect to ${formatEndpoint(endpoint)}; name a host that clients reach, ` +
    `such as ${endpoint.listenerName}://localhost:${endpoint.port}`
  );
}

function interBrokerName(
  settings: ListenerSettings,
  broker: readonly ListenerEndpoint[],
  report: Report,
): string | null {
  const { interBrokerListenerName, interBrokerProtocol } = settings;
  if (interBrokerListenerName !== null && settings.interBrokerProtocolIsSet)
    report('inter.broker.listener.name', 'set either it or security.inter.broker.protocol, not both');
  const name = (interBrokerListenerName ?? interBrokerProtocol).toUpperCase();
  if (broker.some((listener) => listener.listenerName === name)) return name;
  if (interBrokerListenerName === null && broker.length === 1) return broker[0]?.listenerName ?? null;
  const names = broker.map((listener) => listener.listenerName).join(', ');
  report(
    'inter.broker.listener.name',
    `brokers would use the listener ${name}, which is not there; allowed: ${names}`,
  );
  return null;
}
