/** One of everything that a node of Apache Kafka keeps in its metadata: put there, and described, through its own APIs. */
import assert from 'node:assert/strict';
import { apiByKey } from '../../src/protocol/api-keys.ts';
import {
  AlterClientQuotasRequest,
  AlterClientQuotasResponse,
} from '../../src/protocol/messages/alter-client-quotas.ts';
import {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from '../../src/protocol/messages/alter-user-scram-credentials.ts';
import { CreateAclsRequest, CreateAclsResponse } from '../../src/protocol/messages/create-acls.ts';
import {
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse,
} from '../../src/protocol/messages/create-delegation-token.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../src/protocol/messages/create-topics.ts';
import { DeleteAclsRequest, DeleteAclsResponse } from '../../src/protocol/messages/delete-acls.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../src/protocol/messages/delete-topics.ts';
import { DescribeAclsRequest, DescribeAclsResponse } from '../../src/protocol/messages/describe-acls.ts';
import {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse,
} from '../../src/protocol/messages/describe-client-quotas.ts';
import {
  DescribeConfigsRequest,
  DescribeConfigsResponse,
} from '../../src/protocol/messages/describe-configs.ts';
import {
  DescribeDelegationTokenRequest,
  DescribeDelegationTokenResponse,
} from '../../src/protocol/messages/describe-delegation-token.ts';
import {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from '../../src/protocol/messages/describe-user-scram-credentials.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../src/protocol/messages/incremental-alter-configs.ts';
import { MetadataRequest, MetadataResponse } from '../../src/protocol/messages/metadata.ts';
import {
  SaslAuthenticateRequest,
  SaslAuthenticateResponse,
} from '../../src/protocol/messages/sasl-authenticate.ts';
import { SaslHandshakeRequest, SaslHandshakeResponse } from '../../src/protocol/messages/sasl-handshake.ts';
import type { InputOf, MessageOf, MessageSpec } from '../../src/protocol/schema.ts';
import { TestClient } from '../broker/test-client.ts';
import { realPorts } from './own-client.ts';

/** Who may log in on the SASL listener. */
export const SASL_USER = { name: 'admin', password: 'spool-of-thread' };

const [TOPIC, BROKER, GROUP, CLIENT_METRICS] = [2, 4, 32, 16] as const;

/** Runs `act` with a client on a port of the loopback interface, logged in if `login`. */
export async function withClient<T>(
  port: number,
  act: (client: TestClient) => Promise<T>,
  login = false,
): Promise<T> {
  const { ports, close } = realPorts();
  const client = new TestClient(ports.network, { host: '127.0.0.1', port });
  try {
    await client.open();
    if (login) await logIn(client);
    return await act(client);
  } finally {
    client.close();
    await close();
  }
}

async function logIn(client: TestClient): Promise<void> {
  const { name, password } = SASL_USER;
  await latest(client, SaslHandshakeRequest, SaslHandshakeResponse, { mechanism: 'PLAIN' });
  const answer = await latest(client, SaslAuthenticateRequest, SaslAuthenticateResponse, {
    authBytes: Buffer.from(`\0${name}\0${password}`),
  });
  assert.equal(answer.errorCode, 0);
}

/** Asks in the newest version of the API. */
async function latest<Q extends MessageSpec, R extends MessageSpec>(
  client: TestClient,
  request: Q,
  response: R,
  body: InputOf<Q>,
): Promise<MessageOf<R>> {
  const version = apiByKey(request.apiKey ?? -1)?.maxVersion ?? -1;
  return await client.call({ request, response }, version, body);
}

/** Makes topics of `partitions` partitions. */
export async function createTopics(
  client: TestClient,
  names: readonly string[],
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  const answer = await latest(client, CreateTopicsRequest, CreateTopicsResponse, {
    topics: names.map((name) => ({
      name,
      numPartitions: 3,
      replicationFactor: 1,
      assignments: [],
      configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
    })),
    timeoutMs: 30_000,
    validateOnly: false,
  });
  assert.deepEqual(
    answer.topics.map(({ errorCode }) => errorCode),
    names.map(() => 0),
  );
}

/** Deletes a topic. */
export async function deleteTopic(client: TestClient, name: string): Promise<void> {
  const answer = await latest(client, DeleteTopicsRequest, DeleteTopicsResponse, {
    topics: [{ name }],
    timeoutMs: 30_000,
  });
  assert.equal(answer.responses[0]?.errorCode, 0);
}

/** Sets a config of a resource; null removes it. */
export async function setConfig(
  client: TestClient,
  resource: readonly [type: number, name: string],
  name: string,
  value: string | null,
): Promise<void> {
  const answer = await latest(client, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, {
    resources: [
      {
        resourceType: resource[0],
        resourceName: resource[1],
        configs: [{ name, configOperation: value === null ? 1 : 0, value }],
      },
    ],
    validateOnly: false,
  });
  assert.equal(answer.responses[0]?.errorCode, 0, answer.responses[0]?.errorMessage ?? '');
}

/** Puts configs of every kind of resource, quotas, credentials and access control entries (one removed again) into Apache Kafka. */
export async function fillWithEverything(client: TestClient): Promise<void> {
  await createTopics(client, ['spool', 'doomed'], { 'retention.ms': '123456789' });
  await setConfig(client, [TOPIC, 'spool'], 'max.message.bytes', '234567');
  await setConfig(client, [TOPIC, 'spool'], 'retention.ms', null);
  await setConfig(client, [BROKER, ''], 'log.retention.ms', '345678901');
  await setConfig(client, [BROKER, '1'], 'background.threads', '9');
  await setConfig(client, [GROUP, 'weavers'], 'consumer.session.timeout.ms', '46000');
  await setConfig(client, [CLIENT_METRICS, 'spools'], 'interval.ms', '60000');
  await deleteTopic(client, 'doomed');
  await alterQuotas(client);
  await alterCredentials(client);
  await alterAcls(client);
}

async function alterQuotas(client: TestClient): Promise<void> {
  const entity = [
    { entityType: 'user', entityName: 'odradek' },
    { entityType: 'client-id', entityName: null },
  ];
  const alter = (ops: { key: string; value: number; remove: boolean }[]) =>
    latest(client, AlterClientQuotasRequest, AlterClientQuotasResponse, {
      entries: [{ entity, ops }],
      validateOnly: false,
    });
  const set = await alter([
    { key: 'controller_mutation_rate', value: 1.5, remove: false },
    { key: 'consumer_byte_rate', value: 7, remove: false },
  ]);
  const removed = await alter([{ key: 'consumer_byte_rate', value: 0, remove: true }]);
  assert.deepEqual([set.entries[0]?.errorCode, removed.entries[0]?.errorCode], [0, 0]);
}

async function alterCredentials(client: TestClient): Promise<void> {
  const credential = (name: string) => ({
    name,
    mechanism: 1,
    iterations: 4096,
    salt: Buffer.from('salt'),
    saltedPassword: Buffer.alloc(32, 7),
  });
  const alter = (body: InputOf<typeof AlterUserScramCredentialsRequest>) =>
    latest(client, AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse, body);
  const set = await alter({ deletions: [], upsertions: [credential('kept'), credential('gone')] });
  const removed = await alter({ deletions: [{ name: 'gone', mechanism: 1 }], upsertions: [] });
  assert.ok([...set.results, ...removed.results].every(({ errorCode }) => errorCode === 0));
}

async function alterAcls(client: TestClient): Promise<void> {
  const entry = (principal: string) => ({
    resourceType: TOPIC,
    resourceName: 'spool',
    resourcePatternType: 4,
    principal,
    host: '*',
    operation: 3,
    permissionType: 3,
  });
  const made = await latest(client, CreateAclsRequest, CreateAclsResponse, {
    creations: [entry('User:kept'), entry('User:gone')],
  });
  assert.ok(made.results.every(({ errorCode }) => errorCode === 0));
  const removed = await latest(client, DeleteAclsRequest, DeleteAclsResponse, {
    filters: [
      {
        resourceTypeFilter: TOPIC,
        resourceNameFilter: 'spool',
        patternTypeFilter: 4,
        principalFilter: 'User:gone',
        hostFilter: null,
        operation: 1,
        permissionType: 1,
      },
    ],
  });
  assert.equal(removed.filterResults[0]?.matchingAcls.length, 1);
}

/** Makes a delegation token; the client must be logged in. */
export async function createToken(client: TestClient): Promise<void> {
  const answer = await latest(client, CreateDelegationTokenRequest, CreateDelegationTokenResponse, {
    ownerPrincipalType: null,
    ownerPrincipalName: null,
    renewers: [{ principalType: 'User', principalName: 'kept' }],
    maxLifetimeMs: 86_400_000,
  });
  assert.equal(answer.errorCode, 0);
}

/** What every broker can tell: topics with ids and partitions, and the configs that were set. */
export async function describeTopics(client: TestClient): Promise<unknown> {
  const { topics } = await latest(client, MetadataRequest, MetadataResponse, {
    topics: null,
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: false,
  });
  const described = topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions
      .map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
        partitionIndex,
        leaderId,
        replicaNodes,
        isrNodes,
      }))
      .sort((a, b) => a.partitionIndex - b.partitionIndex),
  }));
  const resources = [
    ...topics.map(({ name }): [number, string] => [TOPIC, name ?? '']),
    [BROKER, ''] as [number, string],
    [GROUP, 'weavers'] as [number, string],
    [CLIENT_METRICS, 'spools'] as [number, string],
  ];
  const configs = await latest(client, DescribeConfigsRequest, DescribeConfigsResponse, {
    resources: resources.map(([resourceType, resourceName]) => ({
      resourceType,
      resourceName,
      configurationKeys: null,
    })),
    includeSynonyms: false,
    includeDocumentation: false,
  });
  return {
    topics: described.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1)),
    configs: configs.results
      .flatMap(({ resourceType, resourceName, configs: entries }) =>
        entries
          .filter(({ configSource }) => DYNAMIC_SOURCES.includes(configSource))
          .map(({ name, value }) => `${resourceType}:${resourceName} ${name}=${value}`),
      )
      .sort(),
  };
}

/** Sources of configs that were set for the resource itself: topic, broker, default broker, client metrics, group. */
const DYNAMIC_SOURCES: readonly number[] = [1, 2, 3, 7, 8];

/** What only a node with security can tell: quotas, credentials, access control entries, tokens. */
export async function describeSecurity(client: TestClient): Promise<unknown> {
  const quotas = await latest(client, DescribeClientQuotasRequest, DescribeClientQuotasResponse, {
    components: [],
    strict: false,
  });
  const scram = await latest(
    client,
    DescribeUserScramCredentialsRequest,
    DescribeUserScramCredentialsResponse,
    {
      users: null,
    },
  );
  const acls = await latest(client, DescribeAclsRequest, DescribeAclsResponse, {
    resourceTypeFilter: 1,
    resourceNameFilter: null,
    patternTypeFilter: 1,
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
  });
  const tokens = await latest(client, DescribeDelegationTokenRequest, DescribeDelegationTokenResponse, {
    owners: null,
  });
  return {
    quotas: quotas.entries,
    scram: scram.results.map(({ user, credentialInfos }) => ({ user, credentialInfos })),
    acls: acls.resources,
    tokens: tokens.tokens.map(({ tokenId, expiryTimestamp, maxTimestamp }) => ({
      tokenId,
      expiryTimestamp,
      maxTimestamp,
    })),
  };
}
