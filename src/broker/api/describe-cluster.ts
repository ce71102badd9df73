/** DescribeCluster, versions 0–2: brokers of the client's listener, fenced ones too if asked (v2). Endpoint type 2 (controllers) is for controller listeners. */
import { ErrorCode } from '../../base/errors.ts';
import { DescribeClusterRequest, DescribeClusterResponse } from '../../protocol/messages/describe-cluster.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, CLUSTER_RESOURCE, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import { controllerIdFor } from './topic-description.ts';

const BROKERS = 1;
const CONTROLLERS = 2;

/** The handler of DescribeCluster. */
export function describeClusterApi(services: Services): ApiHandler {
  const { view, clusterId, authorizer } = services;
  return api({
    apiKey: 60,
    minVersion: 0,
    maxVersion: 2,
    request: DescribeClusterRequest,
    response: DescribeClusterResponse,
    handle(context, request) {
      const { endpointType } = request;
      if (endpointType !== BROKERS) {
        const known = endpointType === CONTROLLERS;
        context.respond({
          throttleTimeMs: 0,
          errorCode: known ? ErrorCode.MISMATCHED_ENDPOINT_TYPE : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
          errorMessage: known
            ? 'This is a broker listener: it tells brokers, not controllers'
            : 'There is no such endpoint type',
          endpointType,
          clusterId: '',
          brokers: [],
        });
        return;
      }
      const { listener } = context.connection;
      const anonymous = context as unknown as RequestContext;
      context.respond({
        throttleTimeMs: 0,
        errorCode: ErrorCode.NONE,
        clusterId,
        controllerId: controllerIdFor(services, listener),
        brokers: brokersOf(view, listener, request.includeFencedBrokers),
        clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
          ? authorizer.authorize(anonymous, AclOperation.DESCRIBE, ResourceType.CLUSTER, CLUSTER_RESOURCE)
            ? authorizer.authorizedOperations(anonymous, ResourceType.CLUSTER, CLUSTER_RESOURCE)
            : 0
          : undefined,
      });
    },
  });
}

function brokersOf(view: Services['view'], listener: string, withFenced: boolean) {
  const brokers = view.nodes(listener).map(({ nodeId, host, port, rack }) => ({
    brokerId: nodeId,
    host,
    port,
    rack,
    isFenced: false,
  }));
  if (!withFenced) return brokers;
  for (const broker of view.image.cluster.brokers.values()) {
    const endpoint = broker.endpoints.find(({ name }) => name === listener);
    if (!broker.fenced || endpoint === undefined) continue;
    const { host, port } = endpoint;
    brokers.push({ brokerId: broker.id, host, port, rack: broker.rack, isFenced: true });
  }
  return brokers.sort((a, b) => a.brokerId - b.brokerId);
}
