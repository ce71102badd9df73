/**
 * APIs that the active controller answers; the broker authorizes and passes them on: CreateTopics 2–7, DeleteTopics 1–6, CreatePartitions 0–3, AlterConfigs 0–2,
 * IncrementalAlterConfigs 0–1.
 *
 * An answer about new topics is held until this broker has done what the metadata asks of it, so that whoever creates a topic may use it at once.
 */
import { ErrorCode } from '../../base/errors.ts';
import type { ControllerApiKey, ControllerApis } from '../../controller/controller-request.ts';
import { ConfigResourceType } from '../../metadata/configurations-image.ts';
import { AlterConfigsRequest, AlterConfigsResponse } from '../../protocol/messages/alter-configs.ts';
import {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '../../protocol/messages/create-partitions.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/create-topics.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/delete-topics.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/incremental-alter-configs.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { forward } from '../forward.ts';
import { AclOperation, CLUSTER_RESOURCE, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';

/** The handlers of all forwarded APIs. */
export function forwardedApis(services: Services): ApiHandler[] {
  return [
    createTopicsApi(services),
    deleteTopicsApi(services),
    createPartitionsApi(services),
    alterConfigsApi(services),
    incrementalAlterConfigsApi(services),
  ];
}

function createTopicsApi(services: Services): ApiHandler {
  return api({
    apiKey: 19,
    minVersion: 2,
    maxVersion: 7,
    request: CreateTopicsRequest,
    response: CreateTopicsResponse,
    handle(context, request) {
      const { allowed, refused } = partition(request.topics, ({ name }) =>
        mayCreate(services, context as unknown as RequestContext, name),
      );
      const fail = (errorCode: ErrorCode) => (topic: { readonly name: string }) => ({
        name: topic.name,
        errorCode,
        errorMessage: null,
      });
      const refusals = refused.map(fail(ErrorCode.TOPIC_AUTHORIZATION_FAILED));
      passOn(services, 19, context, { ...request, topics: allowed }, (errorCode, response) => {
        const answers = response?.topics ?? allowed.map(fail(errorCode));
        context.respond({ ...response, topics: [...answers, ...refusals] });
      });
    },
  });
}

function mayCreate(services: Services, context: RequestContext, topic: string): boolean {
  const { authorizer } = services;
  return (
    authorizer.authorize(context, AclOperation.CREATE, ResourceType.CLUSTER, CLUSTER_RESOURCE) ||
    authorizer.authorize(context, AclOperation.CREATE, ResourceType.TOPIC, topic)
  );
}

function deleteTopicsApi(services: Services): ApiHandler {
  return api({
    apiKey: 20,
    minVersion: 1,
    maxVersion: 6,
    request: DeleteTopicsRequest,
    response: DeleteTopicsResponse,
    handle(context, request) {
      const { authorizer, view, limits } = services;
      const byName = request.topicNames.map((name) => ({ name, topicId: undefined }));
      const wanted = context.apiVersion >= 6 ? request.topics : byName;
      const mayDelete = (name: string | null, topicId: string | undefined): boolean =>
        authorizer.authorize(
          context as unknown as RequestContext,
          AclOperation.DELETE,
          ResourceType.TOPIC,
          name ?? view.image.topics.byId(topicId ?? '')?.name ?? '',
        );
      const failAll = (errorCode: ErrorCode) =>
        wanted.map(({ name, topicId }) => ({ name, topicId, errorCode, errorMessage: null }));
      if (!limits.deleteTopics) {
        const disabled =
          context.apiVersion < 3 ? ErrorCode.INVALID_REQUEST : ErrorCode.TOPIC_DELETION_DISABLED;
        context.respond({ responses: failAll(disabled) });
        return;
      }
      if (!wanted.every(({ name, topicId }) => mayDelete(name, topicId))) {
        context.respond({ responses: failAll(ErrorCode.TOPIC_AUTHORIZATION_FAILED) });
        return;
      }
      passOn(services, 20, context, request, (errorCode, response) =>
        context.respond(response ?? { responses: failAll(errorCode) }),
      );
    },
  });
}

function createPartitionsApi(services: Services): ApiHandler {
  return api({
    apiKey: 37,
    minVersion: 0,
    maxVersion: 3,
    request: CreatePartitionsRequest,
    response: CreatePartitionsResponse,
    handle(context, request) {
      const { allowed, refused } = partition(request.topics, ({ name }) =>
        services.authorizer.authorize(
          context as unknown as RequestContext,
          AclOperation.ALTER,
          ResourceType.TOPIC,
          name,
        ),
      );
      const fail = (errorCode: ErrorCode) => (topic: { readonly name: string }) => ({
        name: topic.name,
        errorCode,
      });
      const refusals = refused.map(fail(ErrorCode.TOPIC_AUTHORIZATION_FAILED));
      passOn(services, 37, context, { ...request, topics: allowed }, (errorCode, response) => {
        const answers = response?.results ?? allowed.map(fail(errorCode));
        context.respond({ throttleTimeMs: 0, results: [...answers, ...refusals] });
      });
    },
  });
}

/** One resource of the two APIs that alter configs. */
interface AlterableResource {
  readonly resourceType: number;
  readonly resourceName: string;
}

function alterConfigsApi(services: Services): ApiHandler {
  return api({
    apiKey: 33,
    minVersion: 0,
    maxVersion: 2,
    request: AlterConfigsRequest,
    response: AlterConfigsResponse,
    handle(context, request) {
      const { allowed, refused } = partition(request.resources, (resource) =>
        mayAlter(services, context as unknown as RequestContext, resource),
      );
      passOn(services, 33, context, { ...request, resources: allowed }, (errorCode, response) => {
        const answers = response?.responses ?? allowed.map((resource) => failedResource(resource, errorCode));
        context.respond({ throttleTimeMs: 0, responses: [...answers, ...refused.map(refusedResource)] });
      });
    },
  });
}

function incrementalAlterConfigsApi(services: Services): ApiHandler {
  return api({
    apiKey: 44,
    minVersion: 0,
    maxVersion: 1,
    request: IncrementalAlterConfigsRequest,
    response: IncrementalAlterConfigsResponse,
    handle(context, request) {
      const { allowed, refused } = partition(request.resources, (resource) =>
        mayAlter(services, context as unknown as RequestContext, resource),
      );
      passOn(services, 44, context, { ...request, resources: allowed }, (errorCode, response) => {
        const answers = response?.responses ?? allowed.map((resource) => failedResource(resource, errorCode));
        context.respond({ throttleTimeMs: 0, responses: [...answers, ...refused.map(refusedResource)] });
      });
    },
  });
}

function mayAlter(services: Services, context: RequestContext, resource: AlterableResource): boolean {
  const { authorizer } = services;
  return resource.resourceType === ConfigResourceType.TOPIC
    ? authorizer.authorize(context, AclOperation.ALTER_CONFIGS, ResourceType.TOPIC, resource.resourceName)
    : authorizer.authorize(context, AclOperation.ALTER_CONFIGS, ResourceType.CLUSTER, CLUSTER_RESOURCE);
}

function refusedResource(resource: AlterableResource) {
  return failedResource(
    resource,
    resource.resourceType === ConfigResourceType.TOPIC
      ? ErrorCode.TOPIC_AUTHORIZATION_FAILED
      : ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  );
}

function failedResource({ resourceType, resourceName }: AlterableResource, errorCode: ErrorCode) {
  return { errorCode, errorMessage: null, resourceType, resourceName };
}

/** Forwards, and gives the answer when this broker has caught up with it. */
function passOn<K extends ControllerApiKey>(
  services: Services,
  apiKey: K,
  context: RequestContext<never>,
  request: ControllerApis[K]['request'],
  answer: (errorCode: ErrorCode, response: ControllerApis[K]['response'] | null) => void,
): void {
  const { partitions, view } = services;
  forward(services, apiKey, context as unknown as RequestContext, request, (errorCode, response) => {
    view.wait(() => {
      if (!partitions.settled) return false;
      if (!context.cancelled) context.guard(() => answer(errorCode, response));
      return true;
    });
  });
}

function partition<T>(items: readonly T[], allows: (item: T) => boolean): { allowed: T[]; refused: T[] } {
  const allowed: T[] = [];
  const refused: T[] = [];
  for (const item of items) (allows(item) ? allowed : refused).push(item);
  return { allowed, refused };
}
