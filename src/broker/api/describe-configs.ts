/**
 * DescribeConfigs, versions 1–4: topics (2), this broker and the defaults of all brokers (4), groups' and client metrics' own settings (16, 32).
 *
 * Omitted: loggers (8), which Odradek does not have, and the defaults of groups.
 */
import { ErrorCode } from '../../base/errors.ts';
import type { BrokerConfig } from '../../config/broker-config.ts';
import { type BrokerConfigName, brokerConfigs } from '../../config/broker-configs.ts';
import type { ConfigDefinition } from '../../config/definition.ts';
import { type TopicConfigDefinition, topicConfigs } from '../../config/tables/topic.ts';
import { type TopicConfigName, topicConfigValue } from '../../config/topic-config.ts';
import type { ConfigType } from '../../config/values.ts';
import { ConfigResourceType } from '../../metadata/configurations-image.ts';
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/describe-configs.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, CLUSTER_RESOURCE, ResourceType } from '../hooks.ts';
import { isValidTopicName } from '../internal-topics.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';

/** Config sources (formats §30). */
const Source = {
  TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  CLIENT_METRICS: 7,
  GROUP: 8,
} as const;

const TYPE_CODES: Readonly<Record<ConfigType, number>> = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
};

type Response = InputOf<typeof DescribeConfigsResponse>;
type Result = Response['results'][number];
type Entry = Result['configs'][number];
type Synonym = NonNullable<Entry['synonyms']>[number] & { readonly source: number };
type Resource = DescribeConfigsRequest['resources'][number];

/** The handler of DescribeConfigs. */
export function describeConfigsApi(services: Services, config: BrokerConfig): ApiHandler {
  return api({
    apiKey: 32,
    minVersion: 1,
    maxVersion: 4,
    request: DescribeConfigsRequest,
    response: DescribeConfigsResponse,
    handle(context, request) {
      const description = new Description(services, config, request);
      const results = request.resources.map((resource) =>
        isAllowed(services, context as unknown as RequestContext, resource)
          ? description.of(resource)
          : refuse(resource, unauthorizedCode(resource), null),
      );
      context.respond({ throttleTimeMs: 0, results });
    },
  });
}

/** Describes resources the way one request wants it. */
class Description {
  readonly #services: Services;
  readonly #config: BrokerConfig;
  readonly #request: DescribeConfigsRequest;

  constructor(services: Services, config: BrokerConfig, request: DescribeConfigsRequest) {
    this.#services = services;
    this.#config = config;
    this.#request = request;
  }

  /** One resource's part of the answer. */
  of(resource: Resource): Result {
    switch (resource.resourceType) {
      case ConfigResourceType.TOPIC:
        return this.#topic(resource);
      case ConfigResourceType.BROKER:
        return this.#broker(resource);
      case ConfigResourceType.CLIENT_METRICS:
        return this.#ownEntries(resource, Source.CLIENT_METRICS);
      case ConfigResourceType.GROUP:
        return this.#ownEntries(resource, Source.GROUP);
      default:
        return refuse(
          resource,
          ErrorCode.INVALID_REQUEST,
          'Configs of this resource type cannot be described',
        );
    }
  }

  #topic(resource: Resource): Result {
    const { topics, configs } = this.#services.view.image;
    const { resourceName } = resource;
    if (!isValidTopicName(resourceName)) return refuse(resource, ErrorCode.INVALID_TOPIC_EXCEPTION, null);
    if (topics.byName(resourceName) === undefined) {
      return refuse(resource, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null);
    }
    const overrides = new Map(configs.of(ConfigResourceType.TOPIC, resourceName));
    const entries: Entry[] = [];
    for (const name of this.#selected(resource, Object.keys(topicConfigs)) as TopicConfigName[]) {
      const definition: TopicConfigDefinition = topicConfigs[name];
      if (definition.internal && !overrides.has(name)) continue;
      const synonyms: Synonym[] = [];
      if (overrides.has(name)) {
        synonyms.push({ name, value: this.#text(name, overrides.get(name)), source: Source.TOPIC });
      }
      for (const brokerName of definition.serverDefaults) synonyms.push(...this.#brokerSynonyms(brokerName));
      const text = this.#text(
        name,
        synonyms.find(({ source }) => source < Source.STATIC_BROKER)?.value ?? undefined,
      );
      if (synonyms.length === 0) synonyms.push({ name, value: text, source: Source.DEFAULT });
      entries.push(this.#entry(name, text, definition, synonyms, false));
    }
    return { errorCode: ErrorCode.NONE, errorMessage: null, ...identity(resource), configs: entries };
  }

  #broker(resource: Resource): Result {
    const { nodeId } = this.#services;
    const { resourceName } = resource;
    if (resourceName === '') return this.#ownEntries(resource, Source.DYNAMIC_DEFAULT_BROKER);
    if (resourceName !== String(nodeId)) {
      const message = `Ask the broker itself: this is broker ${nodeId}`;
      return refuse(resource, ErrorCode.INVALID_REQUEST, message);
    }
    const entries: Entry[] = [];
    for (const name of this.#selected(resource, Object.keys(brokerConfigs))) {
      const definition: ConfigDefinition = brokerConfigs[name as BrokerConfigName];
      const isSet = this.#config.isSet(name as BrokerConfigName);
      if (definition.internal && !isSet) continue;
      const synonyms = this.#brokerSynonyms(name as BrokerConfigName);
      const dynamic = synonyms.find(({ source }) => source < Source.STATIC_BROKER)?.value;
      const text = dynamic ?? this.#config.text(name as BrokerConfigName);
      entries.push(this.#entry(name, text, definition, synonyms, definition.updateMode === 'read-only'));
    }
    return { errorCode: ErrorCode.NONE, errorMessage: null, ...identity(resource), configs: entries };
  }

  /** What is set for a resource itself, without any defaults. */
  #ownEntries(resource: Resource, source: number): Result {
    if (resource.resourceName === '' && resource.resourceType !== ConfigResourceType.BROKER) {
      return refuse(resource, ErrorCode.INVALID_REQUEST, 'The resource needs a name');
    }
    const own = this.#services.view.image.configs.of(resource.resourceType, resource.resourceName);
    const configs = this.#selected(resource, [...own.keys()].sort()).map((name) => ({
      name,
      value: own.get(name) ?? null,
      readOnly: false,
      configSource: source,
      isSensitive: false,
    }));
    return { errorCode: ErrorCode.NONE, errorMessage: null, ...identity(resource), configs };
  }

  /** The names asked for, as far as they exist; all when none are named. */
  #selected({ configurationKeys }: Resource, names: readonly string[]): readonly string[] {
    if (configurationKeys === null || configurationKeys.length === 0) return names;
    const wanted = new Set(configurationKeys);
    return names.filter((name) => wanted.has(name));
  }

  /** A topic config's text in Kafka's spelling, from what was set or from what this broker gives. */
  #text(name: TopicConfigName, set: string | undefined): string | null {
    return topicConfigValue(this.#config, new Map(set === undefined ? [] : [[name, set]]), name).text;
  }

  /** Where the value of a broker config comes from, the one in force first: set for this broker, for all, in its file, or the default. */
  #brokerSynonyms(name: BrokerConfigName): Synonym[] {
    const definition: ConfigDefinition = brokerConfigs[name];
    const sensitive = definition.type === 'PASSWORD';
    const synonyms: Synonym[] = [];
    const { nodeId, view } = this.#services;
    for (const [resource, source] of [
      [String(nodeId), Source.DYNAMIC_BROKER],
      ['', Source.DYNAMIC_DEFAULT_BROKER],
    ] as const) {
      const value = view.image.configs.of(ConfigResourceType.BROKER, resource).get(name);
      if (value !== undefined) synonyms.push({ name, value: sensitive ? null : value, source });
    }
    if (this.#config.isSet(name)) {
      const value = sensitive ? null : this.#config.text(name);
      synonyms.push({ name, value, source: Source.STATIC_BROKER });
    }
    if (definition.defaultText !== undefined && definition.defaultText !== null) {
      synonyms.push({ name, value: sensitive ? null : definition.defaultText, source: Source.DEFAULT });
    }
    return synonyms;
  }

  #entry(
    name: string,
    text: string | null,
    definition: ConfigDefinition,
    synonyms: readonly Synonym[],
    readOnly: boolean,
  ): Entry {
    const isSensitive = definition.type === 'PASSWORD';
    return {
      name,
      value: isSensitive ? null : text,
      readOnly,
      configSource: synonyms[0]?.source ?? Source.DEFAULT,
      isSensitive,
      synonyms: this.#request.includeSynonyms ? synonyms : [],
      configType: TYPE_CODES[definition.type],
      documentation: this.#request.includeDocumentation ? definition.doc : null,
    };
  }
}

function isAllowed({ authorizer }: Services, context: RequestContext, resource: Resource): boolean {
  const { resourceType, resourceName } = resource;
  const operation = AclOperation.DESCRIBE_CONFIGS;
  if (resourceType === ConfigResourceType.TOPIC) {
    return authorizer.authorize(context, operation, ResourceType.TOPIC, resourceName);
  }
  if (resourceType === ConfigResourceType.GROUP) {
    return authorizer.authorize(context, operation, ResourceType.GROUP, resourceName);
  }
  return authorizer.authorize(context, operation, ResourceType.CLUSTER, CLUSTER_RESOURCE);
}

function unauthorizedCode({ resourceType }: Resource): ErrorCode {
  if (resourceType === ConfigResourceType.TOPIC) return ErrorCode.TOPIC_AUTHORIZATION_FAILED;
  if (resourceType === ConfigResourceType.GROUP) return ErrorCode.GROUP_AUTHORIZATION_FAILED;
  return ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
}

function refuse(resource: Resource, errorCode: ErrorCode, errorMessage: string | null): Result {
  return { errorCode, errorMessage, ...identity(resource), configs: [] };
}

function identity({ resourceType, resourceName }: Resource) {
  return { resourceType, resourceName };
}
