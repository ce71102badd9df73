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
  /** In capitals. */
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
  /**
   * What clients are told of the listeners in `broker`: all of them, or those that `advertised.listeners` names. Port 0 means the one
   * that was bound.
   */
  readonly advertised: readonly ListenerEndpoint[];
  /** What members of the quorum are told, for each of `controller` in the same order. */
  readonly advertisedController: readonly ListenerEndpoint[];
  /** The advertised listener that brokers use among themselves; null on a node that is only a controller. */
  readonly interBrokerName: string | null;
}

/** The configs that a problem may be blamed on. */
export type ListenerConfigName =
  | 'listeners'
  | 'advertised.listeners'
  | 'listener.security.protocol.map'
  | 'controller.listener.names'
  | 'inter.broker.listener.name';

type Report = (name: ListenerConfigName, problem: string) => void;

/** Derives the listeners; every problem that is found goes to `report`, and then the result is not to be used. */
export function deriveListeners(settings: ListenerSettings, report: Report): NodeListeners {
  const endpoints = parseEndpoints('listeners', settings.listeners, report);
  const clashing = clash(endpoints);
  if (clashing !== null) report('listeners', clashing);
  const all = withProtocols(settings, endpoints, report);
  const isController = (endpoint: Endpoint) =>
    settings.controllerListenerNames.includes(endpoint.listenerName);
  const broker = all.filter((listener) => !isController(listener));
  const controller = all.filter(isController);
  checkRoles(settings, broker, controller, report);
  const given = advertisedByName(settings, endpoints, report);
  const advertised = advertise(settings, broker, given, report);
  return {
    broker,
    controller,
    advertised,
    advertisedController: controller.map((listener) => advertiseController(settings, listener, given)),
    interBrokerName: settings.isBroker ? interBrokerName(settings, advertised, report) : null,
  };
}

function parseEndpoints(name: ListenerConfigName, texts: readonly string[], report: Report): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const text of texts) {
    const endpoint = parseEndpoint(text);
    if (endpoint === null) report(name, `"${text}" is not an endpoint; allowed: ${ENDPOINT_FORM}`);
    else endpoints.push(endpoint);
  }
  return endpoints;
}

/** Gives each listener its protocol. As long as the map is the default one, controller listeners need not be in it. */
function withProtocols(
  settings: ListenerSettings,
  endpoints: readonly Endpoint[],
  report: Report,
): ListenerEndpoint[] {
  const name = 'listener.security.protocol.map';
  const map = parseProtocolMap(settings.protocolMap);
  if (typeof map === 'string') report(name, map);
  const protocols = typeof map === 'string' ? new Map<string, SecurityProtocol>() : map;
  if (!settings.protocolMapIsSet) {
    for (const controllerName of settings.controllerListenerNames) {
      if (!protocols.has(controllerName)) protocols.set(controllerName, 'PLAINTEXT');
    }
  }
  return endpoints.map((endpoint) => {
    const securityProtocol = protocols.get(endpoint.listenerName);
    if (securityProtocol === undefined)
      report(name, `it has no protocol for the listener ${endpoint.listenerName}`);
    return { ...endpoint, securityProtocol: securityProtocol ?? 'PLAINTEXT' };
  });
}

/** The roles decide which listeners there must be. Controllers may have none at all where the node is its quorum alone. */
function checkRoles(
  settings: ListenerSettings,
  broker: readonly Endpoint[],
  controller: readonly Endpoint[],
  report: Report,
): void {
  if (settings.isBroker && broker.length === 0)
    report('listeners', 'a node with the role broker needs a listener outside controller.listener.names');
  if (!settings.isBroker && broker.length > 0)
    report('listeners', 'a node without the role broker has only listeners of controller.listener.names');
  const present = controller.map((endpoint) => endpoint.listenerName);
  const absent = settings.controllerListenerNames.filter((name) => !present.includes(name));
  if (present.length > 0 && absent.length > 0)
    report('controller.listener.names', `${absent.join(', ')} is not in listeners`);
}

/** What `advertised.listeners` has; an empty host is this machine's name. */
function advertisedByName(
  settings: ListenerSettings,
  listeners: readonly Endpoint[],
  report: Report,
): ReadonlyMap<string, Endpoint> {
  const name = 'advertised.listeners';
  const byName = new Map<string, Endpoint>();
  for (const endpoint of parseEndpoints(name, settings.advertised ?? [], report)) {
    const { listenerName, host } = endpoint;
    if (byName.has(listenerName)) report(name, `the listener name ${listenerName} is there twice`);
    if (!listeners.some((listener) => listener.listenerName === listenerName))
      report(name, `${formatEndpoint(endpoint)} has a name that is not in listeners`);
    if (host !== '' && isWildcard(host)) report(name, cannotAdvertise(endpoint));
    byName.set(listenerName, host === '' ? { ...endpoint, host: settings.hostName } : endpoint);
  }
  return byName;
}

/** Broker listeners as they are told to others. */
function advertise(
  settings: ListenerSettings,
  broker: readonly ListenerEndpoint[],
  given: ReadonlyMap<string, Endpoint>,
  report: Report,
): ListenerEndpoint[] {
  if (settings.advertised === null) {
    return broker.map((listener) => {
      if (listener.host === '') return { ...listener, host: settings.hostName };
      if (isWildcard(listener.host)) report('advertised.listeners', cannotAdvertise(listener));
      return listener;
    });
  }
  const advertised = broker.flatMap((listener) => {
    const told = given.get(listener.listenerName);
    return told === undefined ? [] : [{ ...listener, host: told.host, port: told.port }];
  });
  if (broker.length > 0 && advertised.length === 0)
    report('advertised.listeners', 'it has none of the listeners that clients connect to');
  return advertised;
}

function advertiseController(
  settings: ListenerSettings,
  listener: ListenerEndpoint,
  given: ReadonlyMap<string, Endpoint>,
): ListenerEndpoint {
  const told = given.get(listener.listenerName);
  if (told !== undefined) return { ...listener, host: told.host, port: told.port };
  return isWildcard(listener.host) ? { ...listener, host: settings.hostName } : listener;
}

function cannotAdvertise(endpoint: Endpoint): string {
  return (
    `nobody can connect to ${formatEndpoint(endpoint)}; name a host that clients reach, ` +
    `such as ${endpoint.listenerName}://localhost:${endpoint.port}`
  );
}

/** The only listener there is needs no mention. */
function interBrokerName(
  settings: ListenerSettings,
  advertised: readonly ListenerEndpoint[],
  report: Report,
): string | null {
  const { interBrokerListenerName, interBrokerProtocol } = settings;
  if (interBrokerListenerName !== null && settings.interBrokerProtocolIsSet)
    report('inter.broker.listener.name', 'set either it or security.inter.broker.protocol, not both');
  const name = (interBrokerListenerName ?? interBrokerProtocol).toUpperCase();
  const names = advertised.map((listener) => listener.listenerName);
  if (names.includes(name)) return name;
  if (interBrokerListenerName === null && names.length === 1) return names[0] ?? null;
  report(
    'inter.broker.listener.name',
    `brokers would use the listener ${name}, which is not advertised; allowed: ${names.join(', ')}`,
  );
  return null;
}
