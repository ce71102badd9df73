import { NO_NODE } from './election-state.ts';
import { pickEndpoint } from './checks.ts';
import type { Destination, RequestToSend } from './raft-api.ts';
import type { Quorum } from './quorum.ts';
import type { Endpoint } from './voter-set.ts';

type Body<K> = Extract<RequestToSend, { readonly apiKey: K }>['body'];

/** Sends a request if the destination is ready for one. @returns its correlation id; null when nothing was sent */
export function send<K extends RequestToSend['apiKey']>(
  quorum: Quorum,
  destination: Destination,
  request: { readonly apiKey: K; readonly body: Body<K>; readonly minVersion?: number },
): number | null {
  const { nowMs, requests, options } = quorum;
  if (!requests.isReady(destination, nowMs)) return null;
  const correlationId = quorum.nextCorrelationId();
  requests.sent({
    correlationId,
    apiKey: request.apiKey,
    destination,
    deadlineMs: nowMs + options.timeouts.requestTimeoutMs,
    epoch: quorum.epoch,
    role: quorum.role,
    logEndOffset: quorum.log.endOffset,
    logGeneration: quorum.log.generation,
  });
  const effect = {
    type: 'send',
    correlationId,
    destination,
    apiKey: request.apiKey,
    minVersion: request.minVersion ?? 0,
    body: request.body,
  } as RequestToSend;
  quorum.emitMessage(effect);
  return correlationId;
}

/** Where a voter is reached; null when its endpoint is not known. */
export function voterDestination(quorum: Quorum, voterId: number): Destination | null {
  return nodeDestination(quorum, voterId, quorum.voters.endpointsOf(voterId));
}

/** Where a node with these endpoints is reached. */
export function nodeDestination(
  quorum: Quorum,
  id: number,
  endpoints: readonly Endpoint[],
): Destination | null {
  const endpoint = pickEndpoint(quorum, endpoints);
  if (id === NO_NODE || endpoint === null) return null;
  return { kind: 'node', id, host: endpoint.host, port: endpoint.port };
}

/** The bootstrap servers: those configured, else the fixed voters; never this node, which has nothing to tell itself. */
export function bootstrapDestinations(quorum: Quorum): readonly Destination[] {
  const { bootstrapServers, configuredVoters, nodeId } = quorum.options;
  const own = pickEndpoint(quorum, quorum.options.endpoints);
  const endpoints: readonly { readonly host: string; readonly port: number }[] =
    bootstrapServers.length > 0
      ? bootstrapServers
      : configuredVoters.voters
          .filter(({ voterId }) => voterId !== nodeId)
          .flatMap((voter) => pickEndpoint(quorum, voter.endpoints) ?? []);
  return endpoints
    .filter(({ host, port }) => host !== own?.host || port !== own.port)
    .map(({ host, port }, id) => ({ kind: 'bootstrap', id, host, port }));
}

/** A bootstrap server that may be asked now, drawn by lot; null when there is none or one is being asked. */
export function readyBootstrap(quorum: Quorum): Destination | null {
  const { requests, nowMs, options } = quorum;
  const all = bootstrapDestinations(quorum);
  const isAsking = all.some((one) => !requests.isReady(one, nowMs) && !requests.isBackingOff(one, nowMs));
  if (isAsking) return null;
  const ready = all.filter((one) => requests.isReady(one, nowMs));
  return ready.length === 0 ? null : options.random.pick(ready);
}
