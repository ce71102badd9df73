import { ErrorCode } from '../base/errors.ts';
import { ConfigResourceType } from '../metadata/configurations-image.ts';
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts';
import { ELR_FEATURE } from '../metadata/supported-features.ts';
import { MIN_INSYNC_REPLICAS } from './config-rules.ts';
import type { ControllerContext } from './controller-context.ts';
import { type ApiError, type ControllerApis, type ControllerResult, apiError } from './controller-request.ts';

/** Operations of IncrementalAlterConfigs, formats §30. */
const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

/** One change of one config. */
interface ConfigOperation {
  readonly name: string;
  readonly configOperation: number;
  readonly value: string | null;
}

/** IncrementalAlterConfigs (KIP-339): each resource for itself, all of its changes or none. */
export function incrementalAlterConfigs(
  context: ControllerContext,
  request: ControllerApis[44]['request'],
): ControllerResult<ControllerApis[44]['response']> {
  return alterResources(context, request.resources, request.validateOnly, (resource) => resource.configs);
}

/** AlterConfigs: the given configs replace all that the resource had. */
export function alterConfigs(
  context: ControllerContext,
  request: ControllerApis[33]['request'],
): ControllerResult<ControllerApis[33]['response']> {
  return alterResources(context, request.resources, request.validateOnly, (resource) => {
    const set = resource.configs.map(({ name, value }) => ({ name, configOperation: SET, value }));
    const present = context.state.image.configs.of(resource.resourceType, resource.resourceName);
    const gone = [...present.keys()].filter((name) => !set.some((config) => config.name === name)).sort();
    return [...set, ...gone.map((name) => ({ name, configOperation: DELETE, value: null }))];
  });
}

/** Config records for a topic that is about to be made, or why it may not have these configs. */
export function newTopicConfigs(
  context: ControllerContext,
  topic: string,
  configs: readonly { readonly name: string; readonly value: string | null }[],
): MetadataRecord[] | ApiError {
  const operations = configs.map(({ name, value }) => ({ name, configOperation: SET, value }));
  return changeRecords(context, ConfigResourceType.TOPIC, topic, operations);
}

function alterResources<R extends { readonly resourceType: number; readonly resourceName: string }>(
  context: ControllerContext,
  resources: readonly R[],
  validateOnly: boolean,
  operationsOf: (resource: R) => readonly ConfigOperation[],
): ControllerResult<ControllerApis[44]['response']> {
  const records: MetadataRecord[] = [];
  const responses: ControllerApis[44]['response']['responses'][number][] = [];
  const keys = resources.map(({ resourceType, resourceName }) => `${resourceType}:${resourceName}`);
  resources.forEach((resource, i) => {
    const { resourceType, resourceName } = resource;
    const isDuplicate = keys.indexOf(keys[i] as string) !== i || keys.lastIndexOf(keys[i] as string) !== i;
    const changes = isDuplicate
      ? apiError(ErrorCode.INVALID_REQUEST, 'Each resource must appear at most once.')
      : (resourceProblem(context, resourceType, resourceName) ??
        changeRecords(context, resourceType, resourceName, operationsOf(resource)));
    if ('errorCode' in changes) {
      responses.push({ ...changes, resourceType, resourceName });
    } else {
      records.push(...changes);
      responses.push({ errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName });
    }
  });
  return {
    records: validateOnly ? [] : records,
    isAtomic: true,
    response: { throttleTimeMs: 0, responses },
  };
}

/** Records that make the changes to a resource, or why they cannot be made. */
function changeRecords(
  context: ControllerContext,
  type: number,
  resourceName: string,
  operations: readonly ConfigOperation[],
): MetadataRecord[] | ApiError {
  const { configs, features } = context.state.image;
  const present = configs.of(type, resourceName);
  const result = new Map(present);
  for (const operation of operations) {
    const problem = applyOperation(context, type, result, operation);
    if (problem !== null) return problem;
  }
  const problem = context.configRules.validate(type, resourceName, result);
  if (problem !== null) return apiError(ErrorCode.INVALID_CONFIG, problem);
  const records: MetadataRecord[] = [];
  for (const name of new Set(operations.map((operation) => operation.name))) {
    const value = result.get(name) ?? null;
    if (value === (present.get(name) ?? null)) continue;
    records.push(metadataRecord('ConfigRecord', { resourceType: type, resourceName, name, value }));
    const isMinIsr = name === MIN_INSYNC_REPLICAS && features.level(ELR_FEATURE) > 0;
    // Who is eligible was told by the former minimum.
    if (isMinIsr && type === ConfigResourceType.TOPIC && context.state.image.topics.byName(resourceName)) {
      records.push(metadataRecord('ClearElrRecord', { topicName: resourceName }));
    } else if (isMinIsr && type === ConfigResourceType.BROKER && resourceName === '') {
      records.push(metadataRecord('ClearElrRecord', { topicName: '' }));
    }
  }
  return records;
}

function applyOperation(
  context: ControllerContext,
  type: number,
  result: Map<string, string>,
  { name, configOperation, value }: ConfigOperation,
): ApiError | null {
  if (configOperation === DELETE) {
    result.delete(name);
    return null;
  }
  if (value === null) {
    return configOperation === SET
      ? apiError(ErrorCode.INVALID_CONFIG, `Null value not supported for : ${name}`)
      : apiError(ErrorCode.INVALID_REQUEST, `Null value not supported for : ${name}`);
  }
  if (configOperation === SET) {
    result.set(name, value);
    return null;
  }
  if (configOperation !== APPEND && configOperation !== SUBTRACT) {
    return apiError(
      ErrorCode.INVALID_REQUEST,
      `Unknown config operation type ${configOperation} for ${name}.`,
    );
  }
  if (!context.configRules.isList(type, name)) {
    return apiError(
      ErrorCode.INVALID_CONFIG,
      `Can't ${configOperation === APPEND ? 'APPEND' : 'SUBTRACT'} to key ${name} because its type is not LIST.`,
    );
  }
  const own = result.get(name);
  const current = own === undefined ? context.configRules.defaultList(type, name) : listElements(own);
  const named = listElements(value);
  const next =
    configOperation === APPEND
      ? [...current, ...named.filter((element) => !current.includes(element))]
      : current.filter((element) => !named.includes(element));
  result.set(name, next.join(','));
  return null;
}

function listElements(text: string): string[] {
  return text
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');
}

/** Why a resource can have no configs, or null. */
function resourceProblem(context: ControllerContext, type: number, name: string): ApiError | null {
  switch (type) {
    case ConfigResourceType.TOPIC:
      if (context.state.image.topics.byName(name) !== undefined) return null;
      return apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`);
    case ConfigResourceType.BROKER:
      return name === '' || /^\d+$/.test(name)
        ? null
        : apiError(ErrorCode.INVALID_REQUEST, `Unable to parse broker name as a base 10 number: ${name}`);
    case ConfigResourceType.GROUP:
    case ConfigResourceType.CLIENT_METRICS:
      return name === ''
        ? apiError(ErrorCode.INVALID_REQUEST, 'The name of the resource must not be empty.')
        : null;
    default:
      return apiError(ErrorCode.INVALID_REQUEST, `Unexpected resource type ${type}.`);
  }
}
